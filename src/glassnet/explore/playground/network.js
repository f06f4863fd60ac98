/**
 * A network of the library, run by its kernels: what it is made of, its first weights, and its answers.
 *
 * `spec`: {layers: [{type, ...arguments}], loss, optimizer, batch_size, seed} with arguments by the library's own names.
 * `data`: {width, train: {x, t}, test: {x, t}, task, n_out, standardize}; t are labels or values.
 */

import { Machine } from "glassnet/machine.js";

export const CAPACITY = 4096; // rows that are answered at once

export class Network {
  constructor(module, catalog, spec, data) {
    this.catalog = catalog;
    this.spec = spec;
    this.data = data;
    this.machine = new Machine(module, catalog.structures);
    this.layers = placed(catalog, spec.layers, data.width);
    this.size = this.layers.reduce((sum, layer) => sum + layer.size, 0);
    if (!this.size) throw new Error("a network needs a layer with weights: add a Dense layer");
    this.n_out = this.layers.at(-1).n_out;
    const m = this.machine;
    this.theta = m.newReals(this.size);
    this.slots = [m.newReals(this.size), m.newReals(this.size)];
    this.gradient = m.newReals(this.size);
    this.#group();
    this.#standardize();
    for (const layer of this.layers)
      layer.moved = Object.values(layer.facts.state).map((first) => m.copied(Array(layer.n_in).fill(first), "doubles"));
    this.seed = m.allocate(4 * 4);
    this.initialize();
    this.training = this.#program(spec.batch_size, true);
    this.inference = this.#program(CAPACITY, false);
    this.room = m.newReals(CAPACITY * data.width); // for rows to answer
    this.numbers = m.copied(BigInt64Array.from({ length: CAPACITY }, (_, i) => BigInt(i)), "longs");
  }

  /** Draw the weights as the library does: layer after layer, from the stream of this seed. */
  initialize() {
    const { machine: m, catalog } = this;
    m.kernels.start_drawing(this.#seeded([this.spec.seed, catalog.streams.weights]), 2n);
    for (const layer of this.layers)
      for (const p of layer.parameters) {
        const place = this.theta + 4 * p.begin;
        if (p.first !== null) m.reals(place, p.size).fill(p.first);
        else m.kernels.draw(place, BigInt(p.size), spread(catalog, layer.init, layer.n_in, layer.n_out));
      }
  }

  #seeded(numbers) {
    this.machine.words(this.seed, numbers.length).set(numbers);
    return this.seed;
  }

  /** The order of the rows in an epoch, into memory. */
  order(epoch, n, to) {
    const { kernels } = this.machine;
    kernels.order(this.#seeded([this.spec.seed, epoch, this.catalog.streams.order]), 3n, BigInt(n), to);
  }

  /** Set the noise of an epoch to where it is after some passes. Layers are counted as in the library, with what stands before the kernels. */
  reseed(epoch, passes) {
    this.layers.forEach((layer, i) => {
      if (!layer.facts.noise) return;
      const numbers = [this.spec.seed, epoch, this.catalog.streams.masks + i + (this.data.standardize ? 1 : 0)];
      const key = this.machine.kernels.key(this.#seeded(numbers), 3n);
      this.machine.set("Layer", this.training.places[i], { key, passes });
    });
  }

  /** Read settings again that may change between two steps: those of the optimizer. */
  setOptimizer({ type, ...given }, steps) {
    const { rule, rules, fields } = this.catalog.optimizers[type];
    const flag = Object.keys(rules).find((name) => given[name]);
    const numbers = Object.entries(fields).map(([field, [name, i]]) => [
      field,
      (i === undefined ? given[name] : given[name][i]) ?? 0,
    ]);
    this.#setOptimizer({
      kind: this.machine.kinds[flag ? rules[flag] : rule],
      fused: given.clip_norm ? 0 : 1,
      ...Object.fromEntries(numbers),
      steps,
    });
  }

  /** Whether gradients are kept: then they aren't used at once, which makes no other difference. */
  keepGradients(keep) {
    this.#setOptimizer({ fused: keep || this.spec.optimizer.clip_norm ? 0 : 1 });
  }

