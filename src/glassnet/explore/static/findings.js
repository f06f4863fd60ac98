/** What the doctor finds while it watches the training. */

import { $, el } from "glassnet/dom.js";

let said = "";

export function showFindings(findings) {
  const now = JSON.stringify(findings);
  if (now === said) return;
  said = now;
  $("findings-none").hidden = findings.length > 0;
  $("findings").replaceChildren(...findings.map(item));
}

function item({ name, severity, where, evidence, why, advice, source }) {
  const title = name.replaceAll("-", " ");
  return el(
    "li",
    { class: `finding ${severity}` },
    el("p", { class: "finding-title" }, el("span", { class: "severity" }, severity), title),
    el("p", { class: "note" }, where),
    el("p", {}, evidence),
    el(
      "details",
      {},
      el("summary", {}, "Why, and what to try"),
      el("p", {}, why),
      el("p", {}, advice),
      el("p", { class: "note" }, source),
    ),
  );
}
