/** Colours of classes and of surfaces: blue and orange as everywhere on these pages, and more for more classes. */

import { css, diverging, theme } from "glassnet/colour.js";

const MORE = {
  light: [[26, 130, 90], [130, 70, 160], [150, 120, 0], [190, 50, 110], [0, 130, 140], [110, 80, 50], [90, 90, 90], [60, 60, 190]],
  dark: [[110, 210, 160], [200, 150, 235], [225, 205, 90], [245, 135, 185], [90, 210, 220], [205, 165, 125], [180, 180, 180], [150, 155, 250]],
};

/** The colour [r, g, b] of a class. */
export function classColour(i) {
  if (i < 2) return diverging(i ? 1 : -1);
  const more = MORE[theme()];
  return more[(i - 2) % more.length];
}

/** 256 colours from -1 to 1, as the bytes of a picture's pixels. */
export function ramp() {
  return Uint32Array.from({ length: 256 }, (_, i) => pixel(diverging((i - 127.5) / 127.5)));
}

const pixel = ([r, g, b]) => ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;

const SURE = 0.6; // the colour of a sure answer: the points, which stand on it, have the full one

const place = (value) => Math.max(0, Math.min(255, Math.round(127.5 + 127.5 * value)));

/** Paint values in -1..1, or of this extent, into a picture of pixels. */
export function paint(pixels, values, colours, extent = 1, offset = 0, stride = 1) {
  for (let i = 0; i < pixels.length; i++) pixels[i] = colours[place(values[i * stride + offset] / extent)];
}

/** Paint the class that outputs say, the paler the less sure they are; or all alike, if it is to be sharp. */
export function paintClasses(pixels, outputs, width, colours, sharp) {
  const steep = sharp ? 1e9 : 1;
  if (width <= 2) {
    for (let i = 0; i < pixels.length; i++) {
      const score = width === 1 ? outputs[i] : outputs[2 * i + 1] - outputs[2 * i];
      pixels[i] = colours[place(Math.tanh((steep * score) / 2) * SURE)];
    }
    return;
  }
  const zero = diverging(0);
  const known = Array.from({ length: width }, (_, j) => classColour(j));
  for (let i = 0; i < pixels.length; i++) {
    let [best, sum] = [0, 0];
    const at = i * width;
    for (let j = 1; j < width; j++) if (outputs[at + j] > outputs[at + best]) best = j;
    for (let j = 0; j < width; j++) sum += Math.exp(outputs[at + j] - outputs[at + best]);
    const sure = sharp ? SURE : SURE * ((1 / sum - 1 / width) / (1 - 1 / width));
    pixels[i] = pixel(zero.map((v, c) => v + (known[best][c] - v) * sure));
  }
}

export const classCss = (i) => css(classColour(i));
