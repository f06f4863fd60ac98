/** A unit's value as a formula and with the numbers in it, in the words of gn.trace(...).equation. */

import { decode } from "glassnet/encoding.js";

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

function dense(layer, x, value, u) {
  const [W, b] = [layer.arrays.W.data, layer.arrays.b.data];
  const inOrder = Array.from(x, (xi, input) => {
    const w = W[input * b.length + u];
    return { input, x: xi, w, product: xi * w };
  });
  const terms = inOrder.toSorted((a, c) => Math.abs(c.product) - Math.abs(a.product));
  const bias = b[u];
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

/** What a letter stands for: the input or output at the unit's place, else the layer's array or setting of that name. */
function letter(layer, name, x, y, u) {
  if (name === "x" || name === "y") return [`${name}[${u}]`, (name === "x" ? x : y)[u]];
  if (name in layer.config) return [name, layer.config[name]];
  const values = layer.arrays[name].data;
  return values.length > 1 ? [`${name}[${u}]`, values[u]] : [name, values[0]];
}

/** A template of nn/written.py with the names of its letters, and with their numbers. */
function fill(template, known) {
  const write = (what) => template.replace(/\{([+-]?)(\w+)(\*?)\}/g, (_, sign, name, star) => what(sign, star, ...known(name)));
  return [
    write((sign, star, name) => (sign ? ` ${sign} ${name}` : name)),
    write((sign, star, _, v) => (sign ? plus(sign === "+" ? v : -v) : star ? factor(v) : n(v))),
  ];
}

/** The letters of a formula that are no array and no setting of the layer: [name, value] by letter. `net` has the functions. */
const LETTERS = {
  GELU: (net, layer, x, y, u) => ({ P: [`P(x[${u}])`, net.normal(x[u])] }),
  Dropout: (net, layer, x, y, u) => ({ mask: [`mask[${u}]`, 1] }), // nothing is dropped where one only looks
  GaussianNoise: (net, layer, x, y, u) => ({ noise: [`noise[${u}]`, 0] }),
  QuantileNormalize: (net, layer, x, y, u) => ({ share: [`F(x[${u}])`, net.normal(y[u])] }),
  RobustScale(net, { step }, x, y, u) {
    const [median, scale] = step.array.map((array) => decode(array).data[u]);
    return { z: ["z", scale * (x[u] - median)] };
  },
  Softmax(net, layer, x, y) {
    const m = Math.max(...x);
    return { m: ["m", m], total: ["sum over j of exp(x[j] - m)", 1 / Math.max(...y)] }; // the largest y is exp(0) / total
  },
  BatchNorm(net, { kernel }, x, y, u) {
    const [mean, variance] = kernel.array.map((array) => decode(array).data[u]);
    return { mean: ["running_mean", mean], var: ["running_var", variance] };
  },
  LayerNorm(net, layer, x) {
    const mean = sum(x) / x.length;
    return { mean: ["mean of the row", mean], var: ["its var", sum(x.map((v) => (v - mean) ** 2)) / x.length] };
  },
};

/** The equation of one unit of a layer, whose input is `x` and whose output `y`. */
export function equation(net, layer, x, y, unit) {
  const value = y[unit];
  if (layer.type === "Dense") return dense(layer, x, value, unit);
  let [written, note] = ["", layer.note];
  if (layer.formula) {
    const own = LETTERS[layer.type]?.(net, layer, x, y, unit) ?? {};
    written = fill(layer.formula, (name) => own[name] ?? letter(layer, name, x, y, unit)).join(" = ") + " = ";
  } else note = "“glassnet explore” writes the formula of this unit, this page only its value";
  return { text: `y[${unit}] = ${written}${n(value)}${note ? ` (${note})` : ""}`, terms: [], bias: null, value };
}
