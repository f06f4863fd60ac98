/** A trained network, run by the library's kernels: one row, layer after layer. What they read is said by frozen.py. */

import { bytes, decode } from "glassnet/encoding.js";
import { Machine } from "glassnet/machine.js";

const ONE = 1n; // row, or thread

export class Frozen {
  /** Raises an Error if this browser can't run the kernels. */
  static async of(given) {
    const module = await WebAssembly.compile(bytes(given.kernels)).catch(() => {
      throw new Error("this browser can't run WebAssembly with SIMD, which this page computes with: take a newer one");
    });
    return new Frozen(module, given);
  }

  constructor(module, { structures, doubles, single, layers }) {
    const m = (this.machine = new Machine(module, structures));
    this.doubles = doubles; // the number of this format of rows
    this.Row = single ? Float32Array : Float64Array; // as the library reads raw ones
    this.layers = layers.map((layer) => ({ ...layer, arrays: mapped(layer.arrays, decode), ...this.#room(layer) }));
    this.#weigh();
    const scratch = Math.max(...layers.map(({ kernel }) => kernel?.scratch ?? 0));
    const widest = Math.max(...layers.flatMap(({ n_in, n_out }) => [n_in, n_out]));
    this.scratch = m.newReals(Number(m.kernels.scratch_size(BigInt(widest))) + scratch);
    this.work = m.newDoubles(2 * widest * this.#slice());
    this.raw = m.newDoubles(widest);
    let chain = []; // layers that prepare a row, one behind the other: they stay in double precision
    this.layers = this.layers.map((layer) => {
      chain = layer.step ? [...chain, layer] : [];
      return { ...layer, address: layer.step ? this.#prepared(chain) : layer.kernel && this.#structure(layer), depth: chain.length };
    });
  }

  /** The output of every layer for a row; null is a missing value. */
  run(row) {
    const { kernels } = this.machine;
    const outputs = [];
    let [values, begun] = [Float64Array.from(this.Row.from(row, (v) => v ?? NaN)), null];
    for (const layer of this.layers) {
      const { address, n_in, n_out, depth } = layer;
      if (depth === 1) begun = values;
      if (address || layer.alone) this.machine.reals(layer.x, n_in).set(values);
      if (depth) {
        this.machine.doubles(this.raw, begun.length).set(begun);
        kernels.prepare(address, this.raw, BigInt(this.doubles), ONE, layer.y, ONE);
      } else if (address) kernels.pass(address, this.optimizer, this.scratch);
      else if (layer.type === "Softmax") kernels.softmax(layer.x, BigInt(n_in), layer.y);
      else if (layer.alone) kernels.unstandardize(...this.#four(layer), layer.x, BigInt(n_in), layer.y);
      if (layer.type === "Unstandardize") values = this.machine.doubles(layer.y, n_out).slice();
      else if (address || layer.alone) values = Float64Array.from(this.machine.reals(layer.y, n_out));
      outputs.push(values);
    }
    return outputs;
  }

  /** Probabilities of scores. */
  softmax(scores) {
    const m = this.machine;
    const [x, y] = [m.copied(scores), m.newReals(scores.length)];
    m.kernels.softmax(x, BigInt(scores.length), y);
    m.top = x; // the memory is free again
    return Float64Array.from(m.reals(y, scores.length));
  }

  logistic = (v) => this.machine.kernels.logistic(v);
  normal = (v) => this.machine.kernels.normal_share(v);

  /** Memory for a layer's row before and after it. */
  #room = ({ n_in, n_out }) => ({ x: this.machine.newReals(n_in), y: this.machine.newDoubles(n_out) });

  /** All weights in a row, and of each where it begins and ends. */
  #weigh() {
    const m = this.machine;
    const own = ({ parameters, arrays }) => parameters.map((name) => arrays[name].data);
    const theta = m.newReals(this.layers.flatMap(own).reduce((total, { length }) => total + length, 0));
    this.optimizer = m.structure("Optimizer");
    m.set("Optimizer", this.optimizer, { theta });
    let begin = 0;
    for (const layer of this.layers) {
      layer.groups = m.structure("Group", layer.parameters.length);
      own(layer).forEach((data, i) => {
        const end = begin + data.length;
        m.reals(theta + 4 * begin, data.length).set(data);
        m.set("Group", layer.groups + i * m.layouts.Group.size, { begin, end });
        begin = end;
      });
    }
  }

  #held = (array) => this.machine.copied(bytes(array.f32 ?? array.f64 ?? array.i64), "bytes");

  #structure({ type, n_in, n_out, groups, x, y, kernel }) {
    const m = this.machine;
    const { size, constant } = kernel;
    const array = kernel.array.map(this.#held);
    const memory = kernel.memory.map((n) => m.allocate(n));
    const address = m.structure("Layer");
    m.set("Layer", address, { kind: m.kinds[type], n_in, n_out, groups, size, constant, array, memory, x, y });
    return address;
  }

  /** The rows that are prepared at a time. */
  #slice = () => Number(this.machine.said.find((each) => each.startsWith("SLICE ")).split(" ")[1]);

  /** What prepares a row by these layers. */
  #prepared(chain) {
    const m = this.machine;
    const steps = m.structure("Step", chain.length);
    chain.forEach(({ type, n_in, n_out, step }, i) => {
      step.held ??= step.array.map(this.#held);
      const { rounded, size, held } = step;
      m.set("Step", steps + i * m.layouts.Step.size, { kind: m.kinds[type], n_in, n_out, rounded, size, array: held });
    });
    const most = Math.max(...chain.flatMap(({ n_in, n_out }) => [n_in, n_out]));
    const address = m.structure("Preparation");
    const [{ n_in }, { n_out }] = [chain[0], chain.at(-1)];
    m.set("Preparation", address, { steps, n_steps: chain.length, n_in, n_out, most, memory: this.work });
    return address;
  }

  /** Mean and scale of the target, and its bounds, if there are any. */
  #four(layer) {
    layer.held ??= layer.alone.map(this.#held);
    return Array.from({ length: 4 }, (_, i) => layer.held[i] ?? 0);
  }
}

const mapped = (object, f) => Object.fromEntries(Object.entries(object).map(([name, value]) => [name, f(value)]));
