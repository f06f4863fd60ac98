/** The units of one layer as a grid of coloured cells: one stop of the Tab key, arrows move, Enter picks. */

import { css, diverging, onTheme } from "glassnet/colour.js";
import { el } from "glassnet/dom.js";
import { tip } from "glassnet/tip.js";

const GAP = 1;
let grids = 0;

export class UnitGrid {
  /**
   * units, columns: how many. cell: pixels a side. gap: pixels between cells. label: what a screen reader calls the
   * grid. describe(unit): a unit in words. pick(unit): what Enter and a click do. paint(context, unit, x, y, cell):
   * draws a cell, by default in the colour of its value.
   */
  constructor({ units, columns, cell, gap = GAP, label, describe, pick, paint }) {
    Object.assign(this, { units, columns, cell, gap, describe, pick });
    this.paint = paint ?? this.square;
    this.active = 0;
    this.marked = null;
    this.values = null;
    const id = `grid-${(grids += 1)}`;
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.option = el("div", { role: "option", id, class: "unseen", "aria-setsize": units });
    this.element = el(
      "div",
      { class: "grid", role: "listbox", tabindex: 0, "aria-label": label, "aria-activedescendant": id },
      this.canvas,
      this.option,
    );
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focus", () => this.move(this.active));
    this.element.addEventListener("blur", () => this.leave());
    this.canvas.addEventListener("pointermove", (event) => this.hover(event));
    this.canvas.addEventListener("pointerleave", () => this.leave());
    this.canvas.addEventListener("click", (event) => this.click(event));
    this.resize();
    this.word();
    onTheme(() => this.draw());
  }

  resize() {
    const pitch = this.cell + this.gap;
    const rows = Math.ceil(this.units / this.columns);
    [this.width, this.height] = [this.columns * pitch - this.gap, rows * pitch - this.gap];
    const ratio = window.devicePixelRatio || 1;
    Object.assign(this.canvas, { width: Math.ceil(this.width * ratio), height: Math.ceil(this.height * ratio) });
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.aspectRatio = `${this.width} / ${this.height}`;
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
    this.context.clearRect(0, 0, this.width, this.height);
    for (let unit = 0; unit < this.units; unit++) this.paint(this.context, unit, ...this.corner(unit), this.cell);
    if (this.marked !== null) this.ring(this.marked, 2);
    if (this.hovered !== undefined && this.hovered !== this.marked) this.ring(this.hovered, 1);
  }

  square(context, unit, x, y, cell) {
    context.fillStyle = css(diverging(this.values[unit] / this.largest));
    context.fillRect(x, y, cell, cell);
  }

  ring(unit, width) {
    const [x, y] = this.corner(unit);
    this.context.strokeStyle = getComputedStyle(this.element).color;
    this.context.lineWidth = width;
    this.context.strokeRect(x + width / 2, y + width / 2, this.cell - width, this.cell - width);
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
    this.marked = unit;
    if (unit !== null) this.active = unit;
    this.option.setAttribute("aria-selected", String(unit === this.active));
    this.draw();
  }

  move(unit) {
    this.active = this.hovered = Math.max(0, Math.min(this.units - 1, unit));
    this.word();
    this.draw();
    if (this.values) tip.show(this.describe(this.active), ...this.centre(this.active));
  }

  word() {
    this.option.textContent = this.values ? this.describe(this.active) : "";
    this.option.setAttribute("aria-posinset", this.active + 1);
    this.option.setAttribute("aria-selected", String(this.marked === this.active));
  }

  leave() {
    this.hovered = undefined;
    tip.hide();
    this.draw();
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
    return unit >= 0 && unit < this.units ? unit : undefined;
  }

  hover(event) {
    const unit = this.under(event);
    if (unit === this.hovered || !this.values) return;
    this.hovered = unit;
    this.draw();
    if (unit === undefined) tip.hide();
    else tip.show(this.describe(unit), ...this.centre(unit));
  }

  click(event) {
    const unit = this.under(event);
    if (unit === undefined) return;
    this.active = unit;
    this.pick(unit);
    this.word();
  }
}
