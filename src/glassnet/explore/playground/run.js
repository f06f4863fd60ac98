/** One training with its data: what is drawn of it, and where it can go back to. */

import { kinks, line } from "glassnet/curve.js";
import { makeData } from "glassnet/dataset.js";
import { grid } from "glassnet/plane.js";
import { catalog, fitted, groups } from "glassnet/spec.js";
import { Training } from "glassnet/training.js";

export class Run {
  /** Raises an Error, in a line, for data or layers that can't be trained. */
  constructor(module, given) {
    this.spec = given;
    let data = makeData(given.data, given.loss.type);
    const spec = fitted(given, data);
    if (spec.loss.type !== given.loss.type) data = makeData(spec.data, spec.loss.type);
    this.module = module;
    this.spec = spec;
    this.data = data;
    this.training = new Training(module, catalog, spec, data);
    this.columns = groups(spec.layers).map((indices) => indices.at(-1));
    this.axes = [0, Math.min(1, data.width - 1)];
    this.look();
  }

  /** Choose the rows of the plane, or of the only input. */
  look(axes = this.axes) {
    this.axes = axes;
    this.flat = this.data.width === 1;
    this.rows = this.flat ? line(this.data) : grid(this.data, axes);
  }

  /** All layers' outputs on the plane. */
  outputs() {
    return this.training.net.outputs(this.rows);
  }

  bends = (outputs) => kinks(this.training.net.layers, outputs);
}
