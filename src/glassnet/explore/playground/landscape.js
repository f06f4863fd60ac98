/** The landscape of the loss, which is made when it is first seen. */

import { app, module, on } from "glassnet/app.js";
import { Bowl } from "glassnet/bowl.js";
import { onTheme } from "glassnet/colour.js";
import { $ } from "glassnet/dom.js";
import { drawSlice } from "glassnet/slice.js";

let bowl = null;
let directions = 1; // the seed of both

function look() {
  if (app.run && !app.running && $("landscape-section").open) drawSlice(app.run, directions);
}

export function makeLandscape() {
  $("landscape-section").addEventListener("toggle", () => {
    bowl ??= new Bowl(module);
    look();
  });
  $("slice-now").addEventListener("click", look);
  $("slice-other").addEventListener("click", () => {
    directions++;
    look();
  });
  on("running", look);
  onTheme(look);
}
