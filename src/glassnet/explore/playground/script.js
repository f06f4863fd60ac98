/** "This view as code": the lines of Python that make the same data and network, and train it in the same way. */

import { catalog } from "glassnet/spec.js";

const literal = (value) =>
  value === null ? "None"
  : value === true ? "True"
  : value === false ? "False"
  : Array.isArray(value) ? `(${value.map(literal).join(", ")})`
  : typeof value === "string" ? JSON.stringify(value)
  : String(value);

/** A call of the library: only arguments that aren't the default are written. */
function call(kind, { type, ...given }, first = []) {
  const known = catalog[kind][type].arguments;
  const words = known
    .filter(({ name, default: usual, required }) => required || JSON.stringify(given[name]) !== JSON.stringify(usual))
    .map(({ name }) => `${name}=${literal(given[name])}`);
  return `gn.${type}(${[...first, ...words].join(", ")})`;
}

function layerCall(layer) {
  const { facts, n_in, n_out, type, ...given } = layer;
  const widths = [facts.width_in && n_in, facts.width_out && n_out].filter(Boolean);
  return call("layers", { type, ...given }, widths);
}

/** Numbers as text that Python reads back to the same bits. */
function numbers(values) {
  let bytes = "";
  for (const byte of new Uint8Array(values.buffer, values.byteOffset, values.byteLength)) bytes += String.fromCharCode(byte);
  return btoa(bytes);
}

const array = (values, type, shape) => `array("${numbers(values)}", "${type}")${shape}`;

export function script({ spec, data, training }) {
  const { width, task, classes, features, target } = data;
  const label = classes ? ["<i4", Int32Array] : ["<f8", Float64Array];
  const part = (name, { x, raw }) => [
    `${name} = gn.Split(`,
    `    ${array(x, "<f4", `.reshape(-1, ${width})`)},`,
    `    ${array(label[1].from(raw), label[0], classes ? ".astype(int)" : "")},`,
    ")",
  ];
  const layers = training.net.layers.map(layerCall);
  if (data.standardize) layers.unshift("gn.Standardize()");
  if (data.unit) layers.push("gn.Unstandardize()");
  const lines = [
    "import base64",
    "",
    "import numpy as np",
    "",
    "import glassnet as gn",
    "",
    "",
    "def array(text, dtype):",
    "    return np.frombuffer(base64.b64decode(text), dtype)",
    "",
    "",
    ...part("train", data.train),
    ...part("test", data.test),
    `none = gn.Split(np.empty((0, ${width}), "f4"), np.empty(0${classes ? ", int" : ""}))`,
    `data = gn.Dataset(${literal(spec.data.kind)}, train, test, none, ${literal(task)}, ${tuple(classes ?? [])},`,
    `                  ${tuple(features)}, None, ${literal(target)})`,
    "",
    `net = gn.Network([${layers.join(", ")}], seed=${spec.seed})`,
    `loss = ${call("losses", spec.loss)}`,
    `optimizer = ${call("optimizers", training.begun)}`,
  ];
  const parts = data.test.t.length ? ["train", "val"] : ["train"];
  const scores = `print(${parts.map((name) => `gn.evaluate(net, data.${name}, loss)`).join(", ")})`;
  return [...lines, ...how({ spec, training }), scores, ""].join("\n");
}

const tuple = (values) => `(${values.map((v) => `${literal(v)},`).join(" ")})`;

/** The training itself: `fit` for whole epochs, or step by step as far as the page has gone. */
function how({ spec, training }) {
  const plain = training.log.every(([what]) => what === "train");
  const scheduled = spec.schedule.type !== "Constant";
  const same = `batch_size=${spec.batch_size}, seed=${spec.seed}`;
  const whole = training.place === 0 && (!scheduled || [0, spec.epochs].includes(training.epoch));
  if (plain && whole) {
    const epochs = scheduled ? spec.epochs : Math.max(1, training.epoch);
    const schedule = scheduled ? `, schedule=${call("schedules", spec.schedule)}` : "";
    return [
      ...(training.step ? [] : ["# In the page, training hasn't begun."]),
      `history = gn.fit(net, data, loss, optimizer, epochs=${epochs}, ${same}${schedule}, restore_best=False)`,
    ];
  }
  const lines = ["from glassnet.explore import Course", "", `course = Course(net, data, loss, optimizer, ${same}, epochs=${spec.epochs})`];
  if (scheduled) lines.push(`course.run.schedule = ${call("schedules", spec.schedule)}`);
  for (const [what, value, given] of training.log) {
    if (what === "train") lines.push(`for _ in range(${value}):`, "    course.step()");
    else if (what === "weight") lines.push(`net.theta[${value}] = ${literal(given)}`);
    else for (const [name, given] of Object.entries(value)) lines.push(`optimizer.${name} = ${literal(given)}`);
  }
  return lines;
}
