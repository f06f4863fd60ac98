/** What the network answers: the class with its probability, or the value; and what it should have answered. */

import { $, el, settled } from "glassnet/dom.js";
import { number, percent } from "glassnet/format.js";
import { on, shown } from "glassnet/model.js";

const MOST = 12; // classes shown, the likeliest if there are more

export function makeOutput() {
  on("forward", draw);
  on("phase", draw);
  on("forward", settled(say, 400)); // a screen reader hears the end of a stroke, not each of its points
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
