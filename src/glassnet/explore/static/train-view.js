/** Training, live: start and pause, the settings, the curves, the doctor, and the way back through the epochs. */

import { Chart } from "glassnet/chart.js";
import { $, settled } from "glassnet/dom.js";
import { showFindings } from "glassnet/findings.js";
import { count, number } from "glassnet/format.js";
import { ask, emit, on, reset, setState, shown, weightsChanged } from "glassnet/model.js";

const EVERY = 250; // milliseconds between two looks at a running training,
const SELDOM = 2000; // at a paused one, which somebody else may start,
const LONGEST = 30_000; // and at most, at a server that doesn't answer
const MOST = 20_000; // losses that are kept
const DRAWN = 240; // points of the loss curve, each the mean of the steps that it stands for

let last = null; // the newest progress
let losses = [];
let charts = null;
let [asked, taken] = [0, 0]; // the numbers of the newest question, and of the newest whose answer was taken
let timer = null; // of the next look
let wait = EVERY;
const settings = {}; // {name: {show, pending}}

export function makeTraining() {
  const { network } = shown;
  $("training").dataset.able = network.can_train;
  $("cannot").textContent = network.why_not ?? "";
  $("cannot").hidden = network.can_train;
  for (const id of ["start", "one-step", "one-epoch"]) $(id).disabled = !network.can_train;
  $("start").addEventListener("click", () => act(last?.running ? "pause" : "start"));
  $("one-step").addEventListener("click", () => act("step"));
  $("one-epoch").addEventListener("click", () => act("epoch"));
  $("reset").addEventListener("click", () => reset());
  $("restart").addEventListener("click", async () => {
    await reset("restart");
    $("fresh").hidden = false;
  });
  $("restart").hidden = !network.trained;
  note(network.note);
  $("scrub").addEventListener("input", scrub);
  makeSettings();
  const regression = network.task === "regression";
  charts = {
    loss: new Chart({ title: "Loss of each batch", x: "step" }),
    metric: new Chart({
      title: regression ? "Error on validation rows (RMSE)" : "Accuracy on validation rows",
      x: "epoch",
      word: regression ? number : (v) => `${Number((100 * v).toFixed(2))}%`,
      most: regression ? Infinity : 1,
    }),
  };
  $("charts").append(charts.loss.element, charts.metric.element);
  on("progress", (progress) => {
    [last, losses] = [null, []];
    take(progress, (asked += 1));
  });
  look();
}

/** What is to be said of the learning rate. */
function note(words) {
  $("rate-note").hidden = !words;
  $("rate-note").textContent = words ? `${words[0].toUpperCase()}${words.slice(1)}.` : "";
}

function makeSettings() {
  const { optimizer, batch_size: batch } = shown.network;
  const kinds = {
    lr: { value: (v) => 10 ** v, slide: Math.log10, word: (v) => number(v, 2), now: optimizer.lr },
    momentum: { value: Number, slide: Number, word: (v) => number(v, 2), now: optimizer.momentum },
    batch_size: { value: (v) => 2 ** v, slide: Math.log2, word: count, now: batch },
  };
  for (const [name, { value, slide, word, now }] of Object.entries(kinds)) {
    const [input, output] = [$(name), $(`${name}-value`)];
    if (now === null || now === undefined) {
      $(`${name}-row`).hidden = true;
      continue;
    }
    const set = (v) => {
      output.textContent = word(v);
      input.setAttribute("aria-valuetext", word(v));
      shown[name] = v;
    };
    const setting = { input, pending: false };
    setting.show = (v) => {
      input.value = slide(v);
      set(v);
    };
    settings[name] = setting;
    setting.show(now);
    const send = settled(async () => {
      await ask("settings", { [name]: shown[name] });
      setting.pending = false;
    }, 120);
    input.addEventListener("input", () => {
      setting.pending = true;
      set(Number(value(input.valueAsNumber).toPrecision(2 + (name === "batch_size") * 6)));
      send();
    });
  }
}

async function act(action) {
  shown.view = "train";
  const mine = (asked += 1);
  const progress = await ask("train", action);
  if (progress) await take(progress, mine);
  look();
}

/** Look at the training again and again, whoever started it; the network on the page follows. */
async function look() {
  clearTimeout(timer);
  const mine = (asked += 1);
  const since = losses.at(-1)?.[0] ?? 0;
  const progress = await ask("progress", since);
  if (progress) await take(progress, mine, since);
  const busy = progress?.running || (losses.at(-1)?.[0] ?? 0) < progress?.step;
  wait = progress ? (busy ? EVERY : SELDOM) : Math.min(2 * wait, LONGEST);
  clearTimeout(timer);
  timer = setTimeout(look, wait);
}

