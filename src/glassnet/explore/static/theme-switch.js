/** The switch between light and dark; without it the page follows the system. */

import { onTheme, setTheme, theme } from "glassnet/colour.js";
import { $ } from "glassnet/dom.js";

export function makeThemeSwitch() {
  const word = () => {
    const other = theme() === "dark" ? "light" : "dark";
    $("theme").textContent = other === "dark" ? "Dark" : "Light";
    $("theme").setAttribute("aria-label", `Switch to the ${other} theme`);
  };
  $("theme").addEventListener("click", () => setTheme(theme() === "dark" ? "light" : "dark"));
  onTheme(word);
  word();
}
