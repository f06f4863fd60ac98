/** The network inside the page: the interface of engine-remote.js, computed here, for a page without a server. */

import { codeFor } from "glassnet/code-local.js";
import { equation } from "glassnet/equation.js";
import { LAYERS, softmax } from "glassnet/layers.js";
import { LOSSES, inStandardUnits } from "glassnet/losses.js";
import { Optimizer } from "glassnet/optimizer.js";

const STEPS = [1e-3, 1e-4, 1e-5]; // as glassnet's own gradient check: smaller ones where a larger one meets a kink
const TOLERANCE = 1e-6;
const WHY_NOT =
  "This page stands alone: it holds a few examples, not the training data. Live training needs “glassnet explore”.";

/** Decode an array: {shape, f32 or f64: base64 of its little-endian numbers}. */
export function decode({ shape, f32, f64 }) {
  const text = atob(f32 ?? f64);
  const view = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i++) view.setUint8(i, text.charCodeAt(i));
  const data = new Float64Array(text.length / (f32 ? 4 : 8));
  for (let i = 0; i < data.length; i++) data[i] = f32 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
  return { shape, data };
}

const norm = (values) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0));
const copyOf = (values) => Array.from(values);

export class LocalEngine {
  constructor(page) {
    this.page = page;
    this.kinds = page.network.layers.map(({ kind }) => kind);
    this.layers = page.layers.map(({ config, arrays, formula, note }, i) => {
      const decoded = Object.entries(arrays).map(([name, array]) => [name, decode(array)]);
      return Object.assign(new LAYERS[this.kinds[i]](config, Object.fromEntries(decoded)), { formula, note });
    });
    const loss = LOSSES[page.loss.name](page.loss.config);
    this.loss = page.standard_units ? inStandardUnits(loss, this.layers.at(-1)) : loss;
    this.optimizer = new Optimizer(page.optimizer);
    this.parameters = {};
    this.layers.forEach((layer, i) => {
      for (const [name, parameter] of Object.entries(layer.parameters)) this.parameters[`${i}.${name}`] = parameter;
    });
    this.loaded = Object.values(this.parameters).map(({ value }) => value.slice());
    this.steps = 0;
  }

  async network() {
    const { network, examples } = this.page;
    const rows = examples.length ? { [examples[0].part]: examples.length } : {};
    return { ...network, rows, can_train: false, why_not: WHY_NOT, embedded: true };
  }

  async example(part, row) {
    const example = this.page.examples[row];
    if (!example) throw new Error(`this page holds the examples 0 to ${this.page.examples.length - 1}`);
    return example;
  }

  async forward(x) {
    const layers = this.run(x).map((output, index) => ({ index, output: copyOf(output) }));
    return { layers, ...this.answer(layers.at(-1).output), by_hand: this.steps > 0 };
  }

  async weights(name) {
    const { shape, value } = this.parameters[name];
    return { shape, data: value };
  }

  async equation(x, layer, unit) {
    const outputs = this.run(x);
    const input = layer ? outputs[layer - 1] : Float64Array.from(x);
    return equation(this.layers[layer], input, outputs[layer], unit);
  }

  async trace(x, target, apply) {
    const { outputs, loss, slopes } = this.learn(x, target);
    const kept = apply ? null : this.keep();
    const before = Object.values(this.parameters).map(({ value }) => value.slice());
    this.optimizer.step(this.parameters);
    const parameters = {};
    Object.entries(this.parameters).forEach(([name, { shape, value, gradient }], k) => {
      const update = norm(value.map((v, i) => v - before[k][i]));
      parameters[name] = { shape, gradient_norm: norm(gradient), update_ratio: update / (norm(before[k]) || 1) };
    });
    const after = this.lossOf(x, target);
    if (kept) this.restore(kept);
    else this.steps += 1;
    const layers = outputs.map((output, index) => ({
      index,
      kind: this.kinds[index],
      output: copyOf(output),
      ...slopes[index],
    }));
    return { layers, parameters, loss, loss_after: after, ...this.answer(outputs.at(-1)) };
  }

  async parameter(x, target, name, unit) {
    this.learn(x, target);
    const kept = this.keep();
    const { shape, value, gradient } = this.parameters[name];
    const column = (values) => {
      const [rows, width] = shape.length === 2 ? shape : [1, shape[0]];
      return Array.from({ length: rows }, (_, i) => values[i * width + unit]);
    };
    const before = column(value);
    this.optimizer.step(this.parameters);
    const memory = this.optimizer.memory(name);
    const result = { before, gradient: column(gradient), velocity: memory && column(memory), after: column(value) };
    this.restore(kept);
    return result;
  }

