/** One input: the curve that the network draws through the points, and the places where its units bend it. */

import { css, diverging, theme } from "glassnet/colour.js";

export const COLUMNS = 512;

/** Rows along the only input. */
export function line(data) {
  const [low, high] = data.bounds[0];
  return Float32Array.from({ length: COLUMNS }, (_, i) => low + (i / (COLUMNS - 1)) * (high - low));
}

const ink = () => (theme() === "dark" ? "#ebedef" : "#1d1f21");

export class Curve {
  constructor(canvas) {
    this.canvas = canvas;
  }

  fit() {
    const size = Math.round(this.canvas.clientWidth * Math.min(devicePixelRatio, 2)) || 320;
    if (this.canvas.width !== size) this.canvas.width = this.canvas.height = size;
    return size;
  }

  /** bends: the columns at which a unit turns on or off. */
  draw(data, outputs, bends, shown) {
    const size = this.fit();
    const context = this.canvas.getContext("2d");
    const [low, high] = data.bounds[0];
    const most = 1.3 * Math.max(...data.train.t.map(Math.abs), ...data.test.t.map(Math.abs), 0.1);
    const toX = (x) => ((x - low) / (high - low)) * size;
    const toY = (y) => ((most - y) / (2 * most)) * size;
    context.fillStyle = css(diverging(0));
    context.fillRect(0, 0, size, size);
    context.strokeStyle = theme() === "dark" ? "#33373b" : "#d9d9d4";
    context.lineWidth = 1;
    context.strokeRect(-1, toY(0), size + 2, 0);
    context.globalAlpha = 0.55;
    for (const column of bends) {
      const x = (column / (COLUMNS - 1)) * size;
      context.beginPath();
      context.setLineDash([size / 110, size / 80]);
      context.moveTo(x, 0);
      context.lineTo(x, size);
      context.strokeStyle = ink();
      context.stroke();
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    for (const [part, ring] of [[shown.test && data.test, true], [shown.train && data.train, false]]) {
      if (!part) continue;
      for (let i = 0; i < part.t.length; i++) {
        context.beginPath();
        context.arc(toX(part.x[i]), toY(part.t[i]), size / 100, 0, 2 * Math.PI);
        context.fillStyle = ring ? css(diverging(0)) : css(diverging(1));
        context.strokeStyle = ring ? css(diverging(1)) : css(diverging(0));
        context.lineWidth = size / 240;
        context.fill();
        context.stroke();
      }
    }
    context.beginPath();
    for (let i = 0; i < COLUMNS; i++) context.lineTo((i / (COLUMNS - 1)) * size, toY(outputs[i]));
    context.lineWidth = size / 110;
    context.strokeStyle = css(diverging(-1));
    context.stroke();
  }
}

/** The columns where a value of a layer that has a kink at 0 changes its sign. */
export function kinks(layers, outputs) {
  const found = [];
  layers.forEach((layer, l) => {
    if (!["ReLU", "LeakyReLU"].includes(layers[l + 1]?.type)) return;
    const n = layer.n_out;
    for (let u = 0; u < n; u++)
      for (let i = 1; i < COLUMNS; i++)
        if (outputs[l][(i - 1) * n + u] > 0 !== outputs[l][i * n + u] > 0) found.push(i);
  });
  return found;
}
