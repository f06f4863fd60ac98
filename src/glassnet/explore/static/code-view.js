/** This view as code: the lines of Python that give what is on the screen. */

import { $, settled } from "glassnet/dom.js";
import { ask, emit, on, shown } from "glassnet/model.js";

const follow = settled(() => {
  $("view").value = shown.view;
  write();
}, 250);

export function makeCode() {
  $("view").addEventListener("change", write);
  $("copy").addEventListener("click", copy);
  $("code-section").addEventListener("toggle", write);
  for (const name of ["input", "select", "weight", "phase"]) on(name, follow);
  on("progress", follow);
}

async function write() {
  if (!$("code-section").open || !shown.x) return;
  const { x, part, row, target, selected, weight, lr, momentum, batch_size } = shown;
  const view = $("view").value;
  if (view === "check" && !weight) {
    $("code").textContent = "# Choose a weight first: click a unit of a Dense layer, then a weight in its sum.";
    return;
  }
  const of = { x, part, row, target, ...selected, ...weight, lr, momentum, batch_size };
  const answer = await ask("code", view, of);
  if (!answer) return;
  $("code").textContent = answer.code;
  emit("code");
}

async function copy() {
  try {
    await navigator.clipboard.writeText($("code").textContent);
    $("copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren($("code"));
    $("copied").textContent = "Selected: press Ctrl+C.";
  }
}
