/** What the doctor would say of a training: his thresholds come from the library, and so do his remedies. */

import { catalog } from "glassnet/spec.js";

const ROWS = 64; // of a look, as the doctor's

const { DEAD, SATURATED, STILL, ENOUGH, EXPLODED, SWING } = catalog.doctor;

/** The findings, each {name, words, advice, group, units}. */
export function findings(run) {
  const { training } = run;
  if (training.failure)
    return [
      {
        name: "learning rate high", words: training.failure,
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
      const ends = { Sigmoid: [0, 1], Tanh: [-1, 1] }[type];
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
        const width = 0.05 * (ends[1] - ends[0]);
        const at = outputs[l].filter((v) => v < ends[0] + width / 2 || v > ends[1] - width / 2).length / outputs[l].length;
        if (at > SATURATED)
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
function* course({ history, spec, step }) {
  const losses = history.map(({ loss }) => loss);
  if (step < ENOUGH || losses.length < 3) return;
  const [first, last] = [losses[0], losses.at(-1)];
  const fell = 1 - last / first;
  const late = losses.slice(losses.length >> 1);
  const mean = late.reduce((a, b) => a + b, 0) / late.length;
  const jumps = late.slice(1).map((v, i) => Math.abs(v - late[i])).sort((a, b) => a - b);
  const swing = jumps.length ? jumps[jumps.length >> 1] / mean : 0;
  const lower = `Try a learning rate of ${Number((spec.optimizer.lr / 10).toPrecision(2))}.`;
  if (last > EXPLODED * first)
    yield { name: "learning rate high", words: `The loss is ${Math.round(last / first)} times what it was.`, advice: lower };
  else if (swing > SWING && fell < 0.3)
    yield {
      name: "oscillating", words: `From epoch to epoch the loss changes by ${Math.round(100 * swing)}% of its size.`,
      advice: `The weights jump across the valley. ${lower}`,
    };
  else if (Math.abs(fell) < STILL && history.length > 10)
    yield {
      name: "stalled", words: `In ${history.length - 1} epochs the loss fell by ${Math.round(100 * fell)}%.`,
      advice: "Nothing is being learned: try another learning rate, more units, or another activation.",
    };
}

/** Training points are learned by heart: the test loss has risen from its lowest. */
function* apart({ history }) {
  const rows = history.filter(({ val_loss }) => Number.isFinite(val_loss));
  if (rows.length < 10) return;
  const best = rows.reduce((a, b) => (b.val_loss < a.val_loss ? b : a));
  const last = rows.at(-1);
  const late = rows.slice(-10).map(({ val_loss }) => val_loss).sort((a, b) => a - b);
  const long = last.epoch - best.epoch >= Math.max(10, last.epoch / 5);
  if (long && late[late.length >> 1] > 1.2 * best.val_loss && last.loss < 0.7 * last.val_loss)
    yield {
      name: "overfitting",
      words: `The test loss was lowest after epoch ${best.epoch} and rises since, while the training loss falls.`,
      advice: "The network learns its points by heart. Try more points, L2, Dropout, or fewer units; or stop earlier.",
    };
}

const range = (n) => Array.from({ length: n }, (_, i) => i);
