/** The page: ask what the network is, then make each part. */

import { makeCode } from "glassnet/code-view.js";
import { makeDetail } from "glassnet/detail-view.js";
import { $ } from "glassnet/dom.js";
import { count } from "glassnet/format.js";
import { makeGuide } from "glassnet/guide.js";
import { makeInput } from "glassnet/input-view.js";
import { ask, dismissProblems, on, shown } from "glassnet/model.js";
import { makeNetwork } from "glassnet/network-view.js";
import { makeOutput } from "glassnet/output-view.js";
import { makeSteps } from "glassnet/step-view.js";
import { makeThemeSwitch } from "glassnet/theme-switch.js";
import { makeTraining } from "glassnet/train-view.js";

on("problem", (words) => {
  $("problem").hidden = words === null;
  if (words !== null && $("problem-words").textContent !== words) $("problem-words").textContent = words;
});
$("dismiss").addEventListener("click", dismissProblems);

function head({ title, name, layers, source, loss }) {
  document.title = `${title ?? name} – glassnet explorer`;
  const numbers = layers
    .flatMap((layer) => Object.values(layer.parameters))
    .map((shape) => shape.reduce((a, b) => a * b, 1));
  const total = numbers.reduce((a, b) => a + b, 0);
  $("title").textContent = title ?? name;
  $("summary").textContent = `${count(total)} weights and biases, trained with ${loss}`;
  $("source").textContent = source;
}

/** A page without a server only looks: what needs the library to learn isn't on it. */
function lookOnly({ why_not: words }) {
  for (const part of document.querySelectorAll(".learns")) part.hidden = true;
  $("cannot").textContent = words;
  $("cannot").hidden = false;
}

makeThemeSwitch();
const network = await ask("network");
if (network) {
  network.loss = network.loss.replace("(label_smoothing=0.0)", "").replace("()", ""); // as short as it can be said
  shown.network = network;
  head(network);
  makeOutput();
  makeDetail();
  makeNetwork();
  if (network.embedded) lookOnly(network);
  else makeSteps();
  makeCode();
  makeGuide();
  await makeInput();
  if (!network.embedded) makeTraining();
  document.body.dataset.ready = "true";
}
