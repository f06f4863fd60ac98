/** What the doctor would say of a training: his thresholds come from the library, and so do his remedies. */

import { catalog } from "glassnet/spec.js";

const { DEAD, SATURATED, FLAT, ROWS, STILL, ENOUGH, EXPLODED, SWING, LITTLE, RISEN, BELOW, WAITED } = catalog.doctor;

/** The findings, each {name, words, advice} and where it shows: {group, units} of the network, or {at: a part of the page}. */
export function findings(run) {
  const { training } = run;
  if (training.failure)
    return [
      {
        name: "learning rate high", words: training.failure, at: "train-fields",
        advice: `Try a learning rate of ${training.spec.optimizer.lr / 10}, or clip the gradient's norm.`,
      },
    ];
  return [...units(run), ...course(training), ...apart(training)];
}

/** Units that give 0 for every point, and squashed ones that stand at their ends. */
function* units(run) {
  const { data, training, columns } = run;
  const rows = data.train.x.subarray(0, ROWS * data.width);
  const outputs = training.net.outputs(rows);
  const n = rows.length / data.width;
  for (const [group, last] of columns.slice(0, -1).entries()) {
    const first = group ? columns[group - 1] + 1 : 0;
    for (let l = first; l <= last; l++) {
      const { type, n_out } = training.net.layers[l];
      const ends = FLAT[type];
      if (type === "ReLU") {
        const dead = range(n_out).filter((u) => range(n).every((i) => outputs[l][i * n_out + u] === 0));
        if (dead.length >= DEAD * n_out)
          yield {
            name: "dead units", group, units: dead,
            words: `${dead.length} of ${n_out} units of layer ${group + 1} are 0 for all of ${n} points.`,
            advice: "They have no gradient, so they can't come back. Try a lower learning rate, or LeakyReLU.",
          };
      }
      if (ends) {
        const at = outputs[l].filter((v) => v < ends[0] || v > ends[1]).length / outputs[l].length;
        if (at >= SATURATED)
          yield {
            name: "saturated units", group,
            words: `${Math.round(100 * at)}% of the outputs of layer ${group + 1} are at the ends of ${type}.`,
            advice: "There its slope is nearly 0, and little is learned. Try smaller first weights or ReLU.",
          };
      }
    }
  }
}

/** A loss that explodes, jumps or stands still. */
function* course({ history, late, spec, step }) {
  if (step < ENOUGH || history.length < 2) return;
  const [first, last] = [history[0].loss, history.at(-1).loss];
  const fell = 1 - last / first;
  const steps = late.slice(-(step >> 1));
  const mean = steps.reduce((a, b) => a + b, 0) / steps.length;
  const swing = steps.length > 1 ? middle(steps.slice(1).map((v, i) => Math.abs(v - steps[i]))) / mean : 0;
  const lower = `Try a learning rate of ${Number((spec.optimizer.lr / 10).toPrecision(2))}.`;
  if (last > EXPLODED * first)
    yield {
      name: "learning rate high", words: `The loss is ${Math.round(last / first)} times what it was.`, advice: lower,
      at: "curves",
    };
  else if (swing > SWING && fell < LITTLE)
    yield {
      name: "oscillating", words: `From step to step the loss changes by ${Math.round(100 * swing)}% of its size.`,
      advice: `The weights jump across the valley. ${lower}`, at: "curves",
    };
  else if (Math.abs(fell) < STILL)
    yield {
      name: "stalled", words: `In ${step} steps the loss of the training points changed by ${Math.round(100 * Math.abs(fell))}%.`,
      advice: "Nothing is being learned: try another learning rate, more units, or another activation.", at: "curves",
    };
}

/** Training points are learned by heart: the test loss has risen from its lowest. */
function* apart({ history }) {
  const rows = history.filter(({ val_loss }) => Number.isFinite(val_loss));
  if (rows.length < WAITED) return;
  const best = rows.reduce((a, b) => (b.val_loss < a.val_loss ? b : a));
  const last = rows.at(-1);
  const now = middle(rows.slice(-WAITED).map(({ val_loss }) => val_loss));
  const long = last.epoch - best.epoch >= WAITED;
  if (long && now > RISEN * best.val_loss && last.loss < BELOW * last.val_loss)
    yield {
      name: "overfitting",
      words: `The test loss was lowest after epoch ${best.epoch} and rises since, while the training loss falls.`,
      advice: "The network learns its points by heart. Try more points, L2, Dropout, or fewer units; or stop earlier.",
      at: "curves",
    };
}

const middle = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const range = (n) => Array.from({ length: n }, (_, i) => i);
