/** Where the row comes from: a drawing, an example, or a table's sliders; and the picture that the network gets. */

import { css, grey, onTheme } from "glassnet/colour.js";
import { $, el } from "glassnet/dom.js";
import { count } from "glassnet/format.js";
import { makePad } from "glassnet/input-draw.js";
import { makeTable, typicalRow } from "glassnet/input-table.js";
import { ask, on, setInput, shown } from "glassnet/model.js";

const PARTS = { train: "training", val: "validation", test: "test" };

let picks = 0; // of several answers under way, the newest question's counts

export async function makeInput() {
  const { network } = shown;
  const image = Boolean(network.image_shape);
  $("drawing").hidden = $("seen-figure").hidden = !image;
  $("sliders").hidden = image;
  if (image) makePad();
  else makeTable();
  const openOn = makeExamples();
  on("input", see);
  onTheme(see);
  if ($("part").value && (await openOn(network.opening))) return;
  setInput(image ? new Array(network.features.length).fill(0) : typicalRow(), { target: null });
}

/** The part and the row to take; returned is the function that takes one. */
function makeExamples() {
  let here = 0; // the row that was taken last, whatever the field says now
  const { rows } = shown.network;
  const parts = Object.keys(PARTS).filter((part) => rows[part]);
  $("part").append(...parts.map((part) => el("option", { value: part, selected: part === "test" }, PARTS[part])));
  const limit = () => {
    const last = (rows[$("part").value] ?? 1) - 1;
    $("row").max = last;
    $("row-of").textContent = `rows 0 to ${count(last)}`;
    return last;
  };
  const go = (row) => {
    const last = limit();
    const wrapped = row < 0 ? last : row > last ? 0 : row;
    $("row").value = here = wrapped;
    return pick($("part").value, wrapped);
  };
  const typed = () => {
    const row = Math.round($("row").valueAsNumber);
    const last = limit();
    go(Number.isNaN(row) ? here : Math.max(0, Math.min(last, row)));
    if (row > last) $("row-of").textContent = `${count(last)} is the last row`;
  };
  $("part").addEventListener("change", () => go(0));
  $("row").addEventListener("change", typed);
  $("previous").addEventListener("click", () => go(here - 1));
  $("next-row").addEventListener("click", () => go(here + 1));
  $("random").addEventListener("click", () => go(Math.floor(Math.random() * (limit() + 1))));
  const { mistakes } = shown.network;
  let next = 0;
  $("mistake").hidden = !mistakes.length;
  $("mistake").addEventListener("click", () => {
    $("part").value = ["test", "val", "train"].find((part) => rows[part]);
    go(mistakes[next++ % mistakes.length]);
  });
  $("example").hidden = !parts.length;
  limit();
  return go;
}

async function pick(part, row) {
  if (!shown.network.rows[part]) return null;
  const moment = performance.now();
  const mine = (picks += 1);
  const example = await ask("example", part, row);
  if (example && mine === picks) setInput(example.x, { part, row, target: example.target }, moment);
  return example;
}

/** What the network gets, pixel by pixel. */
function see() {
  const { network, x, part, row } = shown;
  const from = part
    ? `Row ${count(row)} of the ${PARTS[part]} part`
    : network.image_shape
      ? "Your drawing"
      : "Your row";
  $("origin").textContent = from;
  if (!network.image_shape) return;
  const [height, width] = network.image_shape;
  const canvas = $("seen");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  x.forEach((v, i) => {
    context.fillStyle = css(grey(v / network.image_maximum));
    context.fillRect(i % width, Math.floor(i / width), 1, 1);
  });
}
