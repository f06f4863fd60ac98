/** Controls for the arguments of the library's objects: what they are and may be, the catalog says. */

import { el } from "glassnet/dom.js";
import { number } from "glassnet/format.js";
import { named } from "glassnet/words.js";

let fields = 0;

/** Why a value can't be this argument, or null if it can. */
export function fault({ low, above, high, below, optional }, value) {
  if (value === null) return optional ? null : "a number is needed";
  if (!Number.isFinite(value)) return "this is no number";
  if (low !== undefined && value < low) return `at least ${low}`;
  if (above !== undefined && value <= above) return `above ${above}`;
  if (high !== undefined && value > high) return `at most ${high}`;
  if (below !== undefined && value >= below) return `below ${below}`;
  return null;
}

/** A control for one argument; `change(value)` hears of every value that it may have. */
export function field(argument, value, change) {
  const { name, kind } = argument;
  const id = `field-${++fields}`;
  const words = name.replaceAll("_", " ");
  if (kind === "choice") return choice(words, argument.choices, value, change);
  if (kind === "pair") {
    const one = (i) =>
      field({ ...argument, kind: "number", name: `${name} ${i + 1}` }, value[i], (v) =>
        change((value = value.map((old, j) => (i === j ? v : old)))),
      );
    return el("div", { class: "pair" }, one(0), one(1));
  }
  const [label, meaning] = named(words, id);
  if (kind === "flag") {
    const box = el("input", { type: "checkbox", id, onchange: () => change(box.checked) });
    box.checked = value;
    return el("div", { class: "field" }, label, box, meaning);
  }
  const wrong = el("span", { class: "wrong", id: `${id}-wrong`, role: "status" });
  const box = el("input", {
    type: "number", id, step: "any", "aria-describedby": wrong.id,
    placeholder: argument.optional ? "none" : null,
    onchange() {
      const given = box.value === "" ? null : Number(box.value);
      const why = fault(argument, given);
      wrong.textContent = why ?? "";
      box.setAttribute("aria-invalid", why ? "true" : "false");
      if (!why) change(given);
    },
  });
  box.value = value ?? "";
  return el("div", { class: "field" }, label, box, wrong, meaning);
}

/** A choice among names. */
export function choice(words, names, value, change, labels = {}) {
  const id = `field-${++fields}`;
  const select = el("select", { id, onchange: () => change(select.value) });
  for (const name of names) select.append(el("option", { value: name }, labels[name] ?? name));
  select.value = value;
  const [label, meaning] = named(words, id);
  return el("div", { class: "field" }, label, select, meaning);
}

/** A slider; `shown(value)` is its value as text, and `to`, `from` turn the slider's place into a value and back. */
export function slider(words, { min, max, step, value, to = (v) => v, from = (v) => v, shown = number }, change) {
  const id = `field-${++fields}`;
  const output = el("output", { for: id }, shown(value));
  const range = el("input", {
    type: "range", id, min, max, step, "aria-valuetext": shown(value),
    oninput() {
      const now = to(Number(range.value));
      output.textContent = shown(now);
      range.setAttribute("aria-valuetext", shown(now));
      change(now);
    },
  });
  range.value = from(value);
  const [label, meaning] = named(words, id);
  return el("div", { class: "field slider" }, label, output, range, meaning);
}
