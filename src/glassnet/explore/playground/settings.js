/** The panels of settings: the data, the layers, the loss and how to train. Every change goes to `change(spec)`. */

import { $, el } from "glassnet/dom.js";
import { DERIVED } from "glassnet/dataset.js";
import { choice, field, slider } from "glassnet/field.js";
import { catalog, groups, made } from "glassnet/spec.js";
import { TOYS } from "glassnet/toy.js";

const whole = (v) => Math.round(v).toLocaleString("en");

/** Controls for all arguments of one of the library's objects. */
function fieldsOf(kind, object, change, skipped = []) {
  return catalog[kind][object.type].arguments
    .filter(({ name }) => !skipped.includes(name))
    .map((argument) => field(argument, object[argument.name], (value) => change({ ...object, [argument.name]: value })));
}

export function dataPanel(spec, data, change) {
  const { data: given } = spec;
  const set = (changed, live = false) => change({ ...spec, data: { ...given, ...changed } }, live);
  const names = Object.fromEntries(Object.entries(TOYS).map(([key, { name }]) => [key, name]));
  const kinds = Object.keys(TOYS).concat(["drawn"], given.table ? ["table"] : []);
  const labels = { ...names, drawn: "draw your own points", table: "your table" };
  const parts = [
    choice("Problem", kinds, given.kind, (kind) => set({ kind, points: given.points ?? [] }), labels),
  ];
  const toy = TOYS[given.kind];
  if (toy) {
    parts.push(
      slider("Noise", { min: 0, max: 0.5, step: 0.01, value: given.noise }, (noise) => set({ noise })),
      slider("Points", { min: 20, max: 1000, step: 10, value: given.n, shown: whole }, (n) => set({ n })),
    );
  }
  if (given.kind === "table")
    parts.push(
      choice("Predict", given.table.names.map((_, i) => String(i)), String(given.target), (i) => set({ target: Number(i) }),
        given.table.names),
    );
  parts.push(
    slider(
      "Test part",
      { min: 0, max: 0.8, step: 0.05, value: given.share, shown: (v) => `${Math.round(100 * v)}%` },
      (share) => set({ share }),
    ),
  );
  if (data?.width >= 2 && given.kind !== "table") {
    const derived = given.derived ?? [];
    const boxes = Object.keys(DERIVED).map((name) => {
      const box = el("input", {
        type: "checkbox",
        onchange: () => set({ derived: Object.keys(DERIVED).filter((n) => (n === name ? box.checked : derived.includes(n))) }),
      });
      box.checked = derived.includes(name);
      return el("label", { class: "derived" }, box, name);
    });
    parts.push(el("div", { role: "group", "aria-label": "More inputs" }, el("span", {}, "Also give it"), el("div", { class: "boxes" }, ...boxes)));
  }
  const buttons = el("div", { class: "row" });
  if (toy) buttons.append(el("button", { type: "button", onclick: () => set({ seed: given.seed + 1 }) }, "Other points"));
  if (given.kind === "drawn")
    buttons.append(el("button", { type: "button", onclick: () => set({ points: [] }) }, "Clear"));
  parts.push(buttons);
  for (const text of data?.notes ?? []) parts.push(el("p", { class: "note" }, text));
  $("data-fields").replaceChildren(...parts);
}

