/**
 * The network inside the page: the questions of engine-remote.js that need no learning, answered by the library's kernels,
 * for a page without a server.
 */

import { codeFor } from "glassnet/code-local.js";
import { equation } from "glassnet/equation.js";
import { Frozen } from "glassnet/frozen.js";

const WHY_NOT =
  "This page stands alone, so it only looks, in single precision. “glassnet explore” shows a step of learning, checks gradients, and trains.";

export class LocalEngine {
  static async of(page) {
    return new LocalEngine(page, await Frozen.of(page.frozen));
  }

  constructor(page, net) {
    this.page = page;
    this.net = net;
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
    const layers = this.net.run(x).map((output, index) => ({ index, output: Array.from(output) }));
    return { layers, ...this.answer(layers.at(-1).output), by_hand: false };
  }

  async weights(name) {
    const [layer, parameter] = name.split(".");
    return this.net.layers[layer].arrays[parameter];
  }

  async equation(x, layer, unit) {
    const outputs = this.net.run(x);
    const input = layer ? outputs[layer - 1] : Float64Array.from(x);
    return equation(this.net, this.net.layers[layer], input, outputs[layer], unit);
  }

  async code(view, shown) {
    return { code: codeFor(this.page, view, shown) };
  }

  /** What outputs say: probabilities where there are classes, and the class or value that is predicted. */
  answer(outputs) {
    const { classes, task } = this.page.network;
    if (task === "regression")
      return { outputs, probabilities: null, prediction: outputs[0], label: String(outputs[0]) };
    const { type } = this.net.layers.at(-1);
    let p = type === "Softmax" ? outputs : Array.from(this.net.softmax(outputs));
    if (outputs.length === 1) {
      const second = type === "Sigmoid" ? outputs[0] : this.net.logistic(outputs[0]);
      p = [1 - second, second];
    }
    const prediction = p.indexOf(Math.max(...p));
    return { outputs, probabilities: p, prediction, label: classes[prediction] };
  }
}
