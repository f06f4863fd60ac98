/** The playground: a network that is built and trained in this page. */

import { onTheme } from "glassnet/colour.js";
import { Bowl } from "glassnet/bowl.js";
import { Curve } from "glassnet/curve.js";
import { Curves } from "glassnet/curves.js";
import { Diagram } from "glassnet/diagram.js";
import { findings } from "glassnet/watch.js";
import { $, el } from "glassnet/dom.js";
import { count, number, percent } from "glassnet/format.js";
import { Plane } from "glassnet/plane.js";
import { Run } from "glassnet/run.js";
import { script } from "glassnet/script.js";
import { dataPanel, layerPanel, trainPanel, unitPanel } from "glassnet/settings.js";
import { classCss } from "glassnet/shades.js";
import { drawSlice } from "glassnet/slice.js";
import { Slow } from "glassnet/slow.js";
import { ACTIVATIONS, catalog, completed, dense, fromLink, groups, made, start, toLink } from "glassnet/spec.js";
import { readTable } from "glassnet/table.js";
import { makeThemeSwitch } from "glassnet/theme-switch.js";
import { takeToken } from "glassnet/token.js";

const BUDGET = 9; // milliseconds of a frame that training may take
const SPEEDS = [1, 3, 10, 30, 100, 300, 1000, 10_000, Infinity]; // steps a second
const SELDOM = 250; // milliseconds between two looks of the doctor, and two of the code

const bytes = Uint8Array.from(atob($("kernels").textContent.trim()), (c) => c.charCodeAt(0));
const module = await WebAssembly.compile(bytes);

const frames = (window.glassnetFrames = []); // when the plane was drawn while training ran
const app = (window.glassnetPlayground = { run: null, kept: null, running: false, at: null, group: 0, owed: 0, brush: 1 });
const [plane, curve, keptPlane, keptCurve] = [
  new Plane($("plane")), new Curve($("plane")), new Plane($("kept-plane")), new Curve($("kept-plane")),
];
const curves = new Curves($("curves"));
let dirty = true;

const slow = new Slow({
  changed(flow) {
    diagram.flow = flow;
    diagram.numbers(flow?.values ?? null);
    dirty = true;
  },
  done: () => advance(1),
});

const diagram = new Diagram({
  choose: chooseGroup,
  pick(group, unit) {
    diagram.pick(group, unit);
    if (group >= 0) chooseGroup(group);
    showUnit();
  },
  units: (g, n) => changeGroup(g, (layers) => layers.with(0, { ...layers[0], [catalog.layers.Dense.width_out]: n })),
  activation: (g, type) =>
    changeGroup(g, (layers) => {
      const rest = layers.filter((layer) => !ACTIVATIONS.includes(layer.type));
      const at = layers.findIndex((layer) => ACTIVATIONS.includes(layer.type));
      return type === "none" ? rest : rest.toSpliced(at < 0 ? 1 : at, 0, made("layers", type));
    }),
});

/** The weights of the unit that was picked; they are moved by hand while nothing trains. */
function showUnit() {
  const { selected } = diagram;
  const there = selected && selected.group >= 0 && selected.group < app.run.columns.length && !app.running;
  $("unit-card").hidden = !there;
  if (!there) return;
  unitPanel(app.run, selected, (place, value) => {
    if (app.at !== null) branch();
    app.run.training.move(place, value);
    dirty = true;
  });
}

function chooseGroup(g) {
  app.group = g;
  layerPanel(app.run.spec, g, change);
}

/** Change the layers of one column. */
function changeGroup(g, changed) {
  const { spec } = app.run;
  const parts = groups(spec.layers).map((indices) => indices.map((i) => spec.layers[i]));
  parts[g] = changed(parts[g]);
  change({ ...spec, layers: parts.flat() });
}

