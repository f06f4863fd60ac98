/** The state as a link, as Python, and as a figure within another page. */

import { advance, app, begin, change, on, problem } from "glassnet/app.js";
import { diagram, showUnit } from "glassnet/build.js";
import { $ } from "glassnet/dom.js";
import { script } from "glassnet/script.js";
import { completed, fromLink, toLink } from "glassnet/spec.js";
import { trainPanel } from "glassnet/settings.js";

const LONGEST = 30_000; // characters of a table in an address

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // the browser doesn't let this page, and the text is there to be seen
  }
}

async function link() {
  const { spec, training } = app.run;
  if (spec.data.kind === "table" && JSON.stringify(spec.data.table).length > LONGEST)
    return problem("this table is too large for an address: the link would be cut short");
  location.hash = toLink({ spec: { ...spec, optimizer: training.begun }, log: training.log });
  const copied = await copy(location.href);
  $("copied-link").textContent = `The address of this page holds it now${copied ? ", and is copied" : ""}.`;
}

function writeCode() {
  if (app.run && !app.running && $("code-section").open) $("code").textContent = script(app.run);
}

/** Restore a link, if there is one: the training is made again, which gives the same numbers. */
export function restore() {
  const state = fromLink(location.hash);
  if (!state) return false;
  begin(completed(state.spec));
  if (!app.run) throw new Error("the address of this page holds no playground: it begins anew");
  for (const [what, value, given] of state.log ?? []) {
    const { spec, training } = app.run;
    if (what === "weight") training.move(value, given);
    else if (what === "set") change({ ...spec, optimizer: { ...spec.optimizer, ...value } }, true);
    else for (let left = value; left > 0; ) left -= advance(left) || left;
  }
  trainPanel(app.run.spec, app.run.data, change);
  if (state.view) embed(state.view);
  return true;
}

/** Show only a part, within a page of the documentation. */
function embed(view) {
  document.body.dataset.view = view;
  if (view === "neuron") {
    diagram.pick(0, 0);
    showUnit();
    $("unit-card").open = true;
  }
  if (view === "bowl" || view === "slice") $("landscape-section").open = true;
  if (view === "code") $("code-section").open = true;
  const tell = () => parent.postMessage({ height: document.body.getBoundingClientRect().height }, "*");
  new ResizeObserver(tell).observe(document.body); // the figure is made as high
}

export function makeSharing() {
  $("link").addEventListener("click", link);
  $("code-section").addEventListener("toggle", writeCode);
  on("begun changed running", writeCode);
  $("copy").addEventListener("click", async () => {
    $("copied").textContent = (await copy(script(app.run))) ? "copied" : "select it, and copy it by hand";
  });
}
