/** A line chart in SVG, its axes with round numbers. */

import { el, svg } from "glassnet/dom.js";
import { number } from "glassnet/format.js";

const [WIDTH, HEIGHT] = [420, 190];
const MARGIN = { left: 46, right: 12, top: 10, bottom: 32 };

/** About `wanted` round numbers from low to high, at least two. */
function ticks(low, high, wanted) {
  const raw = (high - low) / wanted || 1;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * size).find((s) => s >= raw);
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) found.push(Number(v.toPrecision(10)));
  return found.length < 2 ? ticks(low, high, 2 * wanted) : found;
}

export class Chart {
  /** title: what is drawn; x: what runs along the bottom; word(y): a value as text; most: what y can't exceed. */
  constructor({ title, x, word = number, most = Infinity }) {
    Object.assign(this, { title, x, word, most });
    this.drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    const caption = el("figcaption", { class: "chart-title" }, title);
    this.element = el("figure", { class: "chart" }, caption, this.drawing);
    this.draw([]);
  }

  /** Draw a line through the points [x, y]; `marker` is an x to point at. */
  draw(given, marker = null) {
    const points = given.filter(([, y]) => Number.isFinite(y));
    this.drawing.replaceChildren();
    this.drawing.setAttribute("aria-label", this.words(points));
    if (!points.length) {
      const text = svg("text", { x: WIDTH / 2, y: HEIGHT / 2, class: "empty", "text-anchor": "middle" }, "nothing yet");
      this.drawing.append(text);
      return;
    }
    const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const [x0, x1] = [Math.min(...xs), Math.max(...xs, Math.min(...xs) + 1)];
    let [y0, y1] = [Math.min(...ys), Math.max(...ys)];
    if (y1 - y0 < 1e-12) [y0, y1] = [y0 - 0.05 * Math.abs(y0 || 1), Math.min(y1 + 0.05 * Math.abs(y1 || 1), this.most)];
    const toX = (v) => MARGIN.left + ((v - x0) / (x1 - x0)) * (WIDTH - MARGIN.left - MARGIN.right);
    const toY = (v) => HEIGHT - MARGIN.bottom - ((v - y0) / (y1 - y0)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    this.axes({ x0, x1, y0, y1, toX, toY });
    if (marker !== null && marker >= x0 && marker <= x1) {
      this.drawing.append(
        svg("line", { x1: toX(marker), x2: toX(marker), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, class: "marker" }),
      );
    }
    const places = points.map(([x, y]) => [toX(x).toFixed(1), toY(y).toFixed(1)]);
    const [[cx, cy]] = places;
    const line = { d: `M${places.map((place) => place.join(" ")).join("L")}`, class: "line" };
    this.drawing.append(places.length > 1 ? svg("path", line) : svg("circle", { cx, cy, r: 2.5, class: "dot" }));
  }

  axes({ x0, x1, y0, y1, toX, toY }) {
    const [left, right, bottom] = [MARGIN.left, WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
    for (const v of ticks(y0, y1, 4)) {
      this.drawing.append(
        svg("line", { x1: left, x2: right, y1: toY(v), y2: toY(v), class: "gridline" }),
        svg("text", { x: left - 6, y: toY(v) + 4, "text-anchor": "end" }, this.word(v)),
      );
    }
    for (const v of ticks(x0, x1, 5).filter(Number.isInteger))
      this.drawing.append(svg("text", { x: toX(v), y: bottom + 15, "text-anchor": "middle" }, v.toLocaleString("en")));
    this.drawing.append(
      svg("line", { x1: left, x2: right, y1: bottom, y2: bottom, class: "axis" }),
      svg("text", { x: (left + right) / 2, y: HEIGHT - 3, "text-anchor": "middle" }, this.x),
    );
  }

  words(points) {
    return points.length
      ? `${this.title}, by ${this.x}: now ${this.word(points.at(-1)[1])}`
      : `${this.title}: nothing yet`;
  }
}