function addLayer() {
  const { spec } = app.run;
  const parts = groups(spec.layers).map((indices) => indices.map((i) => spec.layers[i]));
  const like = parts.at(-2);
  const units = like ? like[0][catalog.layers.Dense.width_out] : 4;
  const act = like?.find((layer) => ACTIVATIONS.includes(layer.type))?.type ?? "ReLU";
  parts.splice(-1, 0, [dense(units), made("layers", act)]);
  change({ ...spec, layers: parts.flat() });
}

function removeLayer() {
  const { spec } = app.run;
  const parts = groups(spec.layers).map((indices) => indices.map((i) => spec.layers[i]));
  if (parts.length > 1) change({ ...spec, layers: parts.toSpliced(-2, 1).flat() });
}

/** Take a changed spec. What is live acts on the training that runs; everything else begins it anew. */
function change(spec, live = false) {
  if (live && sameBut(spec, app.run.spec, "optimizer")) {
    if (app.at !== null) branch();
    app.run.spec = spec;
    app.run.training.set(spec.optimizer);
    if (slow.open) slow.begin(app.run);
    settle();
    return;
  }
  begin(spec);
}

const sameBut = (a, b, part) => JSON.stringify({ ...a, [part]: 0 }) === JSON.stringify({ ...b, [part]: 0 });

/** Begin a training. Faults of the settings are said, and what ran before stays. */
function begin(spec) {
  let run;
  try {
    run = new Run(module, spec);
  } catch (error) {
    problem(error.message);
    if (spec.data.kind === "drawn") wait(spec);
    return;
  }
  problem(null);
  app.waiting = null;
  const focus = document.activeElement?.getAttribute("aria-label");
  if (slow.open) slow.close();
  app.run = run;
  app.at = null;
  app.ghost = null;
  diagram.selected = null;
  showUnit();
  if (app.kept) app.kept = keep({ ...app.kept.spec, data: run.spec.data });
  diagram.build(run.spec, run.data, run.training.net);
  app.group = Math.min(app.group, run.columns.length - 1);
  dataPanel(run.spec, run.data, change);
  trainPanel(run.spec, run.data, change);
  layerPanel(run.spec, app.group, change);
  axes();
  legend();
  settle();
  if (focus) document.querySelector(`[aria-label="${CSS.escape(focus)}"]`)?.focus();
}

/** Points are drawn until there are enough. */
function wait(spec) {
  app.run = null;
  app.waiting = spec;
  setRunning(false);
  dataPanel(spec, null, change);
  legend();
  drawEmpty();
}

/** After a change that leaves the run: new texts, a new drawing. */
function settle() {
  dirty = true;
  scrub();
  app.codeSeen = 0;
}

function keep(spec) {
  try {
    return new Run(module, spec);
  } catch {
    return null;
  }
}

function problem(words) {
  $("problem").hidden = !words;
  $("problem-words").textContent = words ?? "";
}

/** Make steps, and as many of the run that is kept beside. */
function advance(most) {
  if (app.at !== null) branch();
  const { training } = app.run;
  const done = training.advance(most);
  if (app.kept) for (let left = done; left > 0; ) left -= app.kept.training.advance(left) || left;
  if (training.failure) {
    setRunning(false);
    problem(training.failure);
  }
  dirty = true;
  return done;
}

/** Go on from the epoch that is looked at: what came after it stays as a pale line. */
function branch() {
  app.ghost = app.run.training.history;
  app.run.training.back(app.at);
  app.at = null;
  settle();
}

function setRunning(running) {
  app.running = running && app.run !== null;
  app.then = null;
  app.owed = 0;
  if (running && slow.open) slow.close();
  $("start").textContent = app.running ? "Pause" : "Start";
  $("start").setAttribute("aria-pressed", String(app.running));
  if (!app.running) look();
  if (app.run) showUnit();
  dirty = true;
}

/** Train for a frame's share of time. */
function trainSome(now) {
  const speed = SPEEDS[$("speed").value];
  if (speed === Infinity) {
    const end = performance.now() + BUDGET;
    while (app.running && performance.now() < end) advance(25);
    return;
  }
  app.owed += (speed * Math.min(100, now - (app.then ?? now - 1000 / speed))) / 1000;
  app.then = now;
  while (app.running && app.owed >= 1) app.owed -= advance(Math.floor(app.owed)) || app.owed;
}

