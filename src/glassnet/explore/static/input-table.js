/** A table's row: numbers by slider or typed, categories by name, dates as dates; and what may be missing. */

import { $, el } from "glassnet/dom.js";
import { number } from "glassnet/format.js";
import { on, setInput, shown } from "glassnet/model.js";

const DAY = 86_400_000; // milliseconds
const OTHER = -1; // the number of a category that training didn't see

const inputs = []; // of each column: write(value) shows one

/** The power of ten that divides a column's range into 100 to 1,000 steps. */
function stepOf({ min, max }) {
  const range = max - min || 1;
  const step = 10 ** Math.floor(Math.log10(range / 100));
  return Number(step.toPrecision(1));
}

const toDate = (days) => new Date(Math.round(days) * DAY).toISOString().slice(0, 10);

export function makeTable() {
  shown.network.ranges.forEach((range, i) => {
    const make = { category: makeChoice, boolean: makeChoice, date: makeDate }[range.kind] ?? makeNumber;
    const { parts, write } = make(range, i);
    inputs.push(write);
    const { name } = range;
    $("sliders").append(
      el("div", { class: "feature" }, el("label", { for: `feature-${i}`, title: name }, name), ...parts),
    );
  });
  on("input", () => inputs.forEach((write, i) => write(shown.x[i])));
}

function move(i, value, moment) {
  const { missing } = shown.network.ranges[i];
  if (value === null ? !missing : !Number.isFinite(value)) return;
  const x = Array.from(shown.x);
  x[i] = value;
  setInput(x, {}, moment);
}

/** A select of names; the last ones are for a category that training didn't see, and for none. */
function makeChoice({ kind, categories, missing }, i) {
  const names = kind === "boolean" ? ["no", "yes"] : categories;
  const select = el("select", {
    id: `feature-${i}`,
    onchange: (event) => move(i, select.value === "" ? null : Number(select.value), event.timeStamp),
  });
  names.forEach((name, code) => select.append(el("option", { value: code }, name)));
  if (kind === "category") select.append(el("option", { value: OTHER }, "another"));
  if (missing) select.append(el("option", { value: "" }, "missing"));
  return { parts: [select], write: (value) => (select.value = value ?? "") };
}

/** A day; no day is a missing one. */
function makeDate({ min, max }, i) {
  const input = el("input", {
    type: "date",
    id: `feature-${i}`,
    min: toDate(min),
    max: toDate(max),
    onchange: (event) => move(i, input.value ? input.valueAsNumber / DAY : null, event.timeStamp),
  });
  return { parts: [input], write: (value) => (input.value = value === null ? "" : toDate(value)) };
}

/** A slider, and a field to type in; an empty field is a missing value. */
function makeNumber(range, i) {
  const { name, min, max, typical, missing } = range;
  const slider = el("input", {
    type: "range",
    min,
    max,
    step: stepOf(range),
    "aria-label": `${name}, from ${number(min)} to ${number(max)}, typically ${number(typical)}`,
    id: `feature-${i}`,
    oninput: (event) => move(i, slider.valueAsNumber, event.timeStamp),
  });
  const typed = el("input", {
    type: "number",
    step: "any",
    placeholder: missing ? "missing" : null,
    "aria-label": `${name}, as a number`,
    oninput(event) {
      if (!typed.validity.badInput) move(i, typed.value === "" ? null : typed.valueAsNumber, event.timeStamp);
    },
  });
  const write = (value) => {
    slider.value = value ?? typical;
    if (document.activeElement !== typed) typed.value = value === null ? "" : Number(Number(value).toPrecision(6));
  };
  return { parts: [typed, slider], write };
}

/** A value of a column as the table writes it. */
export function written(i, value) {
  const { kind, categories } = shown.network.ranges[i];
  if (value === null) return "missing";
  if (kind === "category") return categories[value] ?? "another";
  if (kind === "boolean") return value ? "yes" : "no";
  return kind === "date" ? toDate(value) : number(value);
}

export const typicalRow = () => shown.network.ranges.map(({ typical }) => typical);
