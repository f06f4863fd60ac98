/** All units, or all weights, of one layer: weights of pixels as images, other weights as a table in colour. */

import { css, diverging, extent, onTheme, readableOn } from "glassnet/colour.js";
import { $, coarse, el, oneAtATime } from "glassnet/dom.js";
import { inputName, number, pixelWise, unitName } from "glassnet/format.js";
import { ask, on, select, selectWeight, shown } from "glassnet/model.js";
import { UnitGrid } from "glassnet/unit-grid.js";
import { weightImage } from "glassnet/weight-image.js";

export const expanded = { layer: null };
let view = null; // {grid, draw(fresh)}: what is drawn; `fresh`: the weights are others than before
let weights = null; // of the layer that is expanded

export async function expand(index) {
  close();
  expanded.layer = index;
  $("expanded").hidden = index === null;
  if (index === null || !(await load())) return;
  close(); // what an earlier answer has drawn
  const layer = shown.network.layers[index];
  const make = weights ? (ofImage(index) ? images : matrix) : units;
  const { title, note, ...made } = make(layer);
  view = made;
  const box = el("div", { class: "scrolls" }, view.grid.element);
  $("expanded").append(el("h3", {}, title), el("p", { class: "note" }, note), box);
  view.draw(true);
  mark();
  if (coarse()) $("expanded").scrollIntoView({ block: "nearest" });
}

function close() {
  view?.grid.close();
  view = null;
  $("expanded").replaceChildren();
}

const ofImage = (index) => shown.network.image_shape && pixelWise(shown.network, index);

/** Fetch the weights of the expanded layer, if it has any; true if they came, and the layer still is the same. */
async function load() {
  const index = expanded.layer;
  const wanted = "W" in shown.network.layers[index].parameters;
  const found = wanted ? await ask("weights", `${index}.W`) : null;
  if (expanded.layer !== index || (wanted && !found)) return false;
  weights = found;
  return true;
}

/** How many cells fit beside each other. */
const fitting = (pitch) => Math.max(1, Math.floor(($("expanded").clientWidth - 20) / pitch));

function images(layer) {
  const [height, width] = shown.network.image_shape;
  const size = width < 20 ? 48 : 2 * width;
  let tiles = [];
  const grid = new UnitGrid({
    units: layer.width,
    columns: fitting(size + 4),
    cell: size,
    gap: 4,
    label: `Weights into each unit of layer ${layer.index}, as images`,
    describe: (unit) => `unit ${unit}: y = ${number(grid.values[unit])}`,
    pick: (unit) => select(layer.index, unit),
    paint: (context, unit, x, y, cell) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(tiles[unit], x, y, cell, cell);
    },
  });
  const draw = (fresh) => {
    grid.values = shown.forward.layers[layer.index].output;
    grid.word();
    if (!fresh) return; // the pictures are of the weights alone
    const largest = extent(weights.data) * 0.6;
    tiles = Array.from({ length: layer.width }, (_, unit) => weightImage(weights, unit, height, width, largest));
    grid.draw();
  };
  return {
    title: `What each unit of layer ${layer.index} looks for`,
    note: "Each picture is one unit’s weights, pixel by pixel: ink on orange raises the unit, ink on blue lowers it.",
    grid,
    draw,
  };
}

function matrix(layer) {
  const [rows, columns] = layer.parameters.W;
  const name = `${layer.index}.W`;
  const cell = coarse() ? 24 : Math.max(3, Math.min(18, Math.floor(600 / Math.max(columns, rows / 4))));
  const place = (k) => [Math.floor(k / columns), k % columns];
  const grid = new UnitGrid({
    units: rows * columns,
    columns,
    cell,
    gap: 0,
    label: `Weights of layer ${layer.index}: a row for each input, a column for each unit`,
    describe: (k) => {
      const [i, j] = place(k);
      const [from, to] = [inputName(shown.network, layer.index, i), unitName(shown.network, layer.index, j)];
      return `weight from ${from} to ${to}: ${number(grid.values[k])}`;
    },
    pick: (k) => {
      const [i, j] = place(k);
      select(layer.index, j);
      selectWeight(name, [i, j]);
    },
  });
  return {
    title: `The weights of layer ${layer.index}`,
    note: "A row for each input, a column for each unit: orange above 0, blue below.",
    grid,
    ofWeights: true,
    draw: (fresh) => fresh && grid.show(weights.data, extent(weights.data)),
  };
}

function units(layer) {
  const grid = new UnitGrid({
    units: layer.width,
    columns: fitting(46),
    cell: 44,
    gap: 2,
    label: `All units of layer ${layer.index}`,
    describe: (unit) => `${unitName(shown.network, layer.index, unit)}: y = ${number(grid.values[unit])}`,
    pick: (unit) => select(layer.index, unit),
    paint: (context, unit, x, y, cell) => {
      const colour = diverging(grid.values[unit] / grid.largest);
      context.fillStyle = css(colour);
      context.fillRect(x, y, cell, cell);
      context.fillStyle = readableOn(colour);
      context.font = "11px system-ui, sans-serif";
      context.textAlign = "center";
      context.fillText(number(grid.values[unit], 2), x + cell / 2, y + cell / 2 + 4);
    },
  });
  const draw = () => {
    const { output } = shown.forward.layers[layer.index];
    grid.show(output, extent(output));
  };
  return { title: `All units of layer ${layer.index}`, note: "Their outputs for the row on the screen.", grid, draw };
}

/** Put the ring where the choice is: a unit, or in a table of weights a weight. */
function mark() {
  if (!view) return;
  const { selected, weight } = shown;
  const { index, parameters } = shown.network.layers[expanded.layer];
  if (view.ofWeights) {
    const here = weight?.name === `${index}.W`;
    view.grid.mark(here ? weight.index[0] * parameters.W[1] + weight.index[1] : null);
  } else view.grid.mark(selected?.layer === index ? selected.unit : null);
}

const reload = oneAtATime(async () => {
  if (expanded.layer !== null && (await load())) view?.draw(true);
});

on("forward", () => view?.draw(false));
on("select", mark);
on("weight", mark);
on("weights", reload);
on("phase", () => shown.phase === 3 && reload());
onTheme(() => view?.draw(true));