function frame(now) {
  if (app.running) trainSome(now);
  if (dirty && app.run) {
    dirty = false;
    draw(now);
    if (app.running) frames.push(now);
  }
  requestAnimationFrame(frame);
}

const shown = { train: true, test: true, sharp: false };

function drawRun(run, flat, surface, outputs) {
  if (run.flat) flat.draw(run.data, outputs.at(-1), run.bends(outputs), shown);
  else surface.draw(run.data, run.axes, outputs.at(-1), run.training.net.n_out, shown);
}

function draw(now) {
  const { run, kept } = app;
  const outputs = run.outputs();
  drawRun(run, curve, plane, outputs);
  diagram.maps(outputs, run.rows, run.flat);
  diagram.lines();
  $("kept").hidden = !kept;
  if (kept) drawRun(kept, keptCurve, keptPlane, kept.outputs());
  figures();
  if (now - (app.curvesSeen ?? 0) > 60 || !app.running) {
    app.curvesSeen = now;
    drawCurves();
  } else dirty = true;
  if (now - (app.seldom ?? 0) > SELDOM || !app.running) {
    app.seldom = now;
    scrub();
    doctor();
    if ($("code-section").open && !app.running) writeCode();
  }
}

function drawCurves() {
  const runs = [{ history: app.run.training.history }];
  if (app.kept) runs.push({ history: app.kept.training.history, faint: true });
  if (app.ghost) runs.push({ history: app.ghost, faint: true });
  curves.draw(runs, app.at);
}

function figures() {
  const { training, data } = app.run;
  const row = app.at === null ? training.history.at(-1) : training.history.find(({ epoch }) => epoch === app.at);
  $("epoch").textContent = count(app.at ?? training.epoch);
  $("step-number").textContent = count(app.at === null ? training.step : row.step);
  $("loss-train").textContent = number(row.loss, 3);
  $("loss-test").textContent = row.val_loss === undefined ? "–" : number(row.val_loss, 3);
  const classes = data.task === "classification";
  $("right").hidden = !classes;
  if (classes) {
    $("right-train").textContent = percent1(row.accuracy);
    $("right-test").textContent = row.val_accuracy === undefined ? "–" : percent1(row.val_accuracy);
  }
}

const percent1 = (share) => (share === 1 ? "100%" : percent(share));

/** The slider back to an epoch. */
function scrub() {
  if (!app.run) return;
  const kept = [...app.run.training.snapshots.keys()];
  $("scrub").max = kept.length;
  if (app.at === null) $("scrub").value = kept.length;
  $("scrub-row").hidden = kept.length < 2;
  $("scrub-value").textContent = app.at === null ? "now" : `epoch ${count(app.at)}`;
  $("branch").hidden = app.at === null;
}

function goBack(place) {
  setRunning(false);
  const { training } = app.run;
  const kept = [...training.snapshots.keys()];
  if (app.at === null) app.newest = training.state();
  app.at = place >= kept.length ? null : kept[place];
  training.restore(app.at === null ? app.newest : training.snapshots.get(app.at));
  settle();
}

function doctor() {
  const list = findings(app.run);
  const text = JSON.stringify(list);
  if (text === app.found) return;
  app.found = text;
  $("findings-none").hidden = list.length > 0;
  $("findings").replaceChildren(
    ...list.map(({ name, words, advice, group, units }) =>
      el(
        "li",
        { class: "finding warning" },
        el("p", { class: "finding-title" }, name),
        el("p", {}, words),
        el("p", { class: "note" }, advice),
        group === undefined
          ? null
          : el("button", { type: "button", class: "small", onclick: () => diagram.point(group, units) }, "Show me"),
      ),
    ),
  );
}

function writeCode() {
  $("code").textContent = script(app.run);
}

