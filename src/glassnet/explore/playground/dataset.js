/** The data of a playground: rows of a toy problem, of drawn points or of a table, in a training and a test part. */

import { TOYS, shuffled, toy } from "glassnet/toy.js";
import { tableRows } from "glassnet/table.js";

/** Inputs that are made of the two of the plane. */
export const DERIVED = {
  "x1²": ([a]) => a * a,
  "x2²": ([, b]) => b * b,
  "x1·x2": ([a, b]) => a * b,
  "sin 3·x1": ([a]) => Math.sin(3 * a),
  "sin 3·x2": ([, b]) => Math.sin(3 * b),
};

const DRAWN = { name: "your own points", classes: 2, width: 2 };

/** A row with the inputs that are derived from it. */
export const extended = (x, derived) => [...x, ...derived.map((name) => DERIVED[name](x))];

/** {width, features, classes (names, or null), rows, notes} of what `data` in a spec says. */
function source(data) {
  if (data.kind === "table") {
    const read = tableRows(data.table, data.target);
    return { ...read, width: read.features.length };
  }
  const { classes, width } = data.kind === "drawn" ? DRAWN : TOYS[data.kind];
  const rows = data.kind === "drawn" ? data.points.map(([a, b, t]) => ({ x: [a, b], t })) : toy(data);
  const most = rows.reduce((top, { t }) => Math.max(top, t), 0);
  const many = data.kind === "drawn" ? Math.max(2, most + 1) : classes;
  return {
    rows, width, features: width === 1 ? ["x"] : ["x1", "x2"], target: classes ? "class" : "y", notes: [],
    classes: classes ? Array.from({ length: many }, (_, i) => String(i)) : null,
  };
}

/** Mean and deviation of each column, as the library's Standardize has them: a constant one is only centred. */
function standard(rows) {
  const width = rows[0].length;
  const mean = Array.from({ length: width }, (_, j) => rows.reduce((s, row) => s + row[j], 0) / rows.length);
  const scale = mean.map((m, j) => Math.sqrt(rows.reduce((s, row) => s + (row[j] - m) ** 2, 0) / rows.length) || 1);
  return { mean, scale };
}

/**
 * The parts as the engine takes them. `loss` is the loss's name: it says what the targets are.
 * A table is standardised, and so are its values; toy problems are about -1..1 as they are.
 */
export function makeData(data, loss) {
  const { rows: plain, ...facts } = source(data);
  const derived = facts.width === 2 && data.kind !== "table" ? (data.derived ?? []) : [];
  const rows = plain.map(({ x, t }) => ({ x: extended(x, derived), t }));
  facts.width += derived.length;
  facts.features = [...facts.features, ...derived];
  if (rows.length < 4) throw new Error("there are too few points: draw some more on the plane");
  const order = shuffled(rows.length, data.seed);
  const held = Math.min(rows.length - 2, Math.round(data.share * rows.length));
  const [testRows, trainRows] = [order.slice(0, held), order.slice(held)].map((part) => part.map((i) => rows[i]));
  const table = data.kind === "table";
  const standardize = table ? standard(trainRows.map(({ x }) => x)) : null;
  const unit = table && !facts.classes ? standard(trainRows.map(({ t }) => [t])) : null;
  const [mean, scale] = unit ? [unit.mean[0], unit.scale[0]] : [0, 1];
  const labels = facts.classes && loss === "CrossEntropy";
  const part = (given) => ({
    x: Float32Array.from(given.flatMap(({ x }) => x)),
    t: (labels ? Int32Array : Float32Array).from(given.map(({ t }) => (facts.classes ? t : (t - mean) / scale))),
    raw: given.map(({ t }) => t),
  });
  return {
    ...facts, derived, train: part(trainRows), test: part(testRows), standardize, unit,
    task: facts.classes ? "classification" : "regression",
    n_out: labels ? facts.classes.length : 1,
    bounds: bounds(rows, facts.width),
  };
}

/** The part of each input's axis that is shown: a little more than the points take. */
function bounds(rows, width) {
  return Array.from({ length: width }, (_, j) => {
    const values = rows.map(({ x }) => x[j]);
    let [low, high] = [Math.min(...values), Math.max(...values)];
    if (low >= -1.3 && high <= 1.3 && high - low > 1) [low, high] = [Math.min(low, -1), Math.max(high, 1)];
    const margin = 0.1 * (high - low || 1);
    return [low - margin, high + margin];
  });
}
