/**
 * The network inside the page: the questions of engine-remote.js that need no learning, answered here, for a page without
 * a server.
 */

import { codeFor } from "glassnet/code-local.js";
import { decode } from "glassnet/encoding.js";
import { equation } from "glassnet/equation.js";
import { LAYERS, softmax } from "glassnet/layers.js";

const WHY_NOT =
  "This page stands alone, so it only looks. “glassnet explore” shows a step of learning, checks gradients, and trains.";

export class LocalEngine {
  constructor(page) {
    this.page = page;
    this.kinds = page.network.layers.map(({ kind }) => kind);
    this.layers = page.layers.map(({ config, arrays, formula, note }, i) => {
      const decoded = Object.entries(arrays).map(([name, array]) => [name, decode(array)]);
      return new LAYERS[this.kinds[i]]({ config, formula, note, arrays: Object.fromEntries(decoded) });
    });
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
    const layers = this.run(x).map((output, index) => ({ index, output: Array.from(output) }));
    return { layers, ...this.answer(layers.at(-1).output), by_hand: false };
  }

  async weights(name) {
    const [layer, parameter] = name.split(".");
    return this.layers[layer].arrays[parameter];
  }

  async equation(x, layer, unit) {
    const outputs = this.run(x);
    const input = layer ? outputs[layer - 1] : Float64Array.from(x);
    return equation(this.layers[layer], input, outputs[layer], unit);
  }

  async code(view, shown) {
    return { code: codeFor(this.page, view, shown) };
  }

  /** The output of every layer. */
  run(x) {
    let y = Float64Array.from(x);
    return this.layers.map((layer) => (y = layer.forward(y)));
  }

  /** What outputs say: probabilities where there are classes, and the class or value that is predicted. */
  answer(outputs) {
    const { classes, task } = this.page.network;
    if (task === "regression")
      return { outputs, probabilities: null, prediction: outputs[0], label: String(outputs[0]) };
    const last = this.kinds.at(-1);
    let p = last === "Softmax" ? outputs : softmax(outputs);
    if (outputs.length === 1) {
      const second = last === "Sigmoid" ? outputs[0] : 1 / (1 + Math.exp(-outputs[0]));
      p = [1 - second, second];
    }
    const prediction = p.indexOf(Math.max(...p));
    return { outputs, probabilities: p, prediction, label: classes[prediction] };
  }
}
