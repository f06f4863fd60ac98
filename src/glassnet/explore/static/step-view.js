/** One step of learning in four phases, with the numbers of each: forward, loss, backward, update. */

import { $, el, table, words } from "glassnet/dom.js";
import { inputName, number, percent, unitName } from "glassnet/format.js";
import { PHASES, goTo, inTurn, lookAtInstead, on, reset, setTarget, shown } from "glassnet/model.js";
import { nearlyRight, offWords } from "glassnet/still.js";

const ROWS = 8; // weights whose change is written out

export function makeSteps() {
  const { network } = shown;
  PHASES.forEach((phase, k) => $(`go-${phase}`).addEventListener("click", () => inTurn(() => goTo(k))));
  $("next").addEventListener("click", () => inTurn(() => goTo(shown.phase === 3 ? 0 : shown.phase + 1)));
  $("undo").addEventListener("click", () => inTurn(reset));
  if (network.task === "regression") {
    $("target").replaceWith(el("input", { type: "number", step: "any", id: "target" }));
  } else {
    $("target").append(...network.classes.map((name, i) => el("option", { value: i }, name)));
  }
  $("target").addEventListener("change", () => {
    const target = Number($("target").value);
    if ($("target").value !== "" && Number.isFinite(target)) inTurn(() => setTarget(target));
  });
  on("forward", draw);
  on("phase", draw);
  on("state", draw);
}

/** Why the weights can't be moved by hand now; null if they can. */
function whyNot() {
  const { running, at } = shown;
  if (running) return "The training moves the weights now: pause it, to make a step by hand.";
  if (at === null) return null;
  return `These are the weights after epoch ${at}: go back to the newest ones, to move them.`;
}

function draw() {
  const { phase, target, forward } = shown;
  if (!forward) return;
  if (document.activeElement !== $("target")) $("target").value = target;
  PHASES.forEach((name, k) => {
    $(`phase-${name}`).dataset.state = k < phase ? "done" : k === phase ? "now" : "later";
    if (k === phase) $(`go-${name}`).setAttribute("aria-current", "step");
    else $(`go-${name}`).removeAttribute("aria-current");
    $(`${name}-numbers`).replaceChildren(...(k <= phase ? NUMBERS[name]() : [LATER[name]]));
  });
  $("moved").hidden = phase < 3 || !shown.column;
  $("moved").replaceChildren(...(phase < 3 ? [] : weights()));
  $("next").textContent = phase === 3 ? "Begin the next step" : `Next: ${PHASES[phase + 1]}`;
  const reason = whyNot();
  $("not-now").hidden = reason === null;
  $("not-now").textContent = reason ?? "";
  $("go-update").disabled = reason !== null;
  $("next").disabled = shown.running || (phase === 2 && reason !== null);
  for (const id of ["go-loss", "go-backward"]) $(id).disabled = shown.running;
}

const LATER = {
  forward: "",
  loss: "How wrong is the answer?",
  backward: "How much does each number share in the error?",
  update: "Move every weight a little, so that the error falls.",
};

/** The mean and the largest size of values. */
function spread(values) {
  let [sum, largest] = [0, 0];
  for (const v of values) [sum, largest] = [sum + v, Math.max(largest, Math.abs(v))];
  return [number(sum / values.length, 3), number(largest, 3)];
}

const layerName = (i) => `${i} ${shown.network.layers[i].kind}`;

function forwardNumbers() {
  const { forward } = shown.phase ? { forward: shown.before } : shown;
  const rows = forward.layers.map(({ index, output }) => [layerName(index), ...spread(output)]);
  return [
    el("p", {}, "Each layer computes its output from the one before it: ", el("strong", {}, answer(forward)), "."),
    table("Outputs, layer by layer", ["Layer", "mean y", "max |y|"], rows),
    words("y: the outputs of a layer’s units; their mean, and the largest, whatever its sign."),
  ];
}

function answer({ prediction, probabilities: p }) {
  const { network } = shown;
  if (network.task === "regression") return `the answer is ${number(prediction)}`;
  return `the answer is ${network.classes[prediction]}, with ${percent(p[prediction])}`;
}

function lossNumbers() {
  const { network, target, trace, before } = shown;
  const parts = [el("p", {}, "The loss is one number for how wrong the answer is: 0 is perfect.")];
  if (network.task === "regression") {
    parts.push(
      el(
        "p",
        {},
        `Answer ${number(before.prediction)}, target ${number(target)}, off by ${number(before.prediction - target)}.`,
      ),
    );
    const standard = network.layers.at(-1).kind === "Unstandardize" ? " of answer and target in standard units" : "";
    parts.push(el("p", { class: "formula" }, `${network.loss}${standard}`));
  } else {
    const p = before.probabilities[target];
    const plain = network.loss === "CrossEntropy";
    const formula = plain ? [`Loss = −ln ${number(p, 8)}`] : [network.loss];
    parts.push(
      el("p", {}, `The right class, ${network.classes[target]}, got ${percent(p)}.`),
      el("p", { class: "formula" }, ...formula),
    );
  }
  parts.push(el("p", { class: "figure", id: "loss-value" }, number(trace.loss, 5)));
  return parts;
}

