/** A unit's value as a formula and with the numbers in it, in the words of gn.trace(...).equation. */

import { normal } from "glassnet/layers.js";

const WRITTEN = 6; // products of a sum that are written out; of more, the largest

/** A number as Python's "%.4g" writes it. */
function n(value) {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value < 0 ? "-inf" : "inf";
  const [mantissa, exponent] = value.toExponential(3).split("e").map(Number);
  if (exponent >= -4 && exponent < 4) return String(Number(value.toPrecision(4)));
  return `${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

const factor = (value) => (value < 0 ? `(${n(value)})` : n(value));
const plus = (value) => (value < 0 ? ` - ${n(-value)}` : ` + ${n(value)}`);
const sum = (values) => values.reduce((a, b) => a + b, 0);
const of = (array, i) => array[array.length === 1 ? 0 : i];

function dense(layer, x, value, u) {
  const { W, b } = layer.parameters;
  const width = b.value.length;
  const inOrder = Array.from(x, (xi, input) => {
    const w = W.value[input * width + u];
    return { input, x: xi, w, product: xi * w };
  });
  const terms = inOrder.toSorted((a, c) => Math.abs(c.product) - Math.abs(a.product));
  const bias = b.value[u];
  const written = terms.length <= WRITTEN ? inOrder : terms.slice(0, WRITTEN);
  const names = written.map(({ input }) => `x[${input}] W[${input},${u}]`);
  const products = written.map((term) => `${factor(term.x)}*${factor(term.w)}`);
  const more = terms.length - written.length;
  if (more) {
    const what = `... ${more.toLocaleString("en")} more term${more > 1 ? "s" : ""}`;
    names.push(what);
    products.push(`(${what} = ${n(sum(terms.slice(WRITTEN).map(({ product }) => product)))})`);
  }
  const formula = [...names, `b[${u}]`].join(" + ");
  return { text: `y[${u}] = ${formula} = ${products.join(" + ")}${plus(bias)} = ${n(value)}`, terms, bias, value };
}

/** Of the other layers: (layer, unit, input, all inputs, name of the input) to [formula, numbers, note if need be]. */
const FORMULAS = {
  ReLU: (_, u, x, all, name) => [`max(${name}, 0)`, `max(${n(x)}, 0)`],
  LeakyReLU: ({ config: { slope } }, u, x, all, name) => [
    `(${name} if ${name} > 0 else ${n(slope)} ${name})`,
    x > 0 ? n(x) : `${n(slope)}*${factor(x)}`,
  ],
  Sigmoid: (_, u, x, all, name) => [`1 / (1 + exp(-${name}))`, `1 / (1 + exp(${n(-x)}))`],
  Tanh: (_, u, x, all, name) => [`tanh(${name})`, `tanh(${n(x)})`],
  GELU: (layer, u, x, all, name) => [
    `${name} P(${name})`,
    `${factor(x)}*${n(normal(x))}`,
    "P is the distribution function of N(0, 1)",
  ],
  SiLU: (_, u, x, all, name) => [`${name} / (1 + exp(-${name}))`, `${n(x)} / (1 + exp(${n(-x)}))`],
  Dropout: (_, u, x, all, name) => [`${name} mask[${u}]`, `${factor(x)}*1`, "at rate 0 nothing is dropped"],
  GaussianNoise: (_, u, x, all, name) => [`${name} + noise[${u}]`, `${n(x)}${plus(0)}`, "at std 0 nothing is added"],
  Softmax: (_, u, x, all, name) => {
    const m = Math.max(...all);
    const total = sum(all.map((v) => Math.exp(v - m)));
    return [
      `exp(${name} - m) / sum over j of exp(x[j] - m)`,
      `exp(${n(x)}${plus(-m)}) / ${n(total)}`,
      "m is the row's largest x",
    ];
  },
  Standardize: ({ mean, scale }, u, x, all, name) => [
    `(${name} - mean) / scale`,
    `(${n(x)}${plus(-of(mean, u))}) / ${n(of(scale, u))}`,
  ],
  Unstandardize: ({ mean, scale }, u, x, all, name) => [
    `mean + scale ${name}`,
    `${n(of(mean, u))} + ${n(of(scale, u))}*${factor(x)}`,
  ],
  QuantileNormalize: (layer, u, x, all, name) => [
    `Q(F(${name}))`,
    `Q(F(${n(x)})) = Q(${n(normal(layer.forward(all)[u]))})`,
    "F is the share of training rows below, Q the quantile of N(0, 1)",
  ],
  BatchNorm: (layer, u, x, all, name) => [
    `gamma[${u}] (${name} - running_mean) / sqrt(running_var + eps) + beta[${u}]`,
    affine(layer, u, x, layer.running_mean[u], layer.running_var[u]),
  ],
  LayerNorm: (layer, u, x, all, name) => {
    const mean = sum(all) / all.length;
    const formula = `gamma[${u}] (${name} - mean) / sqrt(var + eps) + beta[${u}]`;
    const numbers = affine(layer, u, x, mean, sum(all.map((v) => (v - mean) ** 2)) / all.length);
    return [formula, numbers, "mean and var are those of the row"];
  },
};

function affine({ parameters: { gamma, beta }, config }, u, x, mean, variance) {
  const normalized = `(${n(x)}${plus(-mean)}) / sqrt(${n(variance)} + ${n(config.eps)})`;
  return `${factor(gamma.value[u])}*${normalized}${plus(beta.value[u])}`;
}

/** The equation of one unit of a layer, whose input is `x` and whose output `y`. */
export function equation(layer, x, y, unit) {
  const [kind, value] = [layer.constructor.name, y[unit]];
  if (kind === "Dense") return dense(layer, x, value, unit);
  const [formula, numbers, note] = FORMULAS[kind](layer, unit, x[unit], Array.from(x), `x[${unit}]`);
  const text = `y[${unit}] = ${formula} = ${numbers} = ${n(value)}${note ? ` (${note})` : ""}`;
  return { text, terms: [], bias: null, value };
}
