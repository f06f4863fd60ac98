/** The network as a drawing: a column for each Dense layer with the small map of each unit, and weights as lines. */

import { css, diverging, theme } from "glassnet/colour.js";
import { $, el } from "glassnet/dom.js";
import { number } from "glassnet/format.js";
import { Picture, SIDE, colours } from "glassnet/plane.js";
import { COLUMNS } from "glassnet/curve.js";
import { extent } from "glassnet/colour.js";
import { paint } from "glassnet/shades.js";
import { ACTIVATIONS, catalog, groups } from "glassnet/spec.js";

const MOST_UNITS = 16;
const SHOWN = 12; // units of a layer that have room on the drawing

/** What a column of units may ask for: the page answers. */
export class Diagram {
  constructor(actions) {
    this.actions = actions;
    this.columns = [];
    this.selected = null; // {group, unit}
    this.flow = null; // what is shown in slow motion: {values, changes}
    new ResizeObserver(() => this.measure()).observe($("columns"));
  }

  /** Make the columns for a spec and its data. */
  build(spec, data, net) {
    this.net = net;
    this.data = data;
    const width = catalog.layers.Dense.width_out;
    const inputs = data.features.slice(0, SHOWN).map((name, i) => this.#unit(-1, i, name, net));
    const parts = groups(spec.layers);
    this.columns = [{ units: inputs, all: data.width }];
    const made = [this.#column(el("div", { class: "head" }, el("h3", {}, "Inputs"), el("p", { class: "note" }, rest(data.width))), inputs)];
    parts.forEach((indices, g) => {
      const last = g === parts.length - 1;
      const layer = spec.layers[indices[0]];
      const n = layer[width];
      const units = Array.from({ length: Math.min(n, SHOWN) }, (_, u) => {
        const name = last ? (data.classes && n > 1 ? data.classes[u] : data.target) : `${u + 1}`;
        return this.#unit(g, u, name, net);
      });
      this.columns.push({ units, all: n, layer: indices.at(-1), weights: indices[0] });
      made.push(this.#column(this.#head(spec, indices, g, n, last), units));
    });
    $("columns").replaceChildren(...made);
    this.measure();
  }

  #column = (head, units) => el("div", { class: "column" }, head, el("div", { class: "column-units" }, ...units.map((u) => u.element)));

  #head(spec, indices, g, n, last) {
    const { actions } = this;
    const name = last ? "Output" : `Layer ${g + 1}`;
    const title = el(
      "button",
      { class: "quiet title", type: "button", onclick: () => actions.choose(g), "aria-label": `${name}: its settings` },
      name,
    );
    if (last) return el("div", { class: "head" }, title, el("p", { class: "note" }, rest(n)));
    const step = (sign, delta) =>
      el("button", {
        type: "button", class: "small", "aria-label": `${name}: ${delta > 0 ? "one unit more" : "one unit less"}`,
        disabled: n + delta < 1 || n + delta > MOST_UNITS, onclick: () => actions.units(g, n + delta),
      }, sign);
    const acts = indices.find((i) => ACTIVATIONS.includes(spec.layers[i].type));
    const select = el("select", { "aria-label": `${name}: activation`, onchange: () => actions.activation(g, select.value) });
    for (const type of ["none", ...ACTIVATIONS]) select.append(el("option", { value: type }, type === "none" ? "linear" : type));
    select.value = acts === undefined ? "none" : spec.layers[acts].type;
    const more = indices.slice(1).filter((i) => i !== acts).map((i) => spec.layers[i].type);
    return el(
      "div",
      { class: "head" },
      title,
      el("div", { class: "stepper" }, step("−", -1), el("span", {}, String(n)), step("+", 1)),
      select,
      el("p", { class: "note extra" }, more.join(", ")),
    );
  }

  #unit(group, unit, name, net) {
    const picture = new Picture();
    const value = el("span", { class: "unit-number" });
    const element = el(
      "button",
      {
        type: "button", class: "neuron", onclick: () => this.actions.pick(group, unit),
        "aria-label": group < 0 ? `input ${name}` : `layer ${group + 1}, unit ${unit + 1}`,
      },
      picture.canvas,
      el("span", { class: "unit-label" }, name),
      value,
    );
    return { element, picture, value, group, unit };
  }

  /** Draw each unit's map from all layers' outputs on the grid. */
  maps(outputs, rows, flat) {
    const known = colours();
    this.columns.forEach(({ units, layer, all }, c) => {
      const values = c ? outputs[layer] : rows;
      const stride = c ? all : this.data.width;
      for (const { picture, unit } of units) {
        if (flat) drawLine(picture, values, unit, stride);
        else {
          const low = c ? 0 : this.data.bounds[unit].reduce((a, b) => (a + b) / 2);
          paintShifted(picture.pixels, values, known, unit, stride, low);
          picture.show();
        }
      }
    });
  }

  /** Note where the units are, for the lines between them: to ask in every frame would take long. */
  measure() {
    const canvas = $("wires");
    const box = canvas.getBoundingClientRect();
    this.scale = Math.min(devicePixelRatio, 2);
    Object.assign(canvas, { width: Math.round(box.width * this.scale), height: Math.round(box.height * this.scale) });
    for (const { units } of this.columns)
      for (const unit of units) {
        const icon = unit.picture.canvas.getBoundingClientRect();
        const y = (icon.top + icon.height / 2 - box.top) * this.scale;
        unit.left = [(icon.left - box.left) * this.scale, y];
        unit.right = [(icon.right - box.left) * this.scale, y];
      }
    this.lines();
  }

  /** Draw the weights; in slow motion what flows along them. */
  lines() {
    const canvas = $("wires");
    if (!this.net || !canvas.width) return;
    const { scale } = this;
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    for (let c = 1; c < this.columns.length; c++) {
      const [from, to] = [this.columns[c - 1], this.columns[c]];
      const layer = this.net.layers[to.weights];
      const W = this.flow?.weights?.(layer) ?? this.net.values(layer.parameters[0]);
      const most = extent(W);
      const ends = to.units.map((unit) => unit.left);
      from.units.forEach((unit, i) => {
        const [x0, y0] = unit.right;
        ends.forEach(([x1, y1], j) => {
          const value = W[i * layer.n_out + j] / most;
          const picked = this.selected && this.selected.group === c - 1 && this.selected.unit === j;
          context.beginPath();
          context.moveTo(x0, y0);
          context.bezierCurveTo((x0 + x1) / 2, y0, (x0 + x1) / 2, y1, x1, y1);
          context.lineWidth = scale * (0.3 + 3.2 * Math.abs(value));
          context.globalAlpha = (picked ? 0.35 : 0.15) + 0.7 * Math.abs(value);
          context.strokeStyle = css(diverging(value < 0 ? -1 : 1));
          context.stroke();
        });
      });
    }
    context.globalAlpha = 1;
  }

  /** Show numbers beside units, or none: `values(column, unit)`. */
  numbers(values) {
    $("net").classList.toggle("numbered", Boolean(values));
    this.columns.forEach(({ units }, c) => {
      for (const { value, unit } of units) value.textContent = values ? number(values(c, unit), 3) : "";
    });
    this.measure();
  }

  pick(group, unit) {
    this.selected = { group, unit };
    this.columns.forEach(({ units }) =>
      units.forEach((u) => u.element.setAttribute("aria-pressed", String(u.group === group && u.unit === unit))),
    );
    this.lines();
  }

  /** Point at units for a moment: those that a finding speaks of. */
  unpoint() {
    document.querySelectorAll(".pointed").forEach((element) => element.classList.remove("pointed"));
  }

  point(group, units) {
    this.unpoint();
    const column = this.columns[group + 1];
    for (const u of column?.units ?? []) if (!units || units.includes(u.unit)) u.element.classList.add("pointed");
    column?.units[units?.[0] ?? 0]?.element.scrollIntoView({ block: "center" });
  }
}

const rest = (n) => (n > SHOWN ? `${SHOWN} of ${n}` : String(n));

function paintShifted(pixels, values, known, unit, stride, middle) {
  let most = 1e-9;
  for (let i = 0; i < pixels.length; i += 7) most = Math.max(most, Math.abs(values[i * stride + unit] - middle));
  if (middle === 0) paint(pixels, values, known, most, unit, stride);
  else paint(pixels, values.map((v) => v - middle), known, most, unit, stride);
}

/** A unit's value along the only input. */
function drawLine(picture, values, unit, stride) {
  const { context } = picture;
  context.fillStyle = css(diverging(0));
  context.fillRect(0, 0, SIDE, SIDE);
  let most = 1e-9;
  for (let i = 0; i < COLUMNS; i++) most = Math.max(most, Math.abs(values[i * stride + unit]));
  context.beginPath();
  for (let i = 0; i < COLUMNS; i += 4)
    context.lineTo((i / COLUMNS) * SIDE, SIDE / 2 - (0.42 * SIDE * values[i * stride + unit]) / most);
  context.lineWidth = 4;
  context.strokeStyle = theme() === "dark" ? "#ebedef" : "#1d1f21";
  context.stroke();
}
