/** The network, layer by layer: each unit a cell in its value's colour, lines from what moves the chosen one most. */

import { extent } from "glassnet/colour.js";
import { $, el, svg } from "glassnet/dom.js";
import { expand, expanded } from "glassnet/expanded.js";
import { count, number, pixelWise, unitName } from "glassnet/format.js";
import { on, select, shown } from "glassnet/model.js";
import { UnitGrid } from "glassnet/unit-grid.js";
import { UnitList } from "glassnet/unit-list.js";

const LISTED = 16; // units, up to which a layer is a list with its numbers
const HEIGHT = 208; // pixels of a wide layer
const DEEP = 5; // layers, above which the network takes the width of two columns of the page
const LINES = 24; // terms of the chosen unit that are drawn as lines

const views = [];
let unfold = () => {}; // shows the layers that are folded, or folds them
let gradients = false; // colours show dL/dy instead of y

export function makeNetwork() {
  const { network } = shown;
  const columns = network.layers.map((layer) => {
    const view = layer.width <= LISTED ? list(layer) : grid(layer);
    views.push(view);
    const heading = el("h3", {}, el("span", { class: "index" }, String(layer.index)), layer.kind);
    const width = el("p", { class: "note" }, `${count(layer.width)} ${layer.width === 1 ? "unit" : "units"}`);
    const column = el("section", { class: "layer", title: layer.explained }, heading, width, view.element);
    const say = () => ($("layer-words").textContent = `${layer.index} ${layer.kind}: ${layer.explained}`);
    for (const name of ["pointerenter", "focusin"]) column.addEventListener(name, say);
    column.setAttribute("aria-label", `Layer ${layer.index}, ${layer.kind}: ${layer.explained}`);
    if (layer.width > LISTED || "W" in layer.parameters) column.append(expandButton(layer));
    return column;
  });
  $("layers").append(...columns);
  fold(columns);
  document.querySelector("main").classList.toggle("deep", columns.length > DEEP);
  $("colour-output").addEventListener("click", () => colourBy(false));
  $("colour-gradient").addEventListener("click", () => colourBy(true));
  on("forward", draw);
  on("select", () => (mark(), draw(), bringIntoView()));
  on("equation", lines);
  on("phase", () => colourBy(shown.phase === 2));
  addEventListener("resize", lines);
  new ResizeObserver(lines).observe($("layers"));
}

/** Show one column for all layers that prepare a table's row: what the first Dense gets. A button unfolds the others. */
function fold(columns) {
  const last = shown.network.prepared - 1;
  if (last < 1) return;
  const earlier = columns.slice(0, last);
  const button = el("button", { type: "button", class: "quiet", "aria-expanded": "false" });
  unfold = (open) => {
    for (const column of earlier) column.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    button.textContent = open ? "Fold the preparation" : `Show the ${last} before`;
    button.setAttribute("aria-label", `Layers 0 to ${last} prepare the row. ${button.textContent}`);
    lines();
  };
  button.addEventListener("click", () => unfold(earlier[0].hidden));
  columns[last].append(button);
  unfold(false);
}

function describe(layer) {
  return (unit) => {
    const value = views[layer.index].values?.[unit];
    const what = gradients ? "dL/dy" : "y";
    return `${unitName(shown.network, layer.index, unit)}: ${what} = ${number(value)}`;
  };
}

function list(layer) {
  const name = (unit) => unitName(shown.network, layer.index, unit).replace(/^(class|unit) /, "");
  const label = `Units of layer ${layer.index}, ${layer.kind}`;
  return new UnitList({
    units: layer.width,
    label,
    name,
    describe: describe(layer),
    pick: (unit) => select(layer.index, unit),
  });
}