export function trainPanel(spec, data, change) {
  const task = data?.task ?? "classification";
  const losses = Object.keys(catalog.losses).filter(
    (name) => catalog.losses[name].task === task && !(name === "BinaryCrossEntropy" && data?.classes?.length > 2),
  );
  const optimizer = (object) => change({ ...spec, optimizer: object }, true);
  const rate = catalog.optimizers[spec.optimizer.type].arguments.find(({ name }) => name === "lr");
  const lr = { min: -4, max: 1, step: 0.05, value: spec.optimizer.lr, to: (v) => Number((10 ** v).toPrecision(2)) };
  const [more, usual] = [["betas", "eps", "clip_norm", "weight_decay", "nesterov"], ["lr"]];
  const swap = (type) => {
    const old = spec.optimizer;
    const kept = type === "SGD" ? { lr: 0.1 } : { lr: 0.01 };
    change({ ...spec, optimizer: made("optimizers", type, { ...kept, l2: old.l2, clip_norm: old.clip_norm }) });
  };
  $("train-fields").replaceChildren(
    choice("Optimizer", Object.keys(catalog.optimizers), spec.optimizer.type, swap),
    slider("Learning rate", { ...lr, from: Math.log10 }, (v) => rate && optimizer({ ...spec.optimizer, lr: v })),
    ...fieldsOf("optimizers", spec.optimizer, optimizer, [...usual, ...more]),
    slider(
      "Batch size",
      { min: 0, max: 8, step: 1, value: spec.batch_size, to: (v) => 2 ** v, from: Math.log2, shown: whole },
      (batch_size) => change({ ...spec, batch_size }),
    ),
    choice("Loss", losses, spec.loss.type, (type) => change({ ...spec, loss: made("losses", type) })),
    ...fieldsOf("losses", spec.loss, (loss) => change({ ...spec, loss })),
    el(
      "details",
      { id: "more-settings" },
      el("summary", {}, "More: schedule, seed …"),
      choice("Schedule", Object.keys(catalog.schedules), spec.schedule.type, (type) =>
        change({ ...spec, schedule: made("schedules", type) }),
      ),
      ...fieldsOf("schedules", spec.schedule, (schedule) => change({ ...spec, schedule })),
      field({ name: "epochs of the schedule", kind: "number", low: 1 }, spec.epochs, (epochs) =>
        change({ ...spec, epochs: Math.round(epochs) }),
      ),
      ...fieldsOf("optimizers", spec.optimizer, optimizer, catalog.optimizers[spec.optimizer.type].arguments
        .map(({ name }) => name).filter((name) => !more.includes(name))),
      field({ name: "seed", kind: "number", low: 0, below: 2 ** 32 }, spec.seed, (seed) =>
        change({ ...spec, seed: Math.round(seed) }),
      ),
    ),
  );
}

/** The weights into one unit, each to be moved by hand: `move(place in theta, value)`. */
export function unitPanel(run, { group, unit }, move) {
  const { net } = run.training;
  const layer = net.layers[group ? run.columns[group - 1] + 1 : 0];
  const before = group ? range(layer.n_in).map((i) => `from unit ${i + 1}`) : run.data.features;
  const [W, b] = layer.parameters;
  const places = [...before.map((name, i) => [name, W.begin + i * layer.n_out + unit]), ["bias", b.begin + unit]];
  const rows = places.map(([name, place]) =>
    slider(name, { min: -3, max: 3, step: 0.05, value: net.weights[place] }, (value) => move(place, value)),
  );
  $("unit-title").textContent = `The weights of unit ${unit + 1}, to be moved by hand`;
  $("unit-fields").replaceChildren(...rows);
}

const range = (n) => Array.from({ length: n }, (_, i) => i);

/** A layer's sentence with its numbers: "{rate:.0%}" and "{slope:g}" are arguments, as in Python. */
const said = (sentence, layer) =>
  sentence.replace(/\{(\w+)(:[^}]*)?\}/g, (_, name, as) => (as?.endsWith("%") ? `${Math.round(100 * layer[name])}%` : layer[name]));

/** The layers of one column of the drawing, each with its arguments; and what may follow them. */
export function layerPanel(spec, g, change) {
  const indices = groups(spec.layers)[g];
  const last = g === groups(spec.layers).length - 1;
  const card = $("layer-fields");
  if (!indices) return card.replaceChildren();
  const swap = (i, layer) => change({ ...spec, layers: spec.layers.map((old, j) => (i === j ? layer : old)) });
  const without = (i) => change({ ...spec, layers: spec.layers.filter((_, j) => j !== i) });
  const parts = indices.map((i) => {
    const layer = spec.layers[i];
    const facts = catalog.layers[layer.type];
    const remove =
      i === indices[0]
        ? null
        : el("button", { type: "button", class: "small", "aria-label": `Remove ${layer.type}`, onclick: () => without(i) }, "remove");
    return el(
      "div",
      { class: "layer-part" },
      el("div", { class: "row between" }, el("strong", {}, layer.type), remove),
      el("p", { class: "note" }, said(facts.words, layer)),
      ...fieldsOf("layers", layer, (changed) => swap(i, changed)),
    );
  });
  if (!last) {
    const add = el("select", { id: "add-behind", "aria-label": "Add a layer behind these" });
    for (const type of Object.keys(catalog.layers)) if (type !== "Dense") add.append(el("option", {}, type));
    add.value = "Dropout";
    const button = el("button", {
      type: "button",
      onclick: () => change({ ...spec, layers: spec.layers.toSpliced(indices.at(-1) + 1, 0, made("layers", add.value)) }),
    }, "Add");
    parts.push(el("div", { class: "row" }, el("label", { for: "add-behind" }, "Put behind it"), add, button));
  }
  $("layer-title").textContent = last ? "Output" : `Layer ${g + 1}`;
  card.replaceChildren(...parts);
}
