/** The playground: a network that is built and trained in this page. */

import { advance, app, begin, compare, on, present, problem, setRunning } from "glassnet/app.js";
import { diagram, makeBuilding } from "glassnet/build.js";
import { $ } from "glassnet/dom.js";
import { count } from "glassnet/format.js";
import { makeLandscape } from "glassnet/landscape.js";
import { draw, makePictures } from "glassnet/picture.js";
import { makePoints } from "glassnet/points.js";
import { makeSharing, restore } from "glassnet/share.js";
import { Slow } from "glassnet/slow.js";
import { start } from "glassnet/spec.js";
import { makeThemeSwitch } from "glassnet/theme-switch.js";
import { takeToken } from "glassnet/token.js";
import { makeWords } from "glassnet/words.js";

const BUDGET = 9; // milliseconds of a frame that training may take
const HURRIED = 3; // of one that comes late: then drawing takes long, and should still go on 30 times a second
const LATE = 25; // milliseconds between two frames
const AT_ONCE = 25; // steps between two looks at the clock
const SPEEDS = [1, 3, 10, 30, 100, 300, 1000, 10_000, Infinity]; // steps a second

const frames = (window.glassnetFrames = []); // when the plane was drawn while training ran
const pace = { owed: 0, then: null, frame: 0 }; // steps that are due, the time up to which they were counted, the last frame

const slow = new Slow({
  changed(flow) {
    diagram.flow = flow;
    diagram.numbers(flow?.values ?? null);
  },
  done: () => advance(1),
});

/** Train for a frame's share of time. */
function trainSome(now) {
  const speed = SPEEDS[$("speed").value];
  if (speed === Infinity) {
    const end = performance.now() + (now - pace.frame > LATE ? HURRIED : BUDGET);
    pace.frame = now;
    while (app.running && performance.now() < end) advance(AT_ONCE);
    return;
  }
  pace.owed += (speed * Math.min(100, now - (pace.then ?? now - 1000 / speed))) / 1000;
  pace.then = now;
  while (app.running && pace.owed >= 1) pace.owed -= advance(Math.floor(pace.owed)) || pace.owed;
}

function frame(now) {
  if (app.running) trainSome(now);
  if (app.dirty && app.run) {
    app.dirty = false;
    draw(now);
    if (app.running) frames.push(now);
  }
  requestAnimationFrame(frame);
}

function saySpeed() {
  const speed = SPEEDS[$("speed").value];
  const words = speed === Infinity ? "all out" : `${count(speed)} step${speed > 1 ? "s" : ""} a second`;
  $("speed-value").textContent = words;
  $("speed").setAttribute("aria-valuetext", words);
  Object.assign(pace, { owed: 0, then: null });
}

/** A button that acts on the run while nothing trains. */
const onClick = (id, act) =>
  $(id).addEventListener("click", () => {
    setRunning(false);
    if (app.run) act();
  });

$("start").addEventListener("click", () => setRunning(!app.running));
onClick("one-step", () => {
  advance(1);
  setRunning(false);
});
onClick("one-epoch", () => {
  const { epoch } = app.run.training;
  while (app.run.training.epoch === epoch && advance(1e6));
  setRunning(false);
});
onClick("slow-motion", () => {
  present();
  slow.begin(app.run);
});
onClick("keep", compare);
$("dismiss").addEventListener("click", () => problem(null));
$("speed").addEventListener("input", saySpeed);
on("running", () => {
  Object.assign(pace, { owed: 0, then: null });
  $("start").textContent = app.running ? "Pause" : "Start";
  $("start").setAttribute("aria-pressed", String(app.running));
  if (app.running && slow.open) slow.close();
});
on("begun waiting", () => slow.open && slow.close());
on("changed", () => slow.open && slow.begin(app.run));

if ($("explorer")) takeToken(); // of the server, for the page that is linked
makeThemeSwitch();
makeBuilding();
makePictures();
makePoints();
makeLandscape();
makeSharing();
makeWords();
saySpeed();
try {
  if (!restore()) begin(start());
} catch (error) {
  begin(start());
  problem(error.message);
}
requestAnimationFrame(frame);
document.body.dataset.ready = "true";
