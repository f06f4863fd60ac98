/**
 * What is on the screen, and what changes it.
 *
 * Views listen to events: input, forward, select, equation, weight, phase, weights, progress, state, problem; and for
 * the walk: epoch (one was made), scrub (an old one is looked at), code (its lines are seen).
 */

import { RemoteEngine } from "glassnet/engine-remote.js";
import { isOff, unitThatIsOn } from "glassnet/still.js";
import { takeToken } from "glassnet/token.js";

/** Milliseconds from a change of the input to the redrawn network, for each one drawn. */
const timings = (window.glassnetTimings = []);

export const PHASES = ["forward", "loss", "backward", "update"];

export const shown = {
  network: null,
  x: null, // the row that goes into the network
  part: null, // where it comes from: "test" and a row's number, or null for a drawing
  row: null,
  truth: null, // what the data say of it, if it is an example
  target: null, // what the network should have answered
  forward: null, // the engine's answer for x
  selected: null, // {layer, unit}
  followed: true, // the selection follows the prediction until someone picks a unit
  weight: null, // {name, index}
  check: null, // what was found for that weight
  phase: 0, // how far the step of learning has gone: an index into PHASES
  trace: null,
  running: false, // the training runs
  at: null, // the epoch whose weights are shown; null for the newest
  view: "example", // what "this view as code" is about
};

const embedded = document.getElementById("glassnet");
export const engine = embedded?.textContent.trim()
  ? await (await import("glassnet/engine-local.js")).LocalEngine.of(JSON.parse(embedded.textContent))
  : new RemoteEngine(takeToken());

const events = new EventTarget();
export const on = (name, listener) => events.addEventListener(name, (event) => listener(event.detail));
export const emit = (name, detail) => events.dispatchEvent(new CustomEvent(name, { detail }));

const problems = new Map(); // {question, or "server" if it can't be reached: what went wrong}, the newest last

/** Ask the engine, by its method's name; a failure is shown until the same question is answered, and gives null. */
export async function ask(question, ...given) {
  let answer = null;
  try {
    answer = await engine[question](...given);
    problems.delete(question);
    problems.delete("server");
  } catch (error) {
    const of = error.unreached ? "server" : question;
    problems.delete(of);
    problems.set(of, error.message);
  }
  emit("problem", [...problems.values()].at(-1) ?? null);
  return answer;
}

export function dismissProblems() {
  problems.clear();
  emit("problem", null);
}

let inFlight = false;
let since = null; // when the oldest change that isn't drawn yet was made

/** Show another row; `moment` is when its change was made (performance.now()). */
export function setInput(x, { part = null, row = null, target } = {}, moment = performance.now()) {
  Object.assign(shown, { x, part, row, view: "example" });
  shown.truth = part === null ? null : target;
  if (target !== undefined) shown.target = target;
  startOver();
  emit("input");
  refresh(moment);
}

/** Compute the outputs anew, with at most one request under way: of many strokes, the newest row is asked for. */
export async function refresh(moment = null) {
  since ??= moment ?? performance.now();
  if (inFlight) return;
  inFlight = true;
  const start = since;
  since = null;
  const answer = await ask("forward", shown.x);
  inFlight = false;
  if (answer) {
    shown.forward = answer;
    shown.target ??= answer.prediction;
    if (shown.followed) follow();
    emit("forward");
    if (moment !== null) requestAnimationFrame(() => timings.push(performance.now() - start));
  }
  if (since !== null) refresh(since);
}

/** Until someone picks a unit, look at the last Dense layer's unit of what is predicted. */
function follow() {
  const { network, forward } = shown;
  const layer = network.layers.findLastIndex((l) => l.kind === "Dense");
  const unit = network.layers[layer].width === network.classes?.length ? forward.prediction : 0;
  if (shown.selected?.layer !== layer || shown.selected.unit !== unit) {
    shown.selected = { layer, unit };
    shown.weight = shown.check = null;
    emit("select");
  }
}

export function select(layer, unit) {
  Object.assign(shown, { selected: { layer, unit }, followed: false, weight: null, check: null, view: "equation" });
  emit("select");
}

export function selectWeight(name, index) {
  Object.assign(shown, { weight: { name, index }, followed: false, check: null, view: "equation" });
  emit("weight");
}

/** Compare the chosen weight's gradient with what the loss does when that weight is nudged. */
export async function checkWeight() {
  const { x, target, weight } = shown;
  const check = await ask("check", x, target, weight.name, weight.index);
  if (!check || shown.weight !== weight) return;
  Object.assign(shown, { check, view: "check" });
  emit("weight");
}

export function setTarget(target) {
  shown.target = target;
  startOver();
  emit("phase");
}

/** Whether the training runs, and which epoch's weights are shown: it says what can be done now. */
export function setState(running, at) {
  if (running === shown.running && at === shown.at) return;
  Object.assign(shown, { running, at });
  emit("state");
}

function startOver() {
  if (shown.phase) {
    Object.assign(shown, { phase: 0, trace: null });
    emit("phase");
  }
  shown.trace = shown.check = null;
}

let last = Promise.resolve();

/** Do one thing after the other, however fast the clicks come: the next one begins where the last one ended. */
export function inTurn(action) {
  last = last.finally(() => action());
}

/** Go on to a phase of one step of learning; the last one moves the weights. */
export async function goTo(phase) {
  if (shown.phase === 3 || phase < shown.phase) startOver();
  if (phase > 0) {
    const { x, target } = shown;
    if (phase === 3) await columns();
    const trace = await ask("trace", x, target, phase === 3);
    if (!trace) return;
    shown.before = shown.forward;
    Object.assign(shown, { trace, phase, view: "trace" });
    if (phase === 3) {
      shown.check = null;
      await refresh();
    }
  }
  emit("phase");
}

/** The weights into the selected unit, as this step finds and leaves them; if it is off, of one that is on as well. */
async function columns() {
  const { layer, unit } = shown.selected;
  shown.column = await columnOf(layer, unit);
  const on = isOff(layer, unit) ? unitThatIsOn(layer) : null;
  shown.instead = on === null ? null : await columnOf(layer, on);
}

async function columnOf(layer, unit) {
  const { x, target, network, weight } = shown;
  const names = Object.keys(network.layers[layer].parameters).map((name) => `${layer}.${name}`);
  if (!names.length) return null;
  const name = names.includes(weight?.name) ? weight.name : names[0];
  const column = await ask("parameter", x, target, name, unit);
  return column && { ...column, name, layer, unit, off: isOff(layer, unit) };
}

/** Look at the weights of the unit that is on, instead of those that the step left as they were. */
export function lookAtInstead() {
  const { layer, unit } = (shown.column = shown.instead);
  shown.instead = null;
  select(layer, unit);
  emit("phase");
}

/** Look at other weights than before: training has gone on, or the page went back to an epoch. */
export async function weightsChanged() {
  startOver();
  emit("weights");
  await refresh();
}

/** Bring back the weights that the page began with, or, with "restart", untrained ones. */
export async function reset(action = "reset") {
  const progress = await ask("train", action);
  if (progress) emit("progress", progress);
  await weightsChanged();
}