  async check(x, target, name, index) {
    this.learn(x, target);
    const { shape, value, gradient } = this.parameters[name];
    const place = shape.length === 2 ? index[0] * shape[1] + index[1] : index[0];
    const [analytic, before, here] = [gradient[place], value[place], this.sides()];
    let best = null;
    for (const step of STEPS) {
      const h = step * Math.max(1, Math.abs(before));
      let smooth = true;
      const [m2, m1, p1, p2] = [-2, -1, 1, 2].map((k) => {
        value[place] = before + k * h;
        const loss = this.lossOf(x, target);
        smooth &&= this.sides() === here;
        return loss;
      });
      value[place] = before;
      if (!smooth) continue;
      const numeric = (8 * (p1 - m1) - (p2 - m2)) / (12 * h);
      const size = Math.max(Math.abs(analytic), Math.abs(numeric), 1e-4);
      const error = Math.abs(analytic - numeric) / size;
      if (!best || error < best.relative_error)
        best = { numeric, relative_error: error, h, loss_plus: p1, loss_minus: m1 };
    }
    const found = best ?? { numeric: null, relative_error: null, h: null, loss_plus: null, loss_minus: null };
    return { analytic, ...found, passed: best !== null && best.relative_error <= TOLERANCE, at_kink: best === null };
  }

  async train(action) {
    if (action !== "reset") throw new Error(WHY_NOT);
    Object.values(this.parameters).forEach(({ value }, i) => value.set(this.loaded[i]));
    this.optimizer.reset();
    this.steps = 0;
    return this.progress();
  }

  async settings({ lr, momentum }) {
    if (lr !== undefined) this.optimizer.config.lr = lr;
    if (momentum !== undefined && "momentum" in this.optimizer.config) this.optimizer.config.momentum = momentum;
    return { lr: this.optimizer.config.lr, momentum: this.optimizer.config.momentum ?? null };
  }

  async progress() {
    const nothing = { loss: [], epochs: [], snapshots: [], findings: [] };
    return { running: false, step: this.steps, epoch: 0, steps_per_epoch: 0, at: null, ...nothing };
  }

  async code(view, shown) {
    const { lr, momentum } = this.optimizer.config;
    return { code: codeFor(this.page, view, shown, { steps: this.steps, lr, momentum }) };
  }

  /** The output of every layer. */
  run(x) {
    let y = Float64Array.from(x);
    return this.layers.map((layer) => (y = layer.forward(y)));
  }

  /** Forward, loss and backward: every gradient is filled afterwards. */
  learn(x, target) {
    const outputs = this.run(x);
    const { value, dy: last } = this.loss(outputs.at(-1), target);
    const slopes = [];
    let dy = Float64Array.from(last);
    for (let i = this.layers.length - 1; i >= 0; i--) {
      const local = this.layers[i].local();
      const dx = this.layers[i].backward(dy);
      slopes[i] = { dy: copyOf(dy), dx: copyOf(dx), local: local && copyOf(local) };
      dy = dx;
    }
    return { outputs, loss: value, slopes };
  }

  lossOf(x, target) {
    return this.loss(this.run(x).at(-1), target).value;
  }

  sides() {
    return this.layers
      .flatMap((layer) => layer.sides())
      .map(Number)
      .join("");
  }

  /** What a step would change, to put it back. */
  keep() {
    return {
      values: Object.values(this.parameters).map(({ value }) => value.slice()),
      optimizer: this.optimizer.copy(),
    };
  }

  restore({ values, optimizer }) {
    Object.values(this.parameters).forEach(({ value }, i) => value.set(values[i]));
    this.optimizer = optimizer;
  }

  /** What outputs say: probabilities where there are classes, and the class or value that is predicted. */
  answer(outputs) {
    const { classes, task } = this.page.network;
    const y = copyOf(outputs);
    if (task === "regression") return { outputs: y, probabilities: null, prediction: y[0], label: String(y[0]) };
    const last = this.kinds.at(-1);
    let p = last === "Softmax" ? y : softmax(y);
    if (y.length === 1) {
      const second = last === "Sigmoid" ? y[0] : 1 / (1 + Math.exp(-y[0]));
      p = [1 - second, second];
    }
    const prediction = p.indexOf(Math.max(...p));
    return { outputs: y, probabilities: p, prediction, label: classes[prediction] };
  }
}
