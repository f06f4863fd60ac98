/** A drawing made into the image that a network was trained on, as glassnet.data.image does with a photo. */

const BOX = 20 / 28; // share of the side that MNIST's digits fill
const TIGHT = 20; // pixels; smaller images are filled without a margin
const TEXTURE = 0.2; // ink below this share is paper

/** The rows and columns that hold ink: [first, end). */
function bounds(ink, width, height) {
  let [left, right, top, bottom] = [width, 0, height, 0];
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      if (ink[i] === 0) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x + 1)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y + 1)];
    }
  }
  return { left, right, top, bottom };
}

/** Weights with which each of `to` pixels averages its part of `from`: a triangle as wide as two new pixels. */
function triangles(from, to) {
  const scale = from / to;
  const support = Math.max(scale, 1);
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.floor(centre - support + 0.5));
    const end = Math.min(from, Math.floor(centre + support + 0.5));
    const weights = [];
    for (let k = first; k < end; k++) weights.push(Math.max(0, 1 - Math.abs((k - centre + 0.5) / support)));
    const total = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((w) => w / total) };
  });
}

/** Resize rows of `from` values to rows of `to`; called twice, with the result turned, it resizes an image. */
function resizeTurned(values, rows, from, to) {
  const turned = new Float64Array(rows * to);
  triangles(from, to).forEach(({ first, weights }, i) => {
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += weights[k] * values[row * from + first + k];
      turned[i * rows + row] = sum;
    }
  });
  return turned;
}

/** Python's round: halves go to the even neighbour. */
function round(v) {
  const floor = Math.floor(v);
  if (v - floor !== 0.5) return Math.round(v);
  return floor % 2 ? floor + 1 : floor;
}

/** Where a digit of `size` begins along one axis, so that its centre of mass is in the middle of `side`. */
function corner(mass, side, half) {
  const total = mass.reduce((a, b) => a + b, 0);
  const centre = mass.reduce((sum, m, i) => sum + m * i, 0) / total;
  return Math.max(0, Math.min(side - mass.length, round(side / 2 - half - centre)));
}

/** Turn ink 0..1 of a drawing (width x height) into a row of whole numbers 0..maximum; null if there is no ink. */
export function prepare(drawing, width, height, [rows, columns], maximum) {
  const ink = drawing.map((v) => (v < TEXTURE ? 0 : v));
  const { left, right, top, bottom } = bounds(ink, width, height);
  if (right <= left) return null;
  const [cropWidth, cropHeight] = [right - left, bottom - top];
  const crop = new Float64Array(cropWidth * cropHeight);
  for (let y = 0; y < cropHeight; y++)
    for (let x = 0; x < cropWidth; x++) crop[y * cropWidth + x] = ink[(top + y) * width + left + x];

  const box = Math.min(rows, columns) >= TIGHT ? BOX : 1;
  const scale = Math.min((box * rows) / cropHeight, (box * columns) / cropWidth);
  const [h, w] = [Math.max(1, round(scale * cropHeight)), Math.max(1, round(scale * cropWidth))];
  const small = resizeTurned(resizeTurned(crop, cropHeight, cropWidth, w), w, cropHeight, h); // (h, w) again
  const darkest = small.reduce((a, b) => Math.max(a, b), 0);

  const half = Math.min(rows, columns) >= TIGHT ? 0 : 0.5; // MNIST's own centre lies half a pixel beyond the middle
  const rowMass = Array.from({ length: h }, (_, y) => small.subarray(y * w, (y + 1) * w).reduce((a, b) => a + b, 0));
  const columnMass = Array.from({ length: w }, (_, x) => rowMass.reduce((sum, _, y) => sum + small[y * w + x], 0));
  const [y0, x0] = [corner(rowMass, rows, half), corner(columnMass, columns, half)];
  const image = new Array(rows * columns).fill(0);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) image[(y0 + y) * columns + x0 + x] = round((small[y * w + x] / darkest) * maximum);
  return image;
}
