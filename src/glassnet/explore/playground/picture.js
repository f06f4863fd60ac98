/** The pictures of the run: the plane, the maps and lines of the network, the curves, and the figures. */

import { app, goBack, on, present, setRunning } from "glassnet/app.js";
import { diagram } from "glassnet/build.js";
import { onTheme } from "glassnet/colour.js";
import { Curve } from "glassnet/curve.js";
import { Curves } from "glassnet/curves.js";
import { $, el } from "glassnet/dom.js";
import { count, number, percent } from "glassnet/format.js";
import { Plane } from "glassnet/plane.js";
import { classCss } from "glassnet/shades.js";
import { findings } from "glassnet/watch.js";

const OFTEN = 60; // milliseconds between two drawings of the curves
const SELDOM = 250; // and between two looks of the doctor

const shown = { train: true, test: true, sharp: false };
const [own, beside] = ["plane", "kept-plane"].map((id) => ({ plane: new Plane($(id)), curve: new Curve($(id)) }));
const curves = new Curves($("curves"));
const seen = { curves: 0, doctor: 0, found: null };

function drawRun(run, { plane, curve }, outputs) {
  if (run.flat) curve.draw(run.data, outputs.at(-1), run.bends(outputs), shown);
  else plane.draw(run.data, run.axes, outputs.at(-1), run.training.net.n_out, shown);
}

/** Draw all that has changed; what need not follow every frame is drawn now and then. */
export function draw(now) {
  const { run, kept } = app;
  const outputs = run.outputs();
  drawRun(run, own, outputs);
  diagram.maps(outputs, run.rows, run.flat);
  diagram.lines();
  if (kept) drawRun(kept, beside, kept.outputs());
  figures();
  const due = (what, after) => {
    if (app.running && now - seen[what] < after) return false;
    seen[what] = now;
    return true;
  };
  if (due("curves", OFTEN)) drawCurves();
  if (due("doctor", SELDOM)) {
    scrub();
    doctor();
  }
}

function drawCurves() {
  const runs = [{ history: app.run.training.history }];
  if (app.kept) runs.push({ history: app.kept.training.history, faint: true });
  if (app.ghost) runs.push({ history: app.ghost, faint: true });
  curves.draw(runs, app.at);
}

const share = (value) => (value === undefined ? "–" : value === 1 ? "100%" : percent(value));

function figures() {
  const { training, data } = app.run;
  const row = app.at === null ? training.history.at(-1) : training.history.find(({ epoch }) => epoch === app.at);
  $("epoch").textContent = count(app.at ?? training.epoch);
  $("step-number").textContent = count(app.at === null ? training.step : row.step);
  $("loss-train").textContent = number(row.loss, 3);
  $("loss-test").textContent = number(row.val_loss, 3);
  $("right").hidden = !data.classes;
  if (!data.classes) return;
  $("right-train").textContent = share(row.accuracy);
  $("right-test").textContent = share(row.val_accuracy);
}

/** The slider back to an epoch. */
function scrub() {
  const kept = app.run.training.snapshots.size;
  $("scrub").max = kept;
  if (app.at === null) $("scrub").value = kept;
  $("scrub-row").hidden = kept < 2;
  $("scrub-value").textContent = app.at === null ? "now" : `epoch ${count(app.at)}`;
  $("branch").hidden = app.at === null;
}

function doctor() {
  const list = findings(app.run);
  const text = JSON.stringify(list);
  if (text === seen.found) return;
  seen.found = text;
  $("findings-none").hidden = list.length > 0;
  $("findings").replaceChildren(
    ...list.map(({ name, words, advice, group, units, at }) => {
      const point = () => (at ? pointAt(at) : diagram.point(group, units));
      const button = el("button", { type: "button", class: "small", onclick: point }, "Show me");
      return el(
        "li",
        { class: "finding warning" },
        el("p", { class: "finding-title" }, name),
        el("p", {}, words),
        el("p", { class: "note" }, advice),
        button,
      );
    }),
  );
}

/** Frame a part of the page until something else is pointed at. */
function pointAt(id) {
  diagram.unpoint();
  $(id).classList.add("pointed");
  $(id).scrollIntoView({ block: "center" });
}

/** Which two inputs the plane shows, if there are more. */
function axes() {
  const { run } = app;
  const { features, width, derived, target } = run.data;
  const choices = features.slice(0, width - derived.length);
  $("axes").hidden = choices.length < 3;
  $("x-name").textContent = features[run.axes[0]];
  $("y-name").textContent = width === 1 ? target : features[run.axes[1]];
  ["axis-x", "axis-y"].forEach((id, i) => {
    $(id).replaceChildren(...choices.map((name, j) => el("option", { value: j }, name)));
    $(id).value = run.axes[i];
  });
}

function legend() {
  const classes = app.run ? (app.run.data.classes ?? []) : ["0", "1"];
  $("classes").replaceChildren(
    ...classes.map((name, i) =>
      el("span", { class: "class-name" }, el("span", { class: "swatch", style: `background:${classCss(i)}` }), name),
    ),
  );
}

export function makePictures() {
  const redraw = () => (app.dirty = true);
  for (const [part, id] of Object.entries({ train: "show-train", test: "show-test", sharp: "sharp" }))
    $(id).addEventListener("change", () => {
      shown[part] = $(id).checked;
      redraw();
    });
  $("log").addEventListener("change", () => {
    curves.log = $("log").checked;
    redraw();
  });
  for (const id of ["axis-x", "axis-y"])
    $(id).addEventListener("change", () => {
      app.run.look([Number($("axis-x").value), Number($("axis-y").value)]);
      axes();
      redraw();
    });
  $("scrub").addEventListener("input", () => goBack(Number($("scrub").value)));
  $("branch").addEventListener("click", () => {
    present();
    setRunning(true);
  });
  on("begun", axes);
  on("begun waiting", legend);
  on("begun changed", () => {
    scrub();
    $("kept").hidden = !app.kept;
    $("keep").setAttribute("aria-pressed", String(Boolean(app.kept)));
    $("keep").textContent = app.kept ? "Stop comparing" : "Compare with this";
  });
  onTheme(() => {
    legend();
    redraw();
  });
  new ResizeObserver(redraw).observe($("plane"));
}
