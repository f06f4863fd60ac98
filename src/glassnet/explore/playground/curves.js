/** Loss and accuracy of both parts in the course of training, on one chart; of other runs, too. */

import { theme } from "glassnet/colour.js";
import { number, percent } from "glassnet/format.js";

const MARGIN = { left: 44, right: 40, top: 10, bottom: 26 };
const LEAST = 1e-6; // of the highest loss: what is below it is no difference to see
const COLOURS = {
  light: { train: "#0b6e66", test: "#a03c94", ink: "#595e63", line: "#e2e2de" },
  dark: { train: "#5cc8bb", test: "#e39ad9", ink: "#a9afb5", line: "#33373b" },
};

/** The epochs at which lines are drawn, at most so many. */
function thin(rows, most = 400) {
  if (rows.length <= most) return rows;
  const step = rows.length / most;
  return Array.from({ length: most }, (_, i) => rows[Math.floor(i * step)]).concat(rows.at(-1));
}

export class Curves {
  constructor(canvas) {
    this.canvas = canvas;
    this.log = true;
  }

  /** runs: [{history, dashed}], the first in front. marker: an epoch to point at. */
  draw(runs, marker = null) {
    const { canvas } = this;
    const scale = Math.min(devicePixelRatio, 2);
    const [w, h] = [canvas.clientWidth || 320, canvas.clientHeight || 180];
    if (canvas.width !== w * scale || canvas.height !== h * scale) Object.assign(canvas, { width: w * scale, height: h * scale });
    const c = canvas.getContext("2d");
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.clearRect(0, 0, w, h);
    const colours = COLOURS[theme()];
    const rows = runs.flatMap(({ history }) => history);
    const values = rows.flatMap(({ loss, val_loss }) => [loss, val_loss]).filter((v) => Number.isFinite(v) && v > 0);
    const last = Math.max(1, ...rows.map(({ epoch }) => epoch));
    let [low, high] = values.length ? [Math.min(...values), Math.max(...values)] : [0.1, 1];
    low = this.log ? Math.max(low, high * LEAST) : 0;
    if (high / low < 1.2) [low, high] = [low / 1.1, high * 1.1];
    const [left, right, top, bottom] = [MARGIN.left, w - MARGIN.right, MARGIN.top, h - MARGIN.bottom];
    const toX = (epoch) => left + (epoch / last) * (right - left);
    const share = this.log ? (v) => Math.log(v / low) / Math.log(high / low) : (v) => (v - low) / (high - low);
    const toY = (v) => bottom - Math.max(0, share(Math.max(v, low))) * (bottom - top);
    c.font = "11px system-ui, sans-serif";
    c.fillStyle = colours.ink;
    c.strokeStyle = colours.line;
    c.lineWidth = 1;
    for (const v of this.log ? decades(low, high) : linear(high)) {
      c.beginPath();
      c.moveTo(left, toY(v));
      c.lineTo(right, toY(v));
      c.stroke();
      c.textAlign = "right";
      c.fillText(number(v, 2), left - 5, toY(v) + 4);
    }
    c.textAlign = "left";
    const accuracies = rows.some((row) => row.accuracy !== null);
    if (accuracies) for (const v of [0.5, 1]) c.fillText(`${100 * v}%`, right + 5, bottom - v * (bottom - top) + 4);
    c.textAlign = "center";
    for (const v of [0, Math.round(last / 2), last]) c.fillText(v.toLocaleString("en"), toX(v), h - 9);
    c.fillText("epoch", (left + toX(last / 2)) / 2, h - 9);
    for (const { history, faint } of [...runs].reverse()) {
      c.globalAlpha = faint ? 0.4 : 1;
      const line = (name, colour, dash, y) => {
        c.beginPath();
        for (const row of thin(history)) if (Number.isFinite(row[name]) && row[name] !== null) c.lineTo(toX(row.epoch), y(row[name]));
        c.setLineDash(dash);
        c.strokeStyle = colour;
        c.stroke();
        c.setLineDash([]);
      };
      const up = (v) => bottom - v * (bottom - top);
      c.lineWidth = 1.2;
      if (accuracies) line("accuracy", colours.train, [2, 3], up);
      if (accuracies) line("val_accuracy", colours.test, [2, 3], up);
      c.lineWidth = 2;
      line("loss", colours.train, [], toY);
      line("val_loss", colours.test, [], toY);
    }
    c.globalAlpha = 1;
    if (marker !== null) {
      c.strokeStyle = colours.ink;
      c.setLineDash([3, 3]);
      c.beginPath();
      c.moveTo(toX(marker), top);
      c.lineTo(toX(marker), bottom);
      c.stroke();
      c.setLineDash([]);
    }
    canvas.setAttribute("aria-label", words(runs[0]?.history.at(-1)));
  }
}

function words(row) {
  if (!row) return "Loss and accuracy: nothing yet";
  const test = row.val_loss === undefined ? "" : `, of the test points ${number(row.val_loss)}`;
  const right = row.accuracy === null ? "" : `; right: ${percent(row.accuracy)} of the training points`;
  return `Chart by epoch. After epoch ${row.epoch}: loss of the training points ${number(row.loss)}${test}${right}`;
}

/** Round numbers on a log axis. */
function decades(low, high) {
  const found = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++)
    for (const k of high / low > 300 ? [1] : high / low > 12 ? [1, 3] : [1, 2, 3, 5, 7]) {
      const v = k * 10 ** e;
      if (v >= low && v <= high) found.push(v);
    }
  return found;
}

const linear = (high) => [0, high / 2, high];
