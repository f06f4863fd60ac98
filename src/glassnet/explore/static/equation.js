/** A unit's value as a sum or formula with the numbers in it, as gn.trace(...).equation gives it. */

import { softmax } from "glassnet/layers.js";

const WRITTEN = 4; // terms of a long sum that are written out

const n = (value) => String(Number(value.toPrecision(4)));
const bracketed = (value) => (value < 0 ? `(${n(value)})` : n(value));
const signed = (value) => (value < 0 ? ` - ${n(-value)}` : ` + ${n(value)}`);

function dense(layer, x, y, unit) {
  const { W, b } = layer.parameters;
  const width = b.value.length;
  const terms = Array.from(x, (value, input) => {
    const w = W.value[input * width + unit];
    return { input, x: value, w, product: value * w };
  }).sort((a, c) => Math.abs(c.product) - Math.abs(a.product));
  const bias = b.value[unit];
  const written = terms.slice(0, WRITTEN).map((term) => `${n(term.x)}·${bracketed(term.w)}`);
  const rest = terms.slice(WRITTEN).reduce((sum, term) => sum + term.product, 0);
  const more = terms.length > WRITTEN ? `${signed(rest)} (${terms.length - WRITTEN} more terms)` : "";
  const text = `y[${unit}] = ${written.join(" + ")}${more}${signed(bias)} (bias) = ${n(y[unit])}`;
  return { text, terms, bias, value: y[unit] };
}

const FORMULAS = {
  ReLU: (_, x) => `max(${n(x)}, 0)`,
  LeakyReLU: (layer, x) => (x > 0 ? n(x) : `${layer.config.slope} · ${n(x)}`),
  Sigmoid: (_, x) => `1 / (1 + exp(-(${n(x)})))`,
  Tanh: (_, x) => `tanh(${n(x)})`,
  GELU: (_, x) => `${n(x)} · P(N(0, 1) < ${n(x)})`,
  SiLU: (_, x) => `${n(x)} / (1 + exp(-(${n(x)})))`,
  Dropout: (_, x) => n(x),
  Softmax: (_, x, all) => `exp(${n(x)}) / sum of all exp = ${n(softmax(all)[all.indexOf(x)])}`,
  Standardize: (layer, x, _, i) => `(${n(x)} - ${n(pick(layer.mean, i))}) / ${n(pick(layer.scale, i))}`,
  Unstandardize: (layer, x, _, i) => `${n(pick(layer.mean, i))} + ${n(pick(layer.scale, i))} · ${n(x)}`,
  QuantileNormalize: (_, x) => `normal quantile of the share of training rows below ${n(x)}`,
  BatchNorm: affine,
  LayerNorm: affine,
};

const pick = (array, i) => array[array.length === 1 ? 0 : i];

function affine(layer, x, _, i) {
  const { gamma, beta } = layer.parameters;
  return `${n(gamma.value[i])} · ${n(layer.xHat[i])}${signed(beta.value[i])}`;
}

export function equation(layer, x, y, unit) {
  const kind = layer.constructor.name;
  if (kind === "Dense") return dense(layer, x, y, unit);
  const text = `y[${unit}] = ${FORMULAS[kind](layer, x[unit], Array.from(x), unit)} = ${n(y[unit])}`;
  return { text, terms: [], bias: null, value: y[unit] };
}
