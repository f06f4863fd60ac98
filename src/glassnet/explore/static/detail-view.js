/** The chosen unit: its sum with the numbers in it, the weights behind it, one weight's gradient put to the test. */

import { extent } from "glassnet/colour.js";
import { $, el, oneAtATime, settled, table } from "glassnet/dom.js";
import { count, inputName, number, pixelWise, plural, unitName } from "glassnet/format.js";
import { ask, checkWeight, emit, on, select, selectWeight, shown } from "glassnet/model.js";
import { isOff, nearlyRight, offWords, unitThatIsOn } from "glassnet/still.js";
import { UnitGrid } from "glassnet/unit-grid.js";

const FEW = 5; // terms shown at first
const MANY = 40; // more of them, each time

let maps = null; // the two pictures of a unit that looks at pixels
let written = FEW; // terms that are shown

export function makeDetail() {
  const fetchEquation = oneAtATime(async () => {
    const { selected, x } = shown;
    if (!selected) return;
    const found = await ask("equation", x, selected.layer, selected.unit);
    if (!found || selected !== shown.selected) return;
    shown.equation = { ...found, ...selected };
    emit("equation");
  });
  on("select", () => {
    written = FEW;
    $("terms").replaceChildren(); // the weights of another unit
    fetchEquation();
    weightCard();
  });
  on("forward", settled(fetchEquation, 60));
  on("equation", () => (unitCard(), weightCard()));
  on("weight", () => (unitCard(), weightCard()));
  on("phase", weightCard);
  $("check").addEventListener("click", checkWeight);
}

function unitCard() {
  const { network, equation, selected } = shown;
  if (!equation || equation.unit !== selected.unit || equation.layer !== selected.layer) return;
  const layer = network.layers[equation.layer];
  const name = unitName(network, equation.layer, equation.unit);
  $("unit-title").textContent = `${name[0].toUpperCase()}${name.slice(1)}`;
  $("unit-where").textContent = `Layer ${equation.layer}, ${layer.kind}. ${layer.explained}`;
  $("equation").textContent = equation.text.replaceAll("*", "·");
  off(equation.layer, equation.unit);
  const dense = equation.terms.length > 0;
  $("terms").hidden = !dense;
  pictures(dense && network.image_shape && pixelWise(network, equation.layer));
  if (dense) terms();
}

/** That the ReLU after this layer turns the unit off, and the way to one that it doesn't. */
function off(layer, unit) {
  $("off").hidden = !isOff(layer, unit);
  if ($("off").hidden) return;
  const other = unitThatIsOn(layer);
  $("off-words").textContent = `${offWords(layer, unit)}: nothing of it goes on to the next layer.`;
  $("go-on").hidden = other === null;
  if (other === null) return;
  $("go-on").textContent = `Go to ${unitName(shown.network, layer, other)}, which is on`;
  $("go-on").onclick = () => select(layer, other);
}

/** The largest terms of the sum; each weight is a button that picks it. */
function terms() {
  const { network, equation, weight } = shown;
  const { layer, unit, bias } = equation;
  const rows = equation.terms.slice(0, written).map(({ input, x, w, product }) => {
    const name = inputName(network, layer, input);
    const pick = () => selectWeight(`${layer}.W`, [input, unit]);
    const chosen = weight?.index[0] === input && weight.index.length === 2;
    const label = `Weight from ${name}: ${number(w)}. Look at this weight`;
    const button = el("button", {
      type: "button",
      class: "weight",
      "data-what": input,
      "aria-pressed": String(chosen),
      "aria-label": label,
      onclick: pick,
    });
    button.textContent = number(w, 3);
    const short = name === `unit ${input}` ? null : el("span", { class: "short" }, `x[${input}]`);
    return [el("span", {}, name, short), number(x, 3), button, bar(product)];
  });
  const pickBias = () => selectWeight(`${layer}.b`, [unit]);
  const button = el("button", {
    type: "button",
    class: "weight",
    "data-what": "bias",
    "aria-pressed": String(weight?.index.length === 1),
    onclick: pickBias,
  });
  button.textContent = number(bias, 3);
  const rest = equation.terms.slice(written);
  if (rest.length) {
    const sum = rest.reduce((total, { product }) => total + product, 0);
    rows.push([`the other ${count(rest.length)}`, "", "", bar(sum)]);
  }
  const focused = document.activeElement?.closest("#terms") && document.activeElement.dataset.what;
  $("terms").replaceChildren(
    table(
      "The terms of the sum, largest first",
      ["Input", "Value", "× Weight", "= Product"],
      [...rows, ["bias", "", button, bar(bias)]],
    ),
  );
  const show = (what, words, wanted) => {
    const onclick = () => ((written = wanted), terms());
    $("terms").append(el("button", { type: "button", class: "quiet", "data-what": what, onclick }, words));
  };
  if (rest.length) show("more", `More of the ${plural(equation.terms.length, "term")}`, written + MANY);
  if (written > FEW) show("fewer", "Fewer", FEW);
  const again = ["more", "fewer"].includes(focused) ? [focused, "more", "fewer"] : [focused];
  if (focused) again.map((what) => $("terms").querySelector(`[data-what="${what}"]`)).find(Boolean)?.focus();
}

