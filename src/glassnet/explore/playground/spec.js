/**
 * What a playground is made of, as JSON: data, layers, loss, optimizer and so on, all by the library's own names and with
 * its own defaults; and the address that holds it.
 */

import { TOYS } from "glassnet/toy.js";

export const catalog = JSON.parse(document.getElementById("catalog").textContent);

/** One of the library's objects with its defaults: {type, ...arguments}. */
export function made(kind, type, given = {}) {
  const facts = catalog[kind][type];
  return { type, ...Object.fromEntries(facts.arguments.map((a) => [a.name, a.default])), ...given };
}

export const dense = (units) => made("layers", "Dense", { [catalog.layers.Dense.width_out]: units });
const activated = (units) => [dense(units), made("layers", "ReLU")];

/** Activations: layers that only change values one by one. */
export const ACTIVATIONS = Object.entries(catalog.layers)
  .filter(([, f]) => !f.noise && !f.width_in && !f.width_out && !Object.keys(f.parameters).length)
  .map(([name]) => name);

export const start = () => ({
  data: { kind: "moons", n: 300, noise: 0.1, share: 0.3, seed: 1 },
  layers: [...activated(8), ...activated(8), dense(2)],
  loss: made("losses", "CrossEntropy"),
  optimizer: made("optimizers", "Adam", { lr: 0.01 }),
  schedule: made("schedules", "Constant"),
  epochs: 200,
  batch_size: 10,
  seed: 2, // none of its units is dead
});

/** A spec of which only some is said: the rest is as at the start, and arguments have the library's defaults. */
export function completed(given) {
  const whole = { ...start(), ...given };
  for (const kind of ["loss", "optimizer", "schedule"])
    whole[kind] = made(kind === "loss" ? "losses" : `${kind}s`, whole[kind].type, whole[kind]);
  whole.data = { ...start().data, ...whole.data };
  whole.layers = whole.layers.map((layer) => made("layers", layer.type, layer));
  return whole;
}

/** Change the last layer and the loss so that they fit the data; what fits stays. */
export function fitted(spec, { classes }) {
  const task = classes ? "classification" : "regression";
  const loss =
    catalog.losses[spec.loss.type].task === task && !(classes?.length > 2 && spec.loss.type !== "CrossEntropy")
      ? spec.loss
      : made("losses", classes ? "CrossEntropy" : "MSE");
  const units = loss.type === "CrossEntropy" ? classes.length : 1;
  const layers = spec.layers.map((layer) => ({ ...layer }));
  const last = layers.findLastIndex((layer) => layer.type === "Dense");
  layers.length = last + 1; // the loss takes scores as they are
  layers[last][catalog.layers.Dense.width_out] = units;
  return { ...spec, loss, layers };
}

/** The layers in groups: each Dense with what follows it. */
export function groups(layers) {
  const found = [];
  layers.forEach((layer, i) => {
    if (layer.type === "Dense" || !found.length) found.push([]);
    found.at(-1).push(i);
  });
  return found;
}

const encode = (text) =>
  btoa(String.fromCharCode(...new TextEncoder().encode(text)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
const decode = (text) =>
  new TextDecoder().decode(Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0)));

/** The fragment of an address that restores this state: training is repeated, as equal seeds make equal numbers. */
export const toLink = (state) => `#${encode(JSON.stringify(state))}`;

/** The state in a fragment, or null if there is none. Raises an Error for one that was cut short. */
export function fromLink(fragment) {
  if (fragment.length < 2) return null;
  try {
    return JSON.parse(decode(fragment.slice(1)));
  } catch {
    throw new Error("the address of this page was cut short: the playground begins anew");
  }
}
