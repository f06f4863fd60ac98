/** What the doctor finds while it watches the training. */

import { $, el } from "glassnet/dom.js";

const items = new Map(); // {name and how many of that name stand before it: its item}

/** Show findings. While only its numbers change, an item stays the same element: focused, and open, as it was. */
export function showFindings(findings) {
  $("findings-none").hidden = findings.length > 0;
  const [seen, fresh] = [{}, []];
  const keys = findings.map((finding) => {
    const { name } = finding;
    seen[name] = (seen[name] ?? 0) + 1;
    const key = `${name} ${seen[name]}`;
    if (!items.has(key)) {
      items.set(key, makeItem(finding));
      fresh.push(titleOf(finding));
    }
    items.get(key).write(finding);
    return key;
  });
  for (const [key, { element }] of items) {
    if (keys.includes(key)) continue;
    element.remove();
    items.delete(key);
  }
  const list = $("findings");
  keys.forEach((key, i) => {
    const { element } = items.get(key);
    if (list.children[i] !== element) list.insertBefore(element, list.children[i] ?? null);
  });
  if (fresh.length) $("findings-new").textContent = `The doctor has found: ${fresh.join(", ")}`;
}

const titleOf = ({ name, severity }) => `${severity}: ${name.replaceAll("-", " ")}`;

function makeItem({ name }) {
  const parts = {
    severity: el("span", { class: "severity" }),
    where: el("p", { class: "note" }),
    evidence: el("p"),
    why: el("p"),
    advice: el("p"),
    source: el("p", { class: "note" }),
  };
  const { severity, where, evidence, why, advice, source } = parts;
  const title = el("p", { class: "finding-title" }, severity, name.replaceAll("-", " "));
  const more = el("details", {}, el("summary", {}, "Why, and what to try"), why, advice, source);
  const element = el("li", {}, title, where, evidence, more);
  const write = (finding) => {
    element.className = `finding ${finding.severity}`;
    for (const [part, place] of Object.entries(parts))
      if (place.textContent !== finding[part]) place.textContent = finding[part];
  };
  return { element, write };
}
