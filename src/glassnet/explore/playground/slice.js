/**
 * A slice of the network's loss: along two random directions from its present weights, each as long for every unit as that
 * unit's own weights. (Li et al. 2018, "Visualizing the loss landscape of neural nets", section 4)
 */

import { ball, bands, path, pathColour } from "glassnet/contour.js";
import { $ } from "glassnet/dom.js";
import { number } from "glassnet/format.js";
import { random } from "glassnet/toy.js";

const SIDE = 41; // points along each axis
const REACH = 1; // of the length of the weights themselves

/** A direction for all weights: for each unit's weights of their own length, and 0 for biases and normalisation. */
export function direction(net, seed) {
  const rng = random(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - rng())) * Math.cos(2 * Math.PI * rng());
  const found = new Float32Array(net.size);
  for (const layer of net.layers)
    for (const p of layer.parameters) {
      if (!p.decayed) continue;
      const [W, d] = [net.values(p), found.subarray(p.begin, p.begin + p.size)];
      for (let i = 0; i < p.size; i++) d[i] = normal();
      for (let c = 0; c < p.columns; c++) {
        let [own, drawn] = [0, 0];
        for (let i = c; i < p.size; i += p.columns) [own, drawn] = [own + W[i] ** 2, drawn + d[i] ** 2];
        for (let i = c; i < p.size; i += p.columns) d[i] *= Math.sqrt(own / drawn);
      }
    }
  return found;
}

/** The training loss on the slice, row by row from the top. The weights stay as they are. */
export function slice(run, directions) {
  const { net } = run.training;
  const { weights } = net;
  const before = weights.slice();
  const values = new Float64Array(SIDE * SIDE);
  for (let k = 0; k < values.length; k++) {
    const a = REACH * ((2 * (k % SIDE)) / (SIDE - 1) - 1);
    const b = REACH * (1 - (2 * Math.floor(k / SIDE)) / (SIDE - 1));
    for (let i = 0; i < weights.length; i++) weights[i] = before[i] + a * directions[0][i] + b * directions[1][i];
    values[k] = net.score(run.data.train).loss;
  }
  weights.set(before);
  return values;
}

/** Draw the slice around the present weights, and the way that led there, as far as it lies near. */
export function drawSlice(run, seed) {
  const { net } = run.training;
  const directions = [direction(net, seed), direction(net, seed + 1000)];
  const values = slice(run, directions);
  const canvas = $("slice");
  const [low, high] = bands(canvas, values, SIDE);
  const now = net.weights.slice();
  const along = (theta, d) => {
    let [dot, size] = [0, 0];
    for (let i = 0; i < d.length; i++) [dot, size] = [dot + (theta[i] - now[i]) * d[i], size + d[i] * d[i]];
    return dot / (size || 1);
  };
  const way = [...run.training.snapshots.values()]
    .filter(({ epoch }) => epoch <= run.training.epoch)
    .map(({ theta }) => directions.map((d) => along(theta, d)))
    .map(([a, b]) => [(a / REACH + 1) / 2, (1 - b / REACH) / 2]);
  path(canvas, [...way, [0.5, 0.5]], pathColour(1), false);
  ball(canvas, [0.5, 0.5]);
  $("slice-words").textContent =
    `The ball is the network now: its loss is ${number(run.training.scores(run.data.train).loss, 3)}. ` +
    `On this slice the loss goes from ${number(low, 3)} to ${number(high, 3)}. The line is the way that led here.`;
  return values;
}