/** Take the answer to question number `mine`, with the losses after step `since`. */
async function take(progress, mine, since = 0) {
  if (mine < taken) return;
  taken = mine;
  const anew = last && (progress.course !== last.course || progress.step < last.step); // reset, maybe by another page
  const moved = last && (anew || progress.step !== last.step || progress.at !== last.at);
  if (anew) losses = [];
  const from = losses.at(-1)?.[0] ?? 0;
  if (since <= from) losses.push(...progress.loss.filter(([step]) => step > from)); // else the next look has them all
  if (losses.length > MOST) losses = losses.filter((_, i) => i % 2 === 0 || i === losses.length - 1);
  last = progress;
  for (const [name, value] of Object.entries(progress.settings ?? {}))
    if (settings[name] && !settings[name].pending && shown[name] !== value) settings[name].show(value);
  draw();
  if (!moved) return;
  await weightsChanged();
  if (progress.at !== null) emit("scrub");
  else if (progress.epochs.length) emit("epoch");
}

function draw() {
  const { running, step, epoch, steps_per_epoch: perEpoch, epochs, snapshots, at, problem, findings } = last;
  setState(running, at);
  $("past").hidden = at === null;
  for (const { input } of Object.values(settings)) input.disabled = at !== null;
  $("start").textContent = running ? "Pause" : "Start";
  for (const id of ["one-step", "one-epoch"]) $(id).disabled = running || !shown.network.can_train;
  const whole = perEpoch ? `, epoch ${count(epoch)} of ${count(perEpoch)} steps each` : "";
  $("where").textContent =
    at === null
      ? `${running ? "Training" : "Paused"}: step ${count(step)}${whole}`
      : `Looking back at epoch ${count(at)}; training goes on from the newest weights, step ${count(step)}.`;
  if (step) $("fresh").hidden = true;
  $("training").dataset.step = step;
  $("stopped").textContent = problem ?? "";
  $("stopped").hidden = !problem;
  const metric = shown.network.task === "regression" ? "val_rmse" : "val_accuracy";
  const points = epochs.filter((e) => e[metric] !== null && e[metric] !== undefined).map((e) => [e.epoch, e[metric]]);
  charts.loss.draw(averaged(losses), at ? (epochs.find((e) => e.epoch === at)?.step ?? null) : at);
  charts.metric.draw(points, at);
  drawScrub(running, snapshots, at);
  showFindings(findings);
  const newest = points.at(-1)?.[1];
  const measured = newest === undefined || at !== null ? "" : charts.metric.word(newest);
  $("measured").textContent = measured && metric === "val_rmse" ? `RMSE ${measured}` : measured;
}

/** The mean loss of each of at most DRAWN equal stretches of steps. */
function averaged(points) {
  if (points.length <= DRAWN) return points;
  const [first, end] = [points[0][0], points.at(-1)[0] + 1];
  const bins = Array.from({ length: DRAWN }, () => [0, 0, 0]);
  for (const [step, loss] of points) {
    const bin = bins[Math.floor(((step - first) / (end - first)) * DRAWN)];
    [bin[0], bin[1], bin[2]] = [bin[0] + step, bin[1] + loss, bin[2] + 1];
  }
  return bins.filter((bin) => bin[2]).map(([step, loss, n]) => [step / n, loss / n]);
}

function drawScrub(running, snapshots, at) {
  $("scrub-row").hidden = !snapshots.length;
  $("scrub").disabled = running;
  $("scrub").max = snapshots.length;
  const place = at === null ? snapshots.length : snapshots.indexOf(at);
  if (document.activeElement !== $("scrub") || at === null) $("scrub").value = place;
  const word = at === null ? "newest" : `epoch ${at}`;
  $("scrub-value").textContent = word;
  $("scrub").setAttribute("aria-valuetext", word);
}

let wanted = null; // the epoch that the slider was moved to; null for the newest weights

const goBack = settled(async () => {
  const mine = (asked += 1);
  const progress = await ask("scrub", wanted);
  if (progress) await take(progress, mine);
  else drawScrub(last.running, last.snapshots, last.at);
}, 60);

/** Show the weights as they were after an epoch; the last place of the slider is the newest. */
function scrub() {
  wanted = last.snapshots[$("scrub").valueAsNumber] ?? null;
  $("scrub-value").textContent = wanted === null ? "newest" : `epoch ${wanted}`;
  goBack();
}
