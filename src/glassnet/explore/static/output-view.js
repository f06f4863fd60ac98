/** What the network answers: the class with its probability, or the value; what it should have answered; and why. */

import { $, el, oneAtATime, settled } from "glassnet/dom.js";
import { number, percent } from "glassnet/format.js";
import { written } from "glassnet/input-table.js";
import { ask, engine, on, shown } from "glassnet/model.js";

const MOST = 12; // classes shown, the likeliest if there are more
const PARTS = 8; // columns shown, those that add or take most

export function makeOutput() {
  on("forward", draw);
  on("phase", draw);
  on("forward", settled(say, 400)); // a screen reader hears the end of a stroke, not each of its points
  if (shown.network.ranges && engine.contributions) on("forward", settled(oneAtATime(reasons), 200));
}

function draw() {
  const { forward, network } = shown;
  if (!forward) return;
  $("changed").hidden = !forward.by_hand;
  if (network.task === "regression") {
    $("answer").textContent = number(forward.prediction);
    $("answer-note").textContent = `predicted ${network.target}${truth(number)}`;
    $("bars").hidden = true;
    return;
  }
  const { probabilities: p, prediction } = forward;
  $("answer").textContent = network.classes[prediction];
  $("answer-note").textContent = `with ${percent(p[prediction])}${truth((t) => network.classes[t])}`;
  bars(p, prediction);
}

/** What the data say, if this is an example. */
function truth(word) {
  return shown.truth === null ? "" : `; the data say ${word(shown.truth)}`;
}

function bars(p, prediction) {
  const order = [...p.keys()];
  if (p.length > MOST) order.sort((a, b) => p[b] - p[a]).splice(MOST);
  const rows = order.map((i) =>
    el(
      "li",
      { class: i === prediction ? "best" : null },
      el("span", { class: "class" }, shown.network.classes[i]),
      el("span", { class: "track" }, el("span", { class: "share", style: `width:${100 * p[i]}%` })),
      el("span", { class: "percent" }, percent(p[i])),
    ),
  );
  $("bars").replaceChildren(...rows);
}

function say() {
  const words = `${$("answer").textContent} ${$("answer-note").textContent}`;
  if ($("said").textContent !== words) $("said").textContent = words;
}

/** What each column of a table's row adds to the mean answer, so that this one comes out. */
async function reasons() {
  const { x, network } = shown;
  const found = await ask("contributions", x);
  if (!found || x !== shown.x) return;
  const answer = (value) => (found.of === null ? number(value) : percent(value));
  const change = (value) => `${value < 0 ? "−" : "+"}${found.of === null ? number(Math.abs(value)) : (100 * Math.abs(value)).toFixed(1)}`;
  const what = found.of === null ? network.target : `the probability of ${network.classes[found.of]}`;
  $("reasons").hidden = false;
  $("reasons-words").textContent =
    `What each column adds to ${what}: from ${answer(found.background)}, the mean answer to ${found.rows} training rows, ` +
    `to ${answer(found.answer)}${found.of === null ? "" : ", in percentage points"}.`;
  const order = [...found.parts.keys()].sort((a, b) => Math.abs(found.parts[b]) - Math.abs(found.parts[a]));
  const rows = order.slice(0, PARTS).map((i) => [`${network.features[i]} = ${written(i, x[i])}`, found.parts[i]]);
  const rest = order.slice(PARTS);
  if (rest.length) rows.push([`${rest.length} other columns`, rest.reduce((sum, i) => sum + found.parts[i], 0)]);
  const largest = Math.max(...rows.map(([, part]) => Math.abs(part))) || 1;
  $("parts").replaceChildren(
    ...rows.map(([name, part]) => {
      const size = (50 * Math.abs(part)) / largest;
      const style = `width:${size}%;left:${part < 0 ? 50 - size : 50}%`;
      const fill = el("span", { class: `fill ${part < 0 ? "negative" : "positive"}`, style });
      const track = el("span", { class: "bar-track", "aria-hidden": "true" }, fill);
      return el("li", {}, el("span", { class: "part-name", title: name }, name), track, el("span", { class: "percent" }, change(part)));
    }),
  );
}
