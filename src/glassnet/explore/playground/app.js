/**
 * The state of the playground, and what changes it.
 *
 * Views listen to events: begun (a new run), waiting (points are missing), changed (something else to see), running.
 */

import { $ } from "glassnet/dom.js";
import { bytes } from "glassnet/encoding.js";
import { Run } from "glassnet/run.js";

export const module = await WebAssembly.compile(bytes($("kernels").textContent)).catch((error) => {
  problem("this browser can't run WebAssembly with SIMD, which this page computes with: take a newer one");
  throw error;
});

export const app = (window.glassnetPlayground = {
  run: null, // what is trained
  kept: null, // the run beside it, to compare with
  waiting: null, // a spec whose points are still to be drawn
  running: false,
  at: null, // the epoch that is looked at; null: the newest
  ghost: null, // the history of a branch that was left
  dirty: true, // there is something to draw
});

const events = new EventTarget();
export const on = (names, listener) => names.split(" ").forEach((name) => events.addEventListener(name, listener));
const emit = (name) => {
  app.dirty = true;
  events.dispatchEvent(new Event(name));
};

export function problem(words) {
  $("problem").hidden = !words;
  $("problem-words").textContent = words ?? "";
}

/** Begin a training. Faults of the settings are said, and what ran before stays. */
export function begin(spec) {
  let run;
  try {
    run = new Run(module, spec);
  } catch (error) {
    problem(error.message);
    if (spec.data.kind !== "drawn") return;
    Object.assign(app, { run: null, waiting: spec });
    setRunning(false);
    emit("waiting");
    return;
  }
  problem(null);
  Object.assign(app, { run, waiting: null, at: null, ghost: null });
  if (app.kept) app.kept = beside({ ...app.kept.spec, data: run.spec.data });
  emit("begun");
}

/** Take a changed spec. An optimizer's numbers act on the training that runs; all else begins it anew. */
export function change(spec, live = false) {
  if (!live || !sameBut(spec, app.run.spec, "optimizer")) return begin(spec);
  present();
  app.run.spec = spec;
  app.run.training.set(spec.optimizer);
  emit("changed");
}

const sameBut = (a, b, part) => JSON.stringify({ ...a, [part]: 0 }) === JSON.stringify({ ...b, [part]: 0 });

/** A run of other settings on the same data; null if these can't learn from them. */
function beside(spec) {
  try {
    return new Run(module, spec);
  } catch {
    return null;
  }
}

/** Keep the present settings beside, and begin both anew; or let go of them. */
export function compare() {
  app.kept = app.kept ? null : beside(app.run.spec);
  if (app.kept) begin(app.run.spec);
  emit("changed");
}

/** Make steps, and as many of the run that is kept beside. Returns how many. */
export function advance(most) {
  present();
  const { training } = app.run;
  const done = training.advance(most);
  if (app.kept) for (let left = done; left > 0; ) left -= app.kept.training.advance(left) || left;
  if (training.failure) {
    setRunning(false);
    problem(training.failure);
  }
  app.dirty = true;
  return done;
}

/** Go on from the epoch that is looked at, if it is an old one: what came after it stays as a pale line. */
export function present() {
  if (app.at === null) return;
  app.ghost = app.run.training.history;
  app.run.training.back(app.at);
  app.at = null;
  emit("changed");
}

/** Look at the weights after the epoch of this snapshot; the one after the last: the newest. */
export function goBack(place) {
  setRunning(false);
  const { training } = app.run;
  const kept = [...training.snapshots.keys()];
  if (app.at === null) app.newest = training.state();
  app.at = place >= kept.length ? null : kept[place];
  training.restore(app.at === null ? app.newest : training.snapshots.get(app.at));
  emit("changed");
}

/** Set one weight by hand. */
export function moveWeight(place, value) {
  present();
  app.run.training.move(place, value);
  app.dirty = true;
}

export function setRunning(running) {
  app.running = running && app.run !== null;
  emit("running");
}
