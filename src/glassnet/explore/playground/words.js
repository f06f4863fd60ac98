/** What words mean: the list at the end of the page, and a "?" beside each control that it speaks of. */

import { $, el } from "glassnet/dom.js";

const known = new Map(
  [...$("words").querySelectorAll("dt")].map((term) => [term.textContent.toLowerCase(), term.nextElementSibling.textContent]),
);

/** A control's label, with a button and a hidden sentence if its word is known: [label, sentence or null]. */
export function named(words, id) {
  const label = el("label", { for: id }, words);
  const sentence = known.get(words.toLowerCase());
  if (!sentence) return [label, null];
  const note = el("p", { class: "note meaning", id: `${id}-meaning`, hidden: true }, sentence);
  const button = el("button", {
    type: "button", class: "what", "aria-label": `What is “${words}”?`, "aria-expanded": "false", "aria-controls": note.id,
    onclick() {
      note.hidden = !note.hidden;
      button.setAttribute("aria-expanded", String(!note.hidden));
    },
  }, "?");
  return [el("span", { class: "named" }, label, button), note];
}

/** The link to the list opens it. */
export function makeWords() {
  $("to-words").addEventListener("click", () => {
    $("words-section").open = true;
    $("words-section").scrollIntoView({ block: "start" });
    $("words-section").querySelector("summary").focus({ preventScroll: true });
  });
}
