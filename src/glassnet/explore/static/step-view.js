/** One step of learning in four phases, with the numbers of each: forward, loss, backward, update. */

import { $, el, table } from "glassnet/dom.js";
import { inputName, number, percent, unitName } from "glassnet/format.js";
import { PHASES, goTo, on, reset, setTarget, shown } from "glassnet/model.js";

const ROWS = 8; // weights whose change is written out

export function makeSteps() {
  const { network } = shown;
  PHASES.forEach((phase, k) => $(`go-${phase}`).addEventListener("click", () => goTo(k)));
  $("next").addEventListener("click", () => goTo(shown.phase === 3 ? 0 : shown.phase + 1));
  $("undo").addEventListener("click", () => reset());
  if (network.task === "regression") {
    $("target").replaceWith(el("input", { type: "number", step: "any", id: "target" }));
  } else {
    $("target").append(...network.classes.map((name, i) => el("option", { value: i }, name)));
  }
  $("target").addEventListener("change", () => {
    const target = Number($("target").value);
    if ($("target").value !== "" && Number.isFinite(target)) setTarget(target);
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
    el("p", {}, "Every weight has moved against its gradient. For this row, before and after:"),
    ...(trace.loss_after > trace.loss
      ? [el("p", {}, "The loss rose: the step was too long. Reset the weights, lower the learning rate, try again.")]
      : []),
    table("Before and after the step", ["", "before", "after"], after),
    table("How far each parameter moved", ["Parameter", "gradient norm", "update / weight"], moved),
  ];
}

/** The weights into the unit that was chosen at the update: those of the largest gradients, before and after. */
function weights() {
  const { column, network } = shown;
  if (!column) return [];
  const { layer, unit, before, gradient, velocity, after, name } = column;
  const order = [...gradient.keys()].sort((a, b) => Math.abs(gradient[b]) - Math.abs(gradient[a])).slice(0, ROWS);
  const named = (i) => (before.length === 1 ? name : inputName(network, layer, i));
  const cells = (i) => [before, gradient, ...(velocity ? [velocity] : []), after].map((values) => number(values[i], 3));
  const header = ["From", "before", "gradient", ...(velocity ? ["velocity"] : []), "after"];
  return [
    el("h3", {}, `Weights into ${unitName(network, layer, unit)} of layer ${layer}, before and after`),
    table(
      "Weights before and after",
      header,
      order.map((i) => [named(i), ...cells(i)]),
    ),
  ];
}

const NUMBERS = { forward: forwardNumbers, loss: lossNumbers, backward: backwardNumbers, update: updateNumbers };