/** A product as a bar with its number: right of the middle it raises the unit, left it lowers it. */
function bar(product) {
  const size = Math.min(50, (50 * Math.abs(product)) / extent(shown.equation.terms.map((term) => term.product)));
  const fill = el("span", { class: product < 0 ? "fill negative" : "fill positive" });
  fill.style.width = `${size}%`;
  fill.style.left = `${product < 0 ? 50 - size : 50}%`;
  return el(
    "span",
    { class: "bar" },
    el("span", { class: "bar-track", "aria-hidden": "true" }, fill),
    number(product, 3),
  );
}

/** For a unit that looks at pixels: its weights, and what each pixel adds for this row. */
function pictures(wanted) {
  $("maps").hidden = !wanted;
  if (!wanted) return;
  const { network, equation } = shown;
  const [height, width] = network.image_shape;
  if (!maps) {
    const make = (what, of) => {
      const describe = (i) => `${inputName(network, equation.layer, i)}: ${what} ${number(grid.values[i])}`;
      const pick = (i) => selectWeight(`${shown.equation.layer}.W`, [i, shown.equation.unit]);
      const label = `${of}, pixel by pixel: Enter looks at one weight`;
      const cell = Math.floor(140 / width);
      const grid = new UnitGrid({ units: height * width, columns: width, cell, gap: 0, label, describe, pick });
      $("maps").append(el("figure", {}, grid.element, el("figcaption", {}, of)));
      return grid;
    };
    maps = [make("weight", "Its weights"), make("product", "Pixel × weight, now")];
  }
  const [weights, products] = [new Float64Array(height * width), new Float64Array(height * width)];
  for (const { input, w, product } of equation.terms) [weights[input], products[input]] = [w, product];
  maps[0].show(weights, extent(weights));
  maps[1].show(products, extent(products));
  const chosen = shown.weight?.index.length === 2 ? shown.weight.index[0] : null;
  for (const map of maps) map.mark(chosen);
}

function weightCard() {
  const { network, weight, equation, check, selected } = shown;
  const current = weight && equation?.unit === selected.unit && equation.layer === selected.layer;
  $("weight-card").hidden = !current;
  if (!current) return;
  const bias = weight.index.length === 1;
  const from = bias ? "bias" : inputName(network, selected.layer, weight.index[0]);
  const to = unitName(network, selected.layer, selected.unit);
  const term = equation.terms.find((t) => t.input === weight.index[0]);
  $("weight-title").textContent = bias ? `Bias of ${to}` : `Weight from ${from} to ${to}`;
  $("weight-words").replaceChildren(...words(bias ? null : term, to));
  $("check-result").replaceChildren(...(check ? verdict(check) : []));
}

function words(term, to) {
  if (!term) return [`The bias is added whatever the input is: ${number(shown.equation.bias)}.`];
  const { x, w, product } = term;
  const effect = product > 0 ? "raises" : product < 0 ? "lowers" : "doesn’t change";
  const strong = (text) => el("strong", {}, text);
  return [
    "Input ",
    strong(number(x)),
    " × weight ",
    strong(number(w)),
    " = ",
    strong(number(product)),
    product ? `: it ${effect} ${to} by that much.` : `: with this input, it ${effect} ${to}.`,
  ];
}

const PASSED = "✓ Passed: both ways give the same gradient.";
const FAILED = "✗ Failed: they differ.";
const NONE = 1e-9; // a gradient that is 0 but for rounding
const ROUNDING = "So close to 0 that nudging can’t tell more: they are the same but for rounding.";

/** Why both ways give 0, with the loss that was found. */
function nothing(loss) {
  const { layer, unit } = shown.selected;
  const [input] = shown.weight.index;
  const x = shown.weight.index.length === 2 && shown.equation.terms.find((term) => term.input === input)?.x;
  if (isOff(layer, unit)) return "0 both ways, because the unit is off for this row";
  if (x === 0) return "0 both ways, because its input is 0 for this row";
  return nearlyRight(loss) ? "about 0 both ways, because the loss is nearly 0 here" : "about 0 both ways";
}

function verdict({
  analytic,
  numeric,
  relative_error: error,
  passed,
  at_kink: kink,
  h,
  loss_plus: plus,
  loss_minus: minus,
}) {
  if (kink) return [el("p", {}, "A unit changes sides right here (a kink of the function), so nudging can’t tell.")];
  const rounding = (1e-13 * Math.max(1, Math.abs(plus))) / h; // how exactly a difference of two losses can be known
  const same = Math.abs(analytic - numeric) <= rounding;
  const none = Math.max(Math.abs(analytic), Math.abs(numeric)) < NONE && (passed || same);
  const rows = [
    ["Backward pass", number(analytic, 6)],
    ["By nudging", number(numeric, 6)],
    ["Relative error", number(error, 2)],
  ];
  const losses = `${number(plus, 7)} and ${number(minus, 7)}`;
  const how = `The weight was moved by ${number(h)} either way: the loss became ${losses}.`;
  return [
    el(
      "p",
      { class: passed ? "passed" : same ? "" : "failed" },
      none ? `✓ Passed: ${nothing(plus)}.` : passed ? PASSED : same ? ROUNDING : FAILED,
    ),
    table("The gradient of this weight, two ways", ["Gradient dL/dw", ""], rows),
    el("p", { class: "note" }, "dL/dw: how fast the loss L grows with this weight w."),
    el("p", { class: "note" }, how),
  ];
}
