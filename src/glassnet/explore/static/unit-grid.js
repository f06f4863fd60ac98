/** The units of one layer as a grid of coloured cells: one stop of the Tab key, arrows move, Enter picks. */

import { css, diverging, onTheme } from "glassnet/colour.js";
import { coarse, el } from "glassnet/dom.js";
import { tip } from "glassnet/tip.js";
import { fill } from "glassnet/weight-image.js";

const GAP = 1;
let grids = 0;

export class UnitGrid {
  /**
   * units, columns: how many. cell: pixels a side. gap: pixels between cells. label: what a screen reader calls the
   * grid. describe(unit): a unit in words. pick(unit): what Enter and a click do; open(), if there is one: what a tap
   * of a finger does, which can't hit a small cell. paint(context, unit, x, y, cell): draws a cell, by default in the
   * colour of its value.
   */
  constructor({ units, columns, cell, gap = GAP, label, describe, pick, open, paint }) {
    Object.assign(this, { units, columns, cell, gap, describe, pick, open });
    this.paint = paint ?? this.square;
    this.picture = gap === 0 && !paint; // a pixel for each cell, which the style sheet enlarges
    this.active = 0;
    this.marked = null;
    this.values = null;
    this.rings = { marked: el("span", { class: "ring marked" }), hovered: el("span", { class: "ring" }) };
    const id = `grid-${(grids += 1)}`;
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.option = el("div", { role: "option", id, class: "unseen", "aria-setsize": units });
    this.element = el(
      "div",
      { class: "grid", role: "listbox", tabindex: 0, "aria-label": label, "aria-activedescendant": id },
      this.canvas,
      ...Object.values(this.rings),
      this.option,
    );
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focus", () => this.element.matches(":focus-visible") && this.move(this.active));
    this.element.addEventListener("blur", () => this.leave());
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.leave());
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.resize();
    this.word();
    this.ring("marked", null);
    this.ring("hovered", null);
    this.close = onTheme(() => this.draw()); // call it when the grid is no longer needed
  }

  resize() {
    const pitch = this.cell + this.gap;
    const rows = Math.ceil(this.units / this.columns);
    [this.width, this.height] = [this.columns * pitch - this.gap, rows * pitch - this.gap];
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.aspectRatio = `${this.width} / ${this.height}`;
    this.canvas.classList.toggle("picture", this.picture);
    if (this.picture) return;
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.ceil(this.width * ratio), height: Math.ceil(this.height * ratio) });
    this.context = this.canvas.getContext("2d");
    this.context.scale(ratio, ratio);
  }

  /** Show values, as colours on a scale that ends at `largest`. */
  show(values, largest) {
    [this.values, this.largest] = [values, largest];
    this.draw();
    this.word();
  }

  draw() {
    if (!this.values) return;
    if (this.picture) {
      fill(this.canvas, Math.ceil(this.units / this.columns), this.columns, (i) => this.values[i], this.largest);
      return;
    }
    this.context.clearRect(0, 0, this.width, this.height);
    for (let unit = 0; unit < this.units; unit++) this.paint(this.context, unit, ...this.corner(unit), this.cell);
  }

  square(context, unit, x, y, cell) {
    context.fillStyle = css(diverging(this.values[unit] / this.largest));
    context.fillRect(x, y, cell, cell);
  }

  /** Move a ring to a unit's cell, in shares of the grid, which may be shown smaller than it is; null hides it. */
  ring(name, unit) {
    this[name] = unit;
    const { style } = this.rings[name];
    this.rings[name].hidden = unit === null;
    if (unit === null) return;
    const [x, y] = this.corner(unit);
    const [across, down] = [(v) => `${(100 * v) / this.width}%`, (v) => `${(100 * v) / this.height}%`];
    Object.assign(style, { left: across(x), top: down(y), width: across(this.cell), height: down(this.cell) });
  }

  corner(unit) {
    const pitch = this.cell + this.gap;
    return [(unit % this.columns) * pitch, Math.floor(unit / this.columns) * pitch];
  }

  /** The middle of a unit's cell on the page. */
  centre(unit) {
    const [x, y] = this.corner(unit);
    const box = this.canvas.getBoundingClientRect();
    const scale = box.width / this.width;
    return [box.left + (x + this.cell / 2) * scale, box.top + (y + this.cell / 2) * scale];
  }

  mark(unit) {
    this.ring("marked", unit);
    if (unit !== null) this.active = unit;
    this.option.setAttribute("aria-selected", String(unit === this.active));
  }

  move(unit) {
    this.active = Math.max(0, Math.min(this.units - 1, unit));
    this.ring("hovered", this.active);
    this.word();
    if (this.values) tip.show(this.describe(this.active), ...this.centre(this.active));
  }

  word() {
    this.option.textContent = this.values ? this.describe(this.active) : "";
    this.option.setAttribute("aria-posinset", this.active + 1);
    this.option.setAttribute("aria-selected", String(this.marked === this.active));
  }

  leave() {
    this.ring("hovered", null);
    tip.hide();
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.columns, ArrowDown: this.columns };
    if (event.key in steps) this.move(this.active + steps[event.key]);
    else if (event.key === "Home") this.move(0);
    else if (event.key === "End") this.move(this.units - 1);
    else if (event.key === "Enter" || event.key === " ") this.pick(this.active);
    else if (event.key === "Escape") tip.hide();
    else return;
    event.preventDefault();
  }

  under(event) {
    const box = this.canvas.getBoundingClientRect();
    const pitch = (this.cell + this.gap) * (box.width / this.width);
    const [column, row] = [
      Math.floor((event.clientX - box.left) / pitch),
      Math.floor((event.clientY - box.top) / pitch),
    ];
    const unit = row * this.columns + Math.min(column, this.columns - 1);
    return unit >= 0 && unit < this.units ? unit : null;
  }

  hover(event) {
    const unit = this.under(event);
    if (unit === this.hovered || !this.values) return;
    this.ring("hovered", unit);
    if (unit === null) tip.hide();
    else tip.show(this.describe(unit), ...this.centre(unit));
  }

  click(event) {
    const unit = this.under(event);
    if (unit === null) return;
    if (this.open && coarse()) {
      this.open();
      return;
    }
    this.active = unit;
    this.pick(unit);
    this.word();
  }
}