function backwardNumbers() {
  const { trace } = shown;
  const rows = trace.layers.toReversed().map(({ index, dy }) => [layerName(index), ...spread(dy)]);
  return [
    el(
      "p",
      {},
      "From the loss back to the first layer: how the loss would change if an output were a little larger." +
        " The network above shows it in colour.",
    ),
    table("Gradients of the outputs, last layer first", ["Layer", "mean dL/dy", "max |dL/dy|"], rows),
    words("dL/dy: how fast the loss L grows with an output y. Below 0: a larger y would make the loss smaller."),
  ];
}

function updateNumbers() {
  const { trace, network, target, before, forward } = shown;
  const after = [["Loss", number(trace.loss), number(trace.loss_after)]];
  if (network.task === "regression") after.push(["Answer", number(before.prediction), number(forward.prediction)]);
  else
    after.push([
      `P(${network.classes[target]})`,
      percent(before.probabilities[target]),
      percent(forward.probabilities[target]),
    ]);
  const moved = Object.entries(trace.parameters).map(([name, p]) => [
    name,
    number(p.gradient_norm, 3),
    number(p.update_ratio, 2),
  ]);
  return [
    el("p", {}, "The weights have moved against their gradients. For this row, before and after:"),
    ...remark(trace),
    table("Before and after the step", ["", "before", "after"], after),
    table("How far each parameter moved", ["Parameter", "gradient norm", "update / weight"], moved),
    words(
      "W: all weights of a layer, b: its biases. Gradient norm: the size of all their gradients together." +
        " Update / weight: how far they moved, as a share of their own size.",
    ),
  ];
}

/** What is to be said of a step that shows little, or went wrong. */
function remark({ loss, loss_after: after }) {
  const quiet =
    "The loss was nearly 0 already: there was hardly anything to learn from this row. Choose another “right answer”" +
    " above, or a row that the network gets wrong.";
  const rose = "The loss rose: the step was too long. Reset the weights, lower the learning rate, try again.";
  return nearlyRight(loss) ? [el("p", {}, quiet)] : after > loss ? [el("p", {}, rose)] : [];
}

/** The weights into the unit that was chosen at the update: those that moved most, the picked one before them. */
function weights() {
  const { column, network, weight } = shown;
  if (!column) return [];
  const { layer, unit, before, gradient, velocity, after, name } = column;
  const one = weight?.name === name && weight.index.length === 2 && weight.index[1] === unit;
  const picked = one ? weight.index[0] : -1;
  const size = (i) => (i === picked ? Infinity : Math.abs(after[i] - before[i]));
  const order = [...before.keys()].sort((a, b) => size(b) - size(a)).slice(0, ROWS);
  const from = (i) => (before.length === 1 ? name : inputName(network, layer, i));
  const named = (i) => (i === picked ? el("strong", {}, `${from(i)}, which you picked`) : from(i));
  const cells = (i) => [before, gradient, ...(velocity ? [velocity] : []), after].map((values) => number(values[i], 3));
  const header = ["From", "before", "gradient", ...(velocity ? ["velocity"] : []), "after"];
  return [
    el("h3", {}, `Weights into ${unitName(network, layer, unit)} of layer ${layer}, before and after`),
    ...still(column),
    table(
      "Weights before and after",
      header,
      order.map((i) => [named(i), ...cells(i)]),
    ),
    words(
      "Largest change first. Gradient: how fast the loss grows with this weight." +
        (velocity ? " Velocity: the step itself, in which momentum carries earlier ones on." : ""),
    ),
    ...(order.some((i) => gradient[i] === 0 && after[i] !== before[i]) ? [words(DRAWN)] : []),
  ];
}

const DRAWN =
  "A weight whose gradient is 0 moves too, if the optimizer has weight decay, which draws every weight a little" +
  " towards 0, or momentum from earlier steps.";

/** Why a unit's weights have no gradient, and the way to one whose weights do. */
function still({ layer, unit, off, gradient }) {
  if (!off || gradient.some((g) => g !== 0)) return [];
  const why = el("p", {}, `${offWords(layer, unit)}, so none of its weights gets a gradient. `);
  if (shown.instead) {
    const name = unitName(shown.network, layer, shown.instead.unit);
    why.append(el("button", { type: "button", id: "instead", onclick: lookAtInstead }, `Show ${name}, which is on`));
  }
  return [why];
}

const NUMBERS = { forward: forwardNumbers, loss: lossNumbers, backward: backwardNumbers, update: updateNumbers };
