/** The plane of two inputs: what the network says everywhere, and the points that it learns from and is tested on. */

import { diverging, css, theme } from "glassnet/colour.js";
import { extended } from "glassnet/dataset.js";
import { classCss, paint, paintClasses, ramp } from "glassnet/shades.js";

export const SIDE = 64; // points of the grid, along each axis: SIDE * SIDE rows are answered at once

/** The rows of a grid over two of the inputs; the others are at their mean. */
export function grid(data, axes) {
  const rows = new Float32Array(SIDE * SIDE * data.width);
  const middle = data.standardize?.mean ?? Array(data.width).fill(0);
  const [a, b] = axes.map((j) => data.bounds[j]);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [column, row] = [i % SIDE, Math.floor(i / SIDE)];
    for (let j = 0; j < data.width; j++) rows[i * data.width + j] = middle[j];
    rows[i * data.width + axes[0]] = a[0] + ((column + 0.5) / SIDE) * (a[1] - a[0]);
    rows[i * data.width + axes[1]] = b[1] - ((row + 0.5) / SIDE) * (b[1] - b[0]);
    if (data.derived.length) rows.set(extended([rows[i * data.width], rows[i * data.width + 1]], data.derived), i * data.width);
  }
  return rows;
}

/** A small picture of SIDE x SIDE numbers that a canvas shows larger. */
export class Picture {
  constructor() {
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = SIDE;
    this.context = this.canvas.getContext("2d");
    this.image = this.context.createImageData(SIDE, SIDE);
    this.pixels = new Uint32Array(this.image.data.buffer);
  }

  show() {
    this.context.putImageData(this.image, 0, 0);
  }
}

let known = { theme: null };

/** The colours of a surface in the present theme. */
export function colours() {
  if (known.theme !== theme()) known = { theme: theme(), ramp: ramp() };
  return known.ramp;
}

export class Plane {
  constructor(canvas) {
    this.canvas = canvas;
    this.picture = new Picture();
    this.extent = 1;
  }

  /** Fit the canvas to its place on the screen, in the screen's own pixels. */
  fit() {
    const size = Math.round(this.canvas.clientWidth * Math.min(devicePixelRatio, 2)) || 320;
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    return size;
  }

  draw(data, axes, outputs, width, shown) {
    const size = this.fit();
    const context = this.canvas.getContext("2d");
    const { picture } = this;
    if (data.classes) paintClasses(picture.pixels, outputs, width, colours(), shown.sharp);
    else paint(picture.pixels, outputs, colours(), 1.2 * this.#extent(data));
    picture.show();
    context.imageSmoothingQuality = "high";
    context.drawImage(picture.canvas, 0, 0, size, size);
    if (shown.test) this.#points(context, data, axes, data.test, size, true);
    if (shown.train) this.#points(context, data, axes, data.train, size, false);
  }

  #extent = (data) => data.train.t.reduce((most, t) => Math.max(most, Math.abs(t)), 1e-9);

  /** Training points are filled, those of the test part are rings. */
  #points(context, data, axes, part, size, ring) {
    const [[a0, a1], [b0, b1]] = axes.map((j) => data.bounds[j]);
    const radius = size / (part.t.length > 400 ? 130 : 92);
    const most = data.classes ? 1 : this.#extent(data);
    const paper = css(diverging(0));
    for (let i = 0; i < part.t.length; i++) {
      const x = ((part.x[i * data.width + axes[0]] - a0) / (a1 - a0)) * size;
      const y = ((b1 - part.x[i * data.width + axes[1]]) / (b1 - b0)) * size;
      const colour = data.classes ? classCss(part.raw[i]) : css(diverging(part.t[i] / most));
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.lineWidth = size / (ring ? 130 : 300);
      context.fillStyle = ring ? paper : colour;
      context.strokeStyle = ring ? colour : paper;
      context.fill();
      context.stroke();
    }
  }

  /** The inputs at a place on the screen. */
  at(event, data, axes) {
    const box = this.canvas.getBoundingClientRect();
    const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    const [[a0, a1], [b0, b1]] = axes.map((j) => data.bounds[j]);
    return [a0 + u * (a1 - a0), b1 - v * (b1 - b0)];
  }
}
