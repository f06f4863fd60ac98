/** A line chart in SVG, its axes with round numbers. */

import { el, svg } from "glassnet/dom.js";
import { number } from "glassnet/format.js";

const [WIDTH, HEIGHT] = [420, 190];
const MARGIN = { left: 46, right: 12, top: 10, bottom: 32 };

/** About `wanted` round numbers from low to high. */
function ticks(low, high, wanted) {
  const raw = (high - low) / wanted || 1;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((k) => k * size).find((s) => s >= raw);
  const found = [];
  for (let v = Math.ceil(low / step) * step; v <= high + step * 1e-9; v += step) found.push(Number(v.toPrecision(10)));
  return found;
}

export class Chart {
  /** title: what is drawn; lines: [{name, class}]; x: what runs along the bottom; word(y): a value as text. */
  constructor({ title, lines, x, word = number }) {
    Object.assign(this, { title, lines, x, word });
    this.drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
    const keys = lines.map(({ name, class: kind }) => el("span", { class: `key ${kind}` }, name));
    const caption = el(
      "figcaption",
      {},
      el("span", { class: "chart-title" }, title),
      ...(lines.length > 1 ? keys : []),
    );
    this.element = el("figure", { class: "chart" }, caption, this.drawing);
    this.draw([]);
  }

  /** Draw one list of points [x, y] for each line; `marker` is an x to point at. */
  draw(series, marker = null) {
    const points = series.flat().filter(([, y]) => Number.isFinite(y));
    this.drawing.replaceChildren();
    this.drawing.setAttribute("aria-label", this.words(series));
    if (!points.length) {
      const text = svg("text", { x: WIDTH / 2, y: HEIGHT / 2, class: "empty", "text-anchor": "middle" }, "nothing yet");
      this.drawing.append(text);
      return;
    }
    const [xs, ys] = [points.map((p) => p[0]), points.map((p) => p[1])];
    const [x0, x1] = [Math.min(...xs), Math.max(...xs, Math.min(...xs) + 1)];
    let [y0, y1] = [Math.min(...ys), Math.max(...ys)];
    if (y1 - y0 < 1e-12) [y0, y1] = [y0 - 0.5 * Math.abs(y0 || 1), y1 + 0.5 * Math.abs(y1 || 1)];
    const toX = (v) => MARGIN.left + ((v - x0) / (x1 - x0)) * (WIDTH - MARGIN.left - MARGIN.right);
    const toY = (v) => HEIGHT - MARGIN.bottom - ((v - y0) / (y1 - y0)) * (HEIGHT - MARGIN.top - MARGIN.bottom);
    this.axes({ x0, x1, y0, y1, toX, toY });
    if (marker !== null && marker >= x0 && marker <= x1) {
      this.drawing.append(
        svg("line", { x1: toX(marker), x2: toX(marker), y1: MARGIN.top, y2: HEIGHT - MARGIN.bottom, class: "marker" }),
      );
    }
    series.forEach((line, k) =>
      this.line(
        line.filter(([, y]) => Number.isFinite(y)),
        toX,
        toY,
        this.lines[k].class,
      ),
    );
  }

  line(points, toX, toY, kind) {
    if (points.length === 1) {
      this.drawing.append(
        svg("circle", { cx: toX(points[0][0]), cy: toY(points[0][1]), r: 2.5, class: `dot ${kind}` }),
      );
      return;
    }
    const path = points.map(([x, y], i) => `${i ? "L" : "M"}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`).join("");
    this.drawing.append(svg("path", { d: path, class: `line ${kind}` }));
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

  words(series) {
    const last = series
      .map((line, k) => line.length && `${this.lines[k].name} ${this.word(line.at(-1)[1])}`)
      .filter(Boolean);
    return last.length ? `${this.title}, by ${this.x}: now ${last.join(", ")}` : `${this.title}: nothing yet`;
  }
}
