/** Small helpers for making and finding elements. */

export const $ = (id) => document.getElementById(id);

/** Whether the pointer is a finger: it can't hit what is small. */
export const coarse = () => matchMedia("(pointer: coarse)").matches;

/** Make an element: el("p", {class: "note", onclick: f}, "text", child, ...). */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** The paragraph that explains a table's words. */
export const words = (text) => el("p", { class: "note" }, text);

/** Make an SVG element. */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A table with a header; a cell is text, a number's text, or an element. All columns but the first are numbers. */
export function table(caption, header, rows) {
  const heads = header.map((text, i) => el("th", { scope: "col", class: i ? "number" : null }, text));
  const body = rows.map((cells) =>
    el(
      "tr",
      {},
      ...cells.map((cell, i) => (i ? el("td", { class: "number" }, cell) : el("th", { scope: "row" }, cell))),
    ),
  );
  const title = el("caption", { class: "unseen" }, caption);
  const whole = el("table", {}, title, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...body));
  return el("div", { class: "scrolls" }, whole);
}

/** Run `task` with at most one call under way; calls in the meantime become one more at its end. */
export function oneAtATime(task) {
  let [running, again] = [false, false];
  return async function run() {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      await task();
    } finally {
      running = false;
      if (again) {
        again = false;
        run();
      }
    }
  };
}

/** Call `task` once nothing has asked for it for `wait` milliseconds. */
export function settled(task, wait) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(task, wait);
  };
}
