/** Many numbers as a small picture, one pixel each. */

import { diverging } from "glassnet/colour.js";

const SHADES = 255; // of either sign

/** Fill a canvas with `value(i)` for each of height x width pixels, as colours on a scale that ends at `largest`. */
export function fill(canvas, height, width, value, largest) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  const shades = Array.from({ length: 2 * SHADES + 1 }, (_, k) => diverging(k / SHADES - 1));
  for (let i = 0; i < height * width; i++) {
    const share = Math.max(-1, Math.min(1, value(i) / largest));
    const [r, g, b] = shades[Math.round(SHADES * (1 + share))] ?? diverging(NaN);
    image.data[4 * i] = r;
    image.data[4 * i + 1] = g;
    image.data[4 * i + 2] = b;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** The column of W (pixels, units) into `unit`, on a canvas of its own. */
export function weightImage({ shape, data }, unit, height, width, largest) {
  const canvas = document.createElement("canvas");
  fill(canvas, height, width, (i) => data[i * shape[1] + unit], largest);
  return canvas;
}
