/** The units of a narrow layer as a list with their numbers: one stop of the Tab key, arrows move, Enter picks. */

import { css, diverging, onTheme } from "glassnet/colour.js";
import { el } from "glassnet/dom.js";
import { number } from "glassnet/format.js";

export class UnitList {
  constructor({ units, label, name, describe, pick }) {
    Object.assign(this, { describe });
    this.rows = Array.from({ length: units }, (_, unit) => {
      const row = el("button", { type: "button", class: "unit", tabindex: unit ? -1 : 0, onclick: () => pick(unit) });
      row.append(
        el("span", { class: "unit-name" }, name(unit)),
        (row.swatch = el("span", { class: "swatch" })),
        (row.number = el("span", { class: "unit-value" }, "–")),
      );
      return row;
    });
    this.element = el("div", { class: "units", role: "group", "aria-label": label }, ...this.rows);
    this.element.addEventListener("keydown", (event) => this.key(event));
    onTheme(() => this.values && this.show(this.values, this.largest));
  }

  show(values, largest) {
    [this.values, this.largest] = [values, largest];
    this.rows.forEach((row, unit) => {
      row.swatch.style.background = css(diverging(values[unit] / largest));
      row.number.textContent = number(values[unit], 3);
      row.setAttribute("aria-label", this.describe(unit));
    });
  }

  mark(unit) {
    this.rows.forEach((row, i) => row.setAttribute("aria-pressed", String(i === unit)));
    if (unit !== null) this.rove(unit);
  }

  rove(unit) {
    this.rows.forEach((row, i) => row.setAttribute("tabindex", i === unit ? 0 : -1));
  }

  centre(unit) {
    const box = this.rows[unit].swatch.getBoundingClientRect();
    return [(box.left + box.right) / 2, (box.top + box.bottom) / 2];
  }

  key(event) {
    const here = this.rows.indexOf(document.activeElement);
    const last = this.rows.length - 1;
    const to = {
      ArrowUp: here - 1,
      ArrowLeft: here - 1,
      ArrowDown: here + 1,
      ArrowRight: here + 1,
      Home: 0,
      End: last,
    }[event.key];
    if (to === undefined) return;
    const unit = Math.max(0, Math.min(last, to));
    this.rove(unit);
    this.rows[unit].focus();
    event.preventDefault();
  }
}
