/** A surface over two numbers as a map of bands, each a step of the same factor, with paths on it. */

import { css, diverging, grey, theme } from "glassnet/colour.js";

const FINE = 220; // pixels along each axis
const BANDS = 14;

export const PATHS = {
  light: ["#0b6e66", "#a03c94", "#b25000"],
  dark: ["#5cc8bb", "#e39ad9", "#fa9632"],
};

/** A map of values[row * n + column] on a canvas; the first row is at the top. Returns the lowest and the highest value. */
export function bands(canvas, values, n) {
  const finite = [...values].filter((v) => Number.isFinite(v) && v > 0);
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const span = Math.log(high / low) || 1;
  canvas.width = canvas.height = FINE;
  const context = canvas.getContext("2d");
  const image = context.createImageData(FINE, FINE);
  const pixels = new Uint32Array(image.data.buffer);
  const colours = Array.from({ length: BANDS + 1 }, (_, b) => {
    const [r, g, blue] = mix(b / BANDS);
    return ((255 << 24) | (blue << 16) | (g << 8) | r) >>> 0;
  });
  for (let y = 0; y < FINE; y++)
    for (let x = 0; x < FINE; x++) {
      const value = between(values, n, (x / (FINE - 1)) * (n - 1), (y / (FINE - 1)) * (n - 1));
      const band = Number.isFinite(value) ? Math.round((BANDS * Math.log(Math.max(value, low) / low)) / span) : BANDS;
      pixels[y * FINE + x] = colours[Math.min(BANDS, band)];
    }
  context.putImageData(image, 0, 0);
  return [low, high];
}

/** From the paper's colour, where the loss is low, to blue where it is high. */
const mix = (share) => diverging(-0.85 * share);

function between(values, n, x, y) {
  const [i, j] = [Math.min(n - 2, Math.floor(x)), Math.min(n - 2, Math.floor(y))];
  const [u, v] = [x - i, y - j];
  const at = (a, b) => values[b * n + a];
  return (
    (1 - u) * (1 - v) * at(i, j) + u * (1 - v) * at(i + 1, j) + (1 - u) * v * at(i, j + 1) + u * v * at(i + 1, j + 1)
  );
}

/** A path through places [x, y] in shares of the canvas, with a dot for each. */
export function path(canvas, places, colour, dots = true) {
  const context = canvas.getContext("2d");
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = 1.4;
  context.beginPath();
  for (const [x, y] of places) context.lineTo(x * FINE, y * FINE);
  context.stroke();
  for (const [x, y] of dots ? places : []) {
    context.beginPath();
    context.arc(x * FINE, y * FINE, 1.7, 0, 2 * Math.PI);
    context.fill();
  }
}

export function ball(canvas, [x, y]) {
  const context = canvas.getContext("2d");
  context.beginPath();
  context.arc(x * FINE, y * FINE, 5, 0, 2 * Math.PI);
  context.fillStyle = css(grey(1));
  context.strokeStyle = css(grey(0));
  context.lineWidth = 1.5;
  context.fill();
  context.stroke();
}

export const pathColour = (i) => PATHS[theme()][i];
