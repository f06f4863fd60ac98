/** The one small box that gives a cell's number in words, under the pointer or the keyboard. */

import { $ } from "glassnet/dom.js";

export const tip = {
  show(text, x, y) {
    const box = $("tip");
    box.textContent = text;
    box.hidden = false;
    const half = box.offsetWidth / 2;
    const left = Math.max(half + 6, Math.min(document.documentElement.clientWidth - half - 6, x));
    const above = y > box.offsetHeight + 24;
    box.style.left = `${left}px`;
    box.style.top = `${above ? y - box.offsetHeight - 14 : y + 16}px`;
  },
  hide() {
    $("tip").hidden = true;
  },
};
