/** One step in slow motion: numbers flow forward, the loss, gradients flow back, and the weights move. */

import { $ } from "glassnet/dom.js";
import { number } from "glassnet/format.js";

const PHASES = ["forward", "loss", "backward", "update"];

export class Slow {
  /** changed(flow): what the drawing shows; done(): the step is to be made. */
  constructor({ changed, done }) {
    this.changed = changed;
    this.done = done;
    this.seen = null;
    $("slow-next").addEventListener("click", () => this.next());
    $("slow-close").addEventListener("click", () => this.close());
  }

  get open() {
    return this.seen !== null;
  }

  begin(run) {
    this.run = run;
    this.seen = run.training.peek();
    this.phase = 0;
    $("slow").hidden = false;
    this.show();
    $("slow-next").focus();
  }

  next() {
    if (this.phase === PHASES.length - 1) {
      this.done();
      this.begin(this.run);
      return;
    }
    this.phase++;
    this.show();
  }

  close() {
    this.seen = null;
    $("slow").hidden = true;
    this.changed(null);
  }

  show() {
    const { seen, phase } = this;
    const { data } = this.run;
    const x = data.train.x.subarray(seen.row * data.width, (seen.row + 1) * data.width);
    const target = data.classes ? data.classes[data.train.raw[seen.row]] : number(data.train.raw[seen.row]);
    const out = [...seen.outputs.at(-1)].map((v) => number(v, 3)).join(", ");
    const size = Math.hypot(...seen.gradient);
    const moved = Math.max(...seen.after.map((w, i) => Math.abs(w - seen.before[i])));
    const words = [
      `1 Forward. One of the ${seen.size} points of this batch goes in: ${[...x].map((v) => number(v, 3)).join(", ")}. ` +
        "Each unit adds up its inputs times its weights: the number beside it. At the end come out " + `${out}.`,
      `2 Loss. The right answer is ${target}. Over all ${seen.size} points of the batch the loss is ${number(seen.loss)}: ` +
        "the smaller, the better the answers.",
      "3 Backward. Beside each unit stands its slope: how the loss changes if that number grows. The lines show the " +
        `gradient of each weight, the mean of the batch; all together it is ${number(size)} long.`,
      "4 Update. Each weight moves against its gradient, and the lines show by how much: " +
        `at most by ${number(moved)}. “Next” makes the step, and looks at the one after.`,
    ];
    $("slow-words").textContent = words[phase];
    $("slow-next").textContent = phase === 3 ? "Make the step, and go on" : `Next: ${PHASES[phase + 1]}`;
    $("slow").dataset.phase = PHASES[phase];
    PHASES.forEach((name, i) => $(`phase-${name}`).setAttribute("aria-current", i === phase ? "step" : "false"));
    const part = (values) => (layer) => {
      const { begin, size: n } = layer.parameters[0];
      return values.subarray(begin, begin + n);
    };
    const change = seen.after.map((w, i) => w - seen.before[i]);
    this.changed({
      weights: part([seen.before, seen.before, seen.gradient, change][phase]),
      values: (column, unit) => {
        if (!column) return x[unit];
        const layer = this.run.columns[column - 1];
        return phase === 2 ? seen.slopes[layer][unit] : seen.outputs[layer][unit];
      },
    });
  }
}
