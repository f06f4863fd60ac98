/** The losses of glassnet.nn once more, for one row: each gives its value and dL/dy. */

import { softmax } from "glassnet/layers.js";

/** A mean over the entries of a row of `f(y - t)`, whose derivative is `slope(y - t)`. */
const ofDifference = (f, slope) => (y, t) => {
  const difference = y.map((v, i) => v - (t.length ? t[i] : t));
  return {
    value: difference.reduce((sum, d) => sum + f(d), 0) / y.length,
    dy: difference.map((d) => slope(d) / y.length),
  };
};

function crossEntropy(config) {
  const smoothing = config.label_smoothing ?? 0;
  return (y, t) => {
    const p = softmax(y);
    const largest = Math.max(...y);
    const total = Math.log(y.reduce((sum, v) => sum + Math.exp(v - largest), 0)) + largest;
    const q = y.map((_, i) => (i === t ? 1 - smoothing : 0) + smoothing / y.length);
    return { value: total - q.reduce((sum, v, i) => sum + v * y[i], 0), dy: p.map((v, i) => v - q[i]) };
  };
}

function binaryCrossEntropy() {
  return (y, t) => ({
    value: y.reduce((sum, v) => sum + Math.max(v, 0) - v * t + Math.log1p(Math.exp(-Math.abs(v))), 0) / y.length,
    dy: y.map((v) => (1 / (1 + Math.exp(-v)) - t) / y.length),
  });
}

const clip = (v, limit) => Math.max(-limit, Math.min(limit, v));

export const LOSSES = {
  CrossEntropy: crossEntropy,
  BinaryCrossEntropy: binaryCrossEntropy,
  MSE: () =>
    ofDifference(
      (d) => d * d,
      (d) => 2 * d,
    ),
  MAE: () => ofDifference(Math.abs, Math.sign),
  Huber: ({ delta }) =>
    ofDifference(
      (d) => (Math.abs(d) <= delta ? (d * d) / 2 : delta * (Math.abs(d) - delta / 2)),
      (d) => clip(d, delta),
    ),
};

/** The loss of outputs and target in standard units, as training takes it if the network ends in Unstandardize. */
export const inStandardUnits =
  (loss, { mean, scale }) =>
  (y, t) => {
    const { value, dy } = loss(
      y.map((v) => (v - mean[0]) / scale[0]),
      (t - mean[0]) / scale[0],
    );
    return { value, dy: dy.map((d) => d / scale[0]) };
  };