/** Which two inputs the plane shows, if there are more. */
function axes() {
  const { run } = app;
  const { features, width, derived } = run.data;
  const choices = features.slice(0, width - derived.length);
  $("axes").hidden = choices.length < 3;
  $("x-name").textContent = features[run.axes[0]];
  $("y-name").textContent = width === 1 ? run.data.target : features[run.axes[1]];
  if (choices.length < 3) return;
  ["axis-x", "axis-y"].forEach((id, i) => {
    $(id).replaceChildren(...choices.map((name, j) => el("option", { value: j }, name)));
    $(id).value = run.axes[i];
  });
}

function legend() {
  const { classes } = app.run?.data ?? EMPTY;
  $("classes").replaceChildren(
    ...(classes ?? []).map((name, i) =>
      el("span", { class: "class-name" }, el("span", { class: "swatch", style: `background:${classCss(i)}` }), name),
    ),
  );
  $("brush-row").hidden = !isDrawn();
  $("plane").classList.toggle("drawing", isDrawn());
}

// Points drawn by hand.

function put(x, y) {
  const { spec } = app.run ?? { spec: app.waiting };
  begin({ ...spec, data: { ...spec.data, points: [...(spec.data.points ?? []), [x, y, app.brush]] } });
}

const EMPTY = { width: 2, derived: [], bounds: [[-1.2, 1.2], [-1.2, 1.2]], classes: ["0", "1"] };

function drawEmpty() {
  const points = app.waiting?.data.points ?? [];
  const part = {
    x: Float32Array.from(points.flatMap(([a, b]) => [a, b])),
    raw: points.map(([, , t]) => t),
    t: Int32Array.from(points.map(([, , t]) => t)),
  };
  plane.draw({ ...EMPTY, train: part, test: part }, [0, 1], new Float32Array(64 * 64), 1, { train: true, test: false });
}

const isDrawn = () => (app.waiting ?? app.run?.spec).data.kind === "drawn";

$("plane").addEventListener("pointerdown", (event) => {
  if (!isDrawn()) return;
  const [x, y] = plane.at(event, app.run?.data ?? EMPTY, [0, 1]);
  put(x, y);
});

const pen = { x: 0, y: 0 };
$("plane").addEventListener("keydown", (event) => {
  const move = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
  if (!isDrawn() || (!move && event.key !== " ")) return;
  event.preventDefault();
  if (move) [pen.x, pen.y] = [pen.x + move[0], pen.y + move[1]].map((v) => Math.max(-1, Math.min(1, v)));
  else put(pen.x, pen.y);
  $("said").textContent = `pen at ${number(pen.x, 2)}, ${number(pen.y, 2)}`;
});
for (const i of [0, 1]) $(`brush-${i}`).addEventListener("change", () => (app.brush = i));

// A table.

async function takeFile(file) {
  if (!file) return;
  try {
    if (file.size > 2_000_000) throw new Error("this file is larger than 2 MB: glassnet train takes it");
    const table = readTable(await file.text());
    const spec = app.run?.spec ?? start();
    begin({ ...spec, data: { ...spec.data, kind: "table", table, target: table.names.length - 1, share: 0.3 } });
  } catch (error) {
    problem(error.message);
  }
}

$("file").addEventListener("change", () => takeFile($("file").files[0]));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  takeFile(event.dataTransfer.files[0]);
});

// The controls.

const onClick = (id, act) => $(id).addEventListener("click", act);
onClick("start", () => setRunning(!app.running));
onClick("one-step", () => {
  setRunning(false);
  if (app.run) advance(1);
});
onClick("one-epoch", () => {
  setRunning(false);
  if (!app.run) return;
  const { epoch } = app.run.training;
  while (app.run.training.epoch === epoch && advance(1e6));
});
onClick("slow-motion", () => {
  setRunning(false);
  if (app.at !== null) branch();
  if (app.run) slow.begin(app.run);
});
onClick("again", () => app.run && begin(app.run.spec));
onClick("add-layer", addLayer);
onClick("remove-layer", removeLayer);
onClick("dismiss", () => problem(null));
onClick("branch", () => {
  branch();
  setRunning(true);
});
onClick("keep", () => {
  app.kept = app.kept ? null : keep(app.run.spec);
  if (app.kept) begin(app.run.spec);
  $("keep").setAttribute("aria-pressed", String(Boolean(app.kept)));
  $("keep").textContent = app.kept ? "Stop comparing" : "Compare with this";
  settle();
});
$("scrub").addEventListener("input", () => goBack(Number($("scrub").value)));
$("speed").addEventListener("input", saySpeed);
for (const [part, id] of Object.entries({ train: "show-train", test: "show-test", sharp: "sharp" }))
  $(id).addEventListener("change", () => {
    shown[part] = $(id).checked;
    dirty = true;
  });
