/** A table's row, each value moved by a slider or typed. */

import { $, el } from "glassnet/dom.js";
import { number } from "glassnet/format.js";
import { on, setInput, shown } from "glassnet/model.js";

const inputs = [];

/** The power of ten that divides a column's range into 100 to 1,000 steps. */
function stepOf({ min, max }) {
  const range = max - min || 1;
  const step = 10 ** Math.floor(Math.log10(range / 100));
  return Number(step.toPrecision(1));
}

export function makeTable() {
  for (const [i, range] of shown.network.ranges.entries()) {
    const { name, min, max, typical } = range;
    const label = `${name}, from ${number(min)} to ${number(max)}, typically ${number(typical)}`;
    const slider = el("input", {
      type: "range",
      min,
      max,
      step: stepOf(range),
      "aria-label": label,
      id: `feature-${i}`,
    });
    const typed = el("input", {
      type: "number",
      step: "any",
      placeholder: "missing",
      "aria-label": `${name}, as a number`,
    });
    slider.addEventListener("input", (event) => move(i, slider.valueAsNumber, event.timeStamp));
    typed.addEventListener("input", (event) => move(i, typed.valueAsNumber, event.timeStamp));
    inputs.push({ slider, typed });
    $("sliders").append(
      el("div", { class: "feature" }, el("label", { for: `feature-${i}`, title: name }, name), typed, slider),
    );
  }
  on("input", fill);
}

function move(i, value, moment) {
  if (!Number.isFinite(value)) return;
  const x = Array.from(shown.x);
  x[i] = value;
  setInput(x, {}, moment);
}

/** The row's values in all inputs but the one that is being typed in. */
function fill() {
  inputs.forEach(({ slider, typed }, i) => {
    const missing = shown.x[i] === null;
    slider.value = missing ? shown.network.ranges[i].typical : shown.x[i];
    if (document.activeElement !== typed) typed.value = missing ? "" : Number(Number(shown.x[i]).toPrecision(6));
  });
}

export const typicalRow = () => shown.network.ranges.map(({ typical }) => typical);
