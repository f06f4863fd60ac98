/** The bowl: the loss of a neuron with two weights, and the ways of three optimizers down into it. */

import { onTheme } from "glassnet/colour.js";
import { ball, bands, path, pathColour } from "glassnet/contour.js";
import { $, el } from "glassnet/dom.js";
import { slider } from "glassnet/field.js";
import { number } from "glassnet/format.js";
import { catalog, dense, made } from "glassnet/spec.js";
import { Training } from "glassnet/training.js";

const SIDE = 48; // points of the map along each axis
const REACH = 2; // weights from -REACH to REACH are shown
const POINTS = [[1, 0.15], [-1, -0.15], [0.6, -0.35], [-0.6, 0.35], [0.9, 0.3], [-0.9, -0.3]]; // a long valley: x2 is small
const BEST = [0.4, -0.3]; // the weights that made the targets
const RUNNERS = ["SGD", "SGD with momentum", "Adam"];

export class Bowl {
  constructor(module) {
    const x = Float32Array.from(POINTS.flat());
    const t = Float32Array.from(POINTS.map(([a, b]) => a * BEST[0] + b * BEST[1]));
    this.data = {
      width: 2, n_out: 1, task: "regression", classes: null, standardize: null,
      train: { x, t, raw: [...t] }, test: { x: x.slice(0, 0), t: t.slice(0, 0), raw: [] },
    };
    this.start = [-1.6, 1.5];
    this.lr = 0.3;
    this.momentum = 0.9;
    this.steps = 60;
    this.trainings = RUNNERS.map(() => {
      const spec = {
        layers: [dense(1)], loss: made("losses", "MSE"), optimizer: made("optimizers", "SGD", { lr: 0.1 }),
        schedule: made("schedules", "Constant"), epochs: 1, batch_size: POINTS.length, seed: 0,
      };
      return (name) => new Training(module, catalog, { ...spec, optimizer: this.#optimizer(name) }, this.data);
    });
    this.map = this.#surface(this.trainings[0](RUNNERS[0]));
    const canvas = $("bowl");
    const move = (event) => {
      const box = canvas.getBoundingClientRect();
      const [u, v] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      this.put((2 * u - 1) * REACH, (1 - 2 * v) * REACH);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      move(event);
    });
    canvas.addEventListener("pointermove", (event) => event.buttons && move(event));
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
      if (!by) return;
      event.preventDefault();
      this.put(this.start[0] + by[0], this.start[1] + by[1]);
    });
    const set = (name) => (value) => {
      this[name] = value;
      this.draw();
    };
    const power = (v) => Number((10 ** v).toPrecision(2));
    $("bowl-fields").append(
      slider("Learning rate", { min: -2, max: 0.5, step: 0.02, value: this.lr, to: power, from: Math.log10 }, set("lr")),
      slider("Momentum", { min: 0, max: 0.98, step: 0.01, value: this.momentum }, set("momentum")),
      slider("Steps", { min: 1, max: 200, step: 1, value: this.steps }, set("steps")),
      (this.legend = el("ul", { class: "legend", "aria-live": "polite" })),
    );
    onTheme(() => this.draw());
    this.draw();
  }

  #optimizer(name) {
    if (name === "Adam") return made("optimizers", "Adam", { lr: this.lr });
    return made("optimizers", "SGD", { lr: this.lr, momentum: name === "SGD" ? 0 : this.momentum });
  }

  #surface(training) {
    const { weights } = training.net;
    const before = weights.slice();
    const values = Float64Array.from({ length: SIDE * SIDE }, (_, i) => {
      const [u, v] = [(i % SIDE) / (SIDE - 1), Math.floor(i / SIDE) / (SIDE - 1)];
      weights.set([(2 * u - 1) * REACH, (1 - 2 * v) * REACH, 0]);
      return training.net.score(this.data.train).loss + 1e-3; // a floor, for the bands
    });
    weights.set(before);
    return values;
  }

  /** Put the ball somewhere. */
  put(a, b) {
    this.start = [a, b].map((w) => Math.max(-REACH, Math.min(REACH, w)));
    this.draw();
  }

  draw() {
    const canvas = $("bowl");
    bands(canvas, this.map, SIDE);
    const place = ([a, b]) => [(a / REACH + 1) / 2, (1 - b / REACH) / 2];
    this.ends = RUNNERS.map((name, i) => {
      const training = this.trainings[i](name);
      training.net.weights.set([...this.start, 0]);
      const places = [place(this.start)];
      for (let s = 0; s < this.steps && !training.failure; s++) {
        training.advance(1);
        const [a, b] = training.net.weights;
        places.push(place([a, b]));
      }
      path(canvas, places, pathColour(i));
      return training.failure ? Infinity : training.net.score(this.data.train).loss;
    });
    ball(canvas, place(this.start));
    this.legend.replaceChildren(
      ...RUNNERS.map((name, i) => {
        const swatch = el("span", { class: "swatch", style: `background:${pathColour(i)}` });
        return el("li", {}, swatch, ` ${name}: loss ${number(this.ends[i], 2)} after ${this.steps} steps`);
      }),
    );
  }
}
