/** Data of one's own: points that are drawn on the plane, and a table that is dropped into the page. */

import { app, begin, on, problem } from "glassnet/app.js";
import { $ } from "glassnet/dom.js";
import { number } from "glassnet/format.js";
import { Plane, SIDE } from "glassnet/plane.js";
import { start } from "glassnet/spec.js";
import { readTable } from "glassnet/table.js";

const EMPTY = { width: 2, derived: [], bounds: [[-1.2, 1.2], [-1.2, 1.2]], classes: ["0", "1"] };
const STEP = 0.1; // of the pen, by an arrow key
const LARGEST = 2_000_000; // bytes of a table

const spec = () => app.waiting ?? app.run?.spec;
const isDrawn = () => spec()?.data.kind === "drawn";

let brush = 1; // the class of the next point
const pen = { x: 0, y: 0 };

function put(x, y) {
  const { data } = spec();
  begin({ ...spec(), data: { ...data, points: [...(data.points ?? []), [x, y, brush]] } });
}

/** The points so far, while there are too few to learn from. */
function drawFew(plane) {
  const points = app.waiting.data.points ?? [];
  const part = {
    x: Float32Array.from(points.flatMap(([a, b]) => [a, b])),
    raw: points.map(([, , t]) => t),
    t: Int32Array.from(points, ([, , t]) => t),
  };
  plane.draw({ ...EMPTY, train: part }, [0, 1], new Float32Array(SIDE * SIDE), 1, { train: true });
}

async function takeFile(file) {
  if (!file) return;
  try {
    if (file.size > LARGEST) throw new Error("this file is larger than 2 MB: glassnet train takes it");
    const table = readTable(await file.text());
    const given = spec() ?? start();
    begin({ ...given, data: { ...given.data, kind: "table", table, target: table.names.length - 1, share: 0.3 } });
  } catch (error) {
    problem(error.message);
  }
}

export function makePoints() {
  const canvas = $("plane");
  const plane = new Plane(canvas);
  canvas.addEventListener("pointerdown", (event) => {
    if (isDrawn()) put(...plane.at(event, app.run?.data ?? EMPTY, [0, 1]));
  });
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
    const move = moves[event.key];
    if (!isDrawn() || (!move && event.key !== " ")) return;
    event.preventDefault();
    if (move) [pen.x, pen.y] = [pen.x + move[0], pen.y + move[1]].map((v) => Math.max(-1, Math.min(1, v)));
    else put(pen.x, pen.y);
    $("said").textContent = `pen at ${number(pen.x, 2)}, ${number(pen.y, 2)}`;
  });
  for (const i of [0, 1]) $(`brush-${i}`).addEventListener("change", () => (brush = i));
  on("begun waiting", () => {
    $("brush-row").hidden = !isDrawn();
    canvas.classList.toggle("drawing", isDrawn());
  });
  on("waiting", () => drawFew(plane));
  $("file").addEventListener("change", () => takeFile($("file").files[0]));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    takeFile(event.dataTransfer.files[0]);
  });
}
