/** The weights into one unit as a small picture, one pixel each. */

import { diverging } from "glassnet/colour.js";

/** Draw `values(i)` for each of height x width pixels on a canvas of its own, on a scale that ends at `largest`. */
export function picture(height, width, values, largest) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < height * width; i++) {
    image.data.set(diverging(values(i) / largest), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The column of W (pixels, units) into `unit`. */
export function weightImage({ shape, data }, unit, height, width, largest) {
  return picture(height, width, (i) => data[i * shape[1] + unit], largest);
}
