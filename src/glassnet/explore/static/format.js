/** Numbers as text. */

/** Four significant digits, with a true minus sign; very large and very small ones in powers of ten. */
export function number(value, digits = 4) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value < 0 ? "−∞" : "∞";
  const size = Math.abs(value);
  let text;
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) {
    const [mantissa, exponent] = value.toExponential(Math.min(digits, 3) - 1).split("e");
    text = `${Number(mantissa)}e${Number(exponent)}`;
  } else if (size >= 10 ** digits) text = Math.round(value).toLocaleString("en");
  else text = String(Number(value.toPrecision(digits)));
  return text.replaceAll("-", "−");
}

/** A probability as a percentage: a network is never wholly sure, even if the number is rounded to 1 or 0. */
export function percent(share) {
  const value = 100 * share;
  if (value > 99.9) return ">99.9%";
  if (value < 0.1) return "<0.1%";
  return `${value.toFixed(1)}%`;
}

export const count = (value) => value.toLocaleString("en");

export const plural = (value, word) => `${count(value)} ${word}${value === 1 ? "" : "s"}`;

/** The name of what goes into a layer at position `i`. */
export function inputName(network, layer, i) {
  if (network.image_shape && pixelWise(network, layer)) {
    const columns = network.image_shape[1];
    return `pixel ${Math.floor(i / columns)}, ${i % columns}`;
  }
  if (network.features && pixelWise(network, layer)) return network.features[i];
  return `unit ${i}`;
}

/** Whether the inputs of a layer still are the row's own values, one by one. */
export function pixelWise(network, layer) {
  const before = network.layers.slice(0, layer);
  return before.every((l) => ["Standardize", "QuantileNormalize"].includes(l.kind));
}

/** The name of a unit: the class's for the last layer, a feature's or pixel's for preprocessing. */
export function unitName(network, layer, unit) {
  const last = layer === network.layers.length - 1;
  if (last && network.task === "classification" && network.classes.length === network.layers[layer].width)
    return `class ${network.classes[unit]}`;
  if (last && network.task === "regression") return network.target;
  if (pixelWise(network, layer + 1)) return inputName(network, layer + 1, unit);
  return `unit ${unit}`;
}