$("log").addEventListener("change", () => {
  curves.log = $("log").checked;
  dirty = true;
});
for (const id of ["axis-x", "axis-y"])
  $(id).addEventListener("change", () => {
    app.run.look([Number($("axis-x").value), Number($("axis-y").value)]);
    axes();
    settle();
  });
$("code-section").addEventListener("toggle", () => (dirty = true));
// The landscape is made when it is first seen.
let bowl = null;
let directions = 1;
const look = () => app.run && $("landscape-section").open && drawSlice(app.run, directions);
$("landscape-section").addEventListener("toggle", () => {
  bowl ??= new Bowl(module);
  look();
});
onClick("slice-now", look);
onClick("slice-other", () => {
  directions++;
  look();
});
onTheme(look);
onClick("copy", async () => {
  writeCode();
  await navigator.clipboard.writeText($("code").textContent);
  $("copied").textContent = "copied";
});
onClick("link", async () => {
  const { spec, training } = app.run;
  const { data } = spec;
  const state = { spec: { ...spec, optimizer: training.begun }, log: training.log };
  if (data.kind === "table" && JSON.stringify(data.table).length > 30_000)
    return problem("this table is too large for an address: the link would be cut short");
  location.hash = toLink(state);
  $("copied-link").textContent = "The address of this page holds it now";
  await navigator.clipboard?.writeText(location.href).catch(() => {});
});

function saySpeed() {
  const speed = SPEEDS[$("speed").value];
  const words = speed === Infinity ? "all out" : `${count(speed)} step${speed > 1 ? "s" : ""} a second`;
  $("speed-value").textContent = words;
  $("speed").setAttribute("aria-valuetext", words);
  app.owed = 0;
  app.then = null;
}

/** Restore a link: the training is made again, which gives the same numbers. */
function restore() {
  const state = fromLink(location.hash);
  if (!state) return false;
  begin(completed(state.spec));
  if (!app.run) throw new Error("the address of this page holds no playground: it begins anew");
  for (const [what, value, given] of state.log ?? []) {
    if (what === "weight") app.run.training.move(value, given);
    else if (what === "set") {
      app.run.spec = { ...app.run.spec, optimizer: { ...app.run.spec.optimizer, ...value } };
      app.run.training.set(app.run.spec.optimizer);
    } else for (let left = value; left > 0; ) left -= advance(left) || left;
  }
  trainPanel(app.run.spec, app.run.data, change);
  settle();
  if (state.view) embed(state.view);
  return true;
}

/** Show only a part, within a page of the documentation. */
function embed(view) {
  document.body.dataset.view = view;
  if (view === "neuron") {
    diagram.pick(0, 0);
    showUnit();
    $("unit-card").open = true;
  }
  if (view === "bowl" || view === "slice") $("landscape-section").open = true;
  if (view === "code") $("code-section").open = true;
}

if ($("explorer")) takeToken(); // of the server, for the page that is linked
makeThemeSwitch();
onTheme(() => {
  legend();
  dirty = true;
});
new ResizeObserver(() => (dirty = true)).observe($("plane"));
saySpeed();
try {
  if (!restore()) begin(start());
} catch (error) {
  begin(start());
  problem(error.message);
}
requestAnimationFrame(frame);
document.body.dataset.ready = "true";
