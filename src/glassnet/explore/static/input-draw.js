/** The pad to draw on: with a mouse, a finger, a pen, or the keyboard. */

import { onTheme, theme } from "glassnet/colour.js";
import { prepare } from "glassnet/digit.js";
import { $ } from "glassnet/dom.js";
import { on, setInput, shown } from "glassnet/model.js";

const SIDE = 280; // pixels of the drawing, whatever size it is shown in
const PEN = 22; // its width
const STEP = 14; // pixels that an arrow key moves the pen

const ink = document.createElement("canvas"); // the strokes, white on black; the pad shows them in the theme's colours
[ink.width, ink.height] = [SIDE, SIDE];
const strokes = ink.getContext("2d", { willReadFrequently: true });
const pen = { x: SIDE / 2, y: SIDE / 2, down: false, byKeys: false };

export function makePad() {
  const pad = $("pad");
  [pad.width, pad.height] = [SIDE, SIDE];
  Object.assign(strokes, {
    lineWidth: PEN,
    lineCap: "round",
    lineJoin: "round",
    strokeStyle: "#fff",
    fillStyle: "#000",
  });
  strokes.fillRect(0, 0, SIDE, SIDE);
  pad.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pad.setPointerCapture(event.pointerId);
    Object.assign(pen, { ...place(event), down: true, byKeys: false });
    stroke(pen.x, pen.y, event.timeStamp);
  });
  pad.addEventListener("pointermove", (event) => {
    if (!pen.down || pen.byKeys) return;
    for (const part of event.getCoalescedEvents?.() ?? []) trail(place(part));
    const { x, y } = place(event);
    stroke(x, y, event.timeStamp);
  });
  for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, () => (pen.down = false));
  pad.addEventListener("keydown", key);
  pad.addEventListener("keyup", (event) => event.key === " " && (pen.down = false));
  for (const name of ["focus", "blur"]) pad.addEventListener(name, show);
  $("clear").addEventListener("click", clear);
  onTheme(show);
  on("input", () => shown.part !== null && wipe()); // an example: the next stroke begins a new drawing
  show();
}

function wipe() {
  strokes.fillRect(0, 0, SIDE, SIDE);
  show();
}

function place(event) {
  const box = $("pad").getBoundingClientRect();
  return { x: ((event.clientX - box.left) / box.width) * SIDE, y: ((event.clientY - box.top) / box.height) * SIDE };
}

function key(event) {
  const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  pen.byKeys = true;
  if (event.key in moves) {
    const [dx, dy] = moves[event.key].map((v) => v * STEP);
    const [x, y] = [pen.x + dx, pen.y + dy].map((v) => Math.max(PEN / 2, Math.min(SIDE - PEN / 2, v)));
    if (pen.down || event.shiftKey) stroke(x, y, event.timeStamp);
    else Object.assign(pen, { x, y });
  } else if (event.key === " ") {
    pen.down = true;
    stroke(pen.x, pen.y, event.timeStamp);
  } else if (event.key === "Delete" || event.key === "Backspace") clear();
  else return;
  event.preventDefault();
  show();
}

function trail({ x, y }) {
  const dot = x === pen.x && y === pen.y; // a line of no length paints nothing, not even its round ends
  strokes.beginPath();
  strokes.moveTo(pen.x, pen.y);
  strokes.lineTo(dot ? x + 0.01 : x, y);
  strokes.stroke();
  Object.assign(pen, { x, y });
}

/** Draw from the pen to a point, and let the network see it; `moment` is when the hand moved. */
function stroke(x, y, moment) {
  trail({ x, y });
  show();
  const pixels = strokes.getImageData(0, 0, SIDE, SIDE).data;
  const drawing = new Float64Array(SIDE * SIDE);
  for (let i = 0; i < drawing.length; i++) drawing[i] = pixels[4 * i] / 255;
  const { image_shape: shape, image_maximum: maximum } = shown.network;
  const row = prepare(drawing, SIDE, SIDE, shape, maximum);
  if (row) setInput(row, { target: null }, moment);
}

function clear() {
  wipe();
  if (shown.part === null) setInput(new Array(shown.network.features.length).fill(0), { target: null });
}

/** The strokes in the theme's ink, and the pen's place while the keyboard is here. */
function show() {
  const pad = $("pad");
  const context = pad.getContext("2d");
  const dark = theme() === "dark";
  context.fillStyle = dark ? "#1f2225" : "#ffffff";
  context.fillRect(0, 0, SIDE, SIDE);
  Object.assign(context, {
    filter: dark ? "none" : "invert(1)",
    globalCompositeOperation: dark ? "lighten" : "darken",
  });
  context.drawImage(ink, 0, 0);
  Object.assign(context, { filter: "none", globalCompositeOperation: "source-over" });
  if (document.activeElement !== pad || !pad.matches(":focus-visible")) return;
  context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--accent");
  context.lineWidth = 2;
  context.beginPath();
  context.arc(pen.x, pen.y, PEN / 2, 0, 2 * Math.PI);
  context.stroke();
}
