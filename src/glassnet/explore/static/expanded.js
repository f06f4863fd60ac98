/** All units, or all weights, of one layer: weights of pixels as images, other weights as a table in colour. */

import { css, diverging, extent, onTheme, readableOn } from "glassnet/colour.js";
import { $, el, oneAtATime } from "glassnet/dom.js";
import { inputName, number, pixelWise, unitName } from "glassnet/format.js";
import { attempt, engine, on, select, selectWeight, shown } from "glassnet/model.js";
import { UnitGrid } from "glassnet/unit-grid.js";
import { weightImage } from "glassnet/weight-image.js";

export const expanded = { layer: null };
let view = null;
let weights = null;

export async function expand(index) {
  expanded.layer = index;
  view = null;
  $("expanded").hidden = index === null;
  if (index === null) return;
  const layer = shown.network.layers[index];
  const make = "W" in layer.parameters ? (ofImage(index) ? images : matrix) : units;
  $("expanded").replaceChildren();
  await load();
  if (expanded.layer !== index) return;
  const { title, note, grid } = make(layer);
  view = grid;
  $("expanded").append(
    el("h3", {}, title),
    el("p", { class: "note" }, note),
    el("div", { class: "scrolls" }, grid.element),
  );
  prepare();
}

const ofImage = (index) => shown.network.image_shape && pixelWise(shown.network, index);

async function load() {
  const { index, parameters } = shown.network.layers[expanded.layer];
  weights = "W" in parameters ? await attempt(engine.weights(`${index}.W`)) : null;
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
  grid.prepare = () => {
    const largest = extent(weights.data) * 0.6;
    tiles = Array.from({ length: layer.width }, (_, unit) => weightImage(weights, unit, height, width, largest));
  };
  return {
    title: `What each unit of layer ${layer.index} looks for`,
    note: "Each picture is one unit’s weights, pixel by pixel: ink on orange raises the unit, ink on blue lowers it.",
    grid,
  };
}

function matrix(layer) {
  const [rows, columns] = layer.parameters.W;
  const name = `${layer.index}.W`;
  const cell = Math.max(3, Math.min(18, Math.floor(600 / Math.max(columns, rows / 4))));
  const place = (k) => [Math.floor(k / columns), k % columns];
  const grid = new UnitGrid({
    units: rows * columns,
    columns,
    cell,
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
  return { title: `All units of layer ${layer.index}`, note: "Their outputs for the row on the screen.", grid };
}

/** Draw what depends on the weights and colours alone, then the rest. */
function prepare() {
  view?.prepare?.();
  update();
}

function update() {
  if (!view) return;
  const { index, parameters } = shown.network.layers[expanded.layer];
  const matrixShown = "W" in parameters && !ofImage(index);
  const values = matrixShown ? weights.data : shown.forward.layers[index].output;
  view.show(values, extent(values));
  const { selected } = shown;
  if (!matrixShown) view.mark(selected?.layer === index ? selected.unit : null);
}

const reload = oneAtATime(async () => {
  if (expanded.layer === null) return;
  await load();
  prepare();
});

on("forward", update);
on("select", update);
on("weights", reload);
on("phase", () => shown.phase === 3 && reload());
onTheme(prepare);