function grid(layer) {
  const { network } = shown;
  const { image_shape: shape } = network;
  const image = shape && pixelWise(network, layer.index + 1);
  const columns = image ? shape[1] : layer.width <= 128 ? 8 : Math.ceil(Math.sqrt(layer.width / 2));
  const pitch = Math.floor(image ? 140 / columns : HEIGHT / Math.ceil(layer.width / columns));
  return new UnitGrid({
    units: layer.width,
    columns,
    cell: Math.max(2, Math.min(network.layers.length > DEEP ? 11 : 14, pitch - (image ? 0 : 1))),
    gap: image ? 0 : 1,
    label: `Units of layer ${layer.index}, ${layer.kind}: arrow keys move, Enter picks`,
    describe: describe(layer),
    pick: (unit) => select(layer.index, unit),
    open: () => expanded.layer !== layer.index && $(`expand-${layer.index}`).click(),
  });
}

function expandButton(layer) {
  const words = "W" in layer.parameters ? "All weights" : "All units";
  const button = el(
    "button",
    { type: "button", class: "quiet", "aria-expanded": "false", "aria-controls": "expanded" },
    words,
  );
  button.id = `expand-${layer.index}`;
  button.setAttribute("aria-label", `${words} of layer ${layer.index}`);
  button.addEventListener("click", () => {
    const open = expanded.layer !== layer.index;
    for (const other of document.querySelectorAll("#layers [aria-expanded]"))
      other.setAttribute("aria-expanded", "false");
    button.setAttribute("aria-expanded", String(open));
    expand(open ? layer.index : null);
  });
  return button;
}

function colourBy(gradient) {
  gradients = gradient && shown.phase >= 2;
  $("colour-output").setAttribute("aria-pressed", String(!gradients));
  $("colour-gradient").setAttribute("aria-pressed", String(gradients));
  $("colour-gradient").disabled = shown.phase < 2;
  $("gradient-hint").hidden = shown.phase >= 2;
  $("scale-what").textContent = gradients ? "gradient of the loss" : "output";
  draw();
}

function draw() {
  const layers = gradients ? shown.trace?.layers : shown.forward?.layers;
  if (!layers) return;
  layers.forEach((layer, i) => {
    const values = gradients ? layer.dy : layer.output;
    views[i].show(values, extent(values));
  });
}

function mark() {
  views.forEach((view, i) => view.mark(shown.selected?.layer === i ? shown.selected.unit : null));
  lines();
}

/** Scroll sideways, if the chosen unit's layer is out of sight. */
function bringIntoView() {
  const chosen = $("layers").children[shown.selected.layer];
  if (chosen.hidden) unfold(true);
  const column = chosen.getBoundingClientRect();
  const frame = $("network").getBoundingClientRect();
  if (column.left >= frame.left && column.right <= frame.right) return;
  $("network").scrollLeft += (column.left + column.right - frame.left - frame.right) / 2;
}

/** Lines to the chosen unit from the inputs whose products with their weights are the largest. */
function lines() {
  const drawing = $("lines");
  drawing.replaceChildren();
  const { selected, equation } = shown;
  if (!selected || !equation || equation.layer !== selected.layer || selected.layer === 0) return;
  if ($("layers").children[selected.layer - 1].hidden) return;
  const frame = drawing.getBoundingClientRect();
  const [toX, toY] = views[selected.layer].centre(selected.unit);
  const terms = equation.terms.length
    ? equation.terms.slice(0, LINES)
    : [{ input: selected.unit, product: equation.value }];
  const largest = extent(terms.map((term) => term.product));
  for (const { input, product } of terms.toReversed()) {
    if (!product || input >= shown.network.layers[selected.layer - 1].width) continue;
    const [x, y] = views[selected.layer - 1].centre(input);
    const [x0, y0, x1, y1] = [x - frame.left, y - frame.top, toX - frame.left, toY - frame.top];
    const bend = (x0 + x1) / 2;
    const share = Math.abs(product) / largest;
    drawing.append(
      svg("path", {
        d: `M${x0} ${y0}C${bend} ${y0} ${bend} ${y1} ${x1} ${y1}`,
        class: product < 0 ? "negative" : "positive",
        "stroke-width": 0.5 + 2 * share,
        "stroke-opacity": 0.25 + 0.6 * share,
      }),
    );
  }
}