  #setOptimizer(values) {
    const { machine: m, training } = this;
    m.set("Optimizer", training.address + m.layouts.Program.fields.optimizer.at, values);
  }

  get weights() {
    return this.machine.reals(this.theta, this.size);
  }

  /** The values of a parameter, a view. */
  values = (p) => this.machine.reals(this.theta + 4 * p.begin, p.size);
  gradients = (p) => this.machine.reals(this.gradient + 4 * p.begin, p.size);

  /** Every layer's outputs for rows (Float32Array, n * width), as views that the next call writes into. */
  outputs(rows) {
    const n = rows.length / this.data.width;
    this.machine.reals(this.room, rows.length).set(rows);
    this.machine.kernels.answer(this.inference.address, this.room, BigInt(n));
    return this.layers.map((layer, i) => this.machine.reals(this.inference.y[i], n * layer.n_out));
  }

  /** The mean loss of rows with their targets, and the last layer's outputs. At most CAPACITY rows. */
  score({ x, t }) {
    const { machine: m } = this;
    const n = t.length;
    m.reals(this.room, x.length).set(x);
    this.targets.set(this.machine, t);
    const loss = m.kernels.score(this.inference.address, this.room, this.numbers, BigInt(n));
    return { loss, y: m.reals(this.inference.y.at(-1), n * this.n_out) };
  }

  #group() {
    const { machine: m } = this;
    const parameters = this.layers.flatMap((layer) => layer.parameters);
    this.groups = m.structure("Group", parameters.length);
    this.n_groups = parameters.length;
    parameters.forEach((p, i) => {
      p.place = this.groups + i * m.layouts.Group.size;
      const { begin, size, columns, decayed, lr_factor, max_norm } = p;
      m.set("Group", p.place, { begin, end: begin + size, columns, decayed: decayed ? 1 : 0, lr_factor, max_norm });
    });
  }

  #standardize() {
    const { data, machine: m } = this;
    const { mean, scale } = data.standardize ?? {};
    this.scaling = data.standardize ? { mean: m.copied(mean), scale: m.copied(scale) } : {};
  }

  /** The layers as a program, with memory for so many rows at a time. */
  #program(batch, training) {
    const { machine: m, catalog, spec, data } = this;
    const address = m.structure("Program");
    const used = this.layers.filter((layer) => training || !layer.facts.noise);
    const first = used.findIndex((layer) => layer.size);
    const places = [];
    const y = [];
    const dy = [];
    const array = m.structure("Layer", used.length);
    let x = m.newReals(batch * data.width);
    this.layers.forEach((layer, i) => {
      if (!used.includes(layer)) {
        y.push(x); // it lets all through
        return places.push(null);
      }
      const place = array + used.indexOf(layer) * m.layouts.Layer.size;
      const { sizes, constants, memory } = layer.facts;
      const to = m.newReals(batch * layer.n_out);
      m.set("Layer", place, {
        kind: m.kinds[layer.type],
        n_in: layer.n_in,
        n_out: layer.n_out,
        groups: layer.parameters[0]?.place ?? 0,
        size: sizes.map((name) => (typeof name === "string" ? layer[name] : name)),
        constant: constants.map((name) => layer[name]),
        array: layer.moved,
        memory: Array.from({ length: memory }, () => m.newReals(Math.max(batch, 1) * Math.max(layer.n_out, 1))),
        x,
        y: to,
      });
      y.push((x = to));
      places.push(place);
    });
    const loss = m.structure("Loss");
    const outputs = batch * this.n_out;
    dy[used.length - 1] = m.newReals(outputs);
    if (training)
      for (let i = used.length - 1; i >= first; i--) {
        const dx = i > first ? (dy[i - 1] = m.newReals(batch * used[i].n_in)) : 0;
        m.set("Layer", array + i * m.layouts.Layer.size, { dy: dy[i], dx });
      }
    const widest = Math.max(data.width, ...this.layers.map((layer) => Math.max(layer.n_in, layer.n_out)));
    const scratch_size = Number(m.kernels.scratch_size(BigInt(widest)));
    const { type, ...given } = spec.loss;
    const facts = catalog.losses[type];
    const n = training ? data.train.t.length : CAPACITY;
    const targets = new Targets(m, data.task === "classification" && type === "CrossEntropy", n, this.n_out);
    if (training) targets.set(m, data.train.t);
    else this.targets = targets;
    m.set("Program", address, {
      layers: array,
      n_layers: used.length,
      first,
      data: training ? m.copied(data.train.x) : 0,
      format: catalog.formats.REALS,
      width: data.width,
      batch,
      ...this.scaling,
      loss: {
        kind: m.kinds[type],
        n_out: this.n_out,
        constant: facts.constant ? given[facts.constant] : 0,
        ...targets.fields,
        y: y.at(-1),
        dy: dy[used.length - 1],
        row: m.newDoubles(batch),
      },
      optimizer: {
        theta: this.theta,
        grad: this.gradient,
        slot1: this.slots[0],
        slot2: this.slots[catalog.optimizers[spec.optimizer.type].slots - 1],
      },
      n_parameters: this.size,
      n_groups: this.n_groups,
      groups: this.groups,
      squares: m.newDoubles(Math.ceil(this.size / 4096) + 1),
      scratch_size,
      scratch: m.newReals(scratch_size),
    });
    return { address, loss, places, y, dy, used };
  }
}

/** What rows should have given: labels, or values (n, n_out). */
class Targets {
  constructor(m, labels, n, n_out) {
    this.labels = labels;
    this.place = m.allocate(4 * n * (labels ? 1 : n_out));
    this.fields = labels ? { labels: this.place } : { targets: this.place };
  }

  set(m, t) {
    if (this.labels) m.words(this.place, t.length).set(t);
    else m.reals(this.place, t.length).set(t);
  }
}

/** The layers with their widths, and each parameter's place in theta. */
export function placed(catalog, layers, width) {
  let begin = 0;
  return layers.map(({ type, ...given }) => {
    const facts = catalog.layers[type];
    const n_in = width;
    const n_out = (width = facts.width_out ? given[facts.width_out] : width);
    const parameters = Object.entries(facts.parameters).map(([name, { shape, decayed, first }]) => {
      const dims = shape.map((dim) => (dim === "width_in" ? n_in : n_out));
      const p = {
        name,
        dims,
        begin,
        size: dims.reduce((a, b) => a * b, 1),
        columns: dims.at(-1),
        decayed,
        first,
        lr_factor: given.lr_factor ?? 1,
        max_norm: decayed ? (given.max_norm ?? 0) : 0,
      };
      begin += p.size;
      return p;
    });
    const size = parameters.reduce((sum, p) => sum + p.size, 0);
    return { ...given, type, facts, n_in, n_out, parameters, size };
  });
}

/** The standard deviation of first weights: `catalog.initializers` gives 1 / std^2 = a fan_in + b fan_out. */
function spread(catalog, init, fan_in, fan_out) {
  const [a, b] = catalog.initializers[init];
  return a === undefined ? 0 : 1 / Math.sqrt(a * fan_in + b * fan_out);
}
