/** A short walk for someone who has never seen a network: what each thing is, and something to do with it. */

import { $, coarse, el } from "glassnet/dom.js";
import { number, unitName } from "glassnet/format.js";
import { on, shown } from "glassnet/model.js";

const strong = (text) => el("strong", {}, text);

/** Each stop: where it points, its words, what to try, and the event that shows it was done. */
function stops() {
  const { network } = shown;
  const image = Boolean(network.image_shape);
  const dense = network.layers.filter((layer) => layer.kind === "Dense");
  const [first, last] = [dense[0], dense.at(-1)];
  const classes = network.task === "classification";
  return [
    {
      at: "input-card",
      title: "A network turns numbers into an answer",
      words: image
        ? `A picture is ${network.features.length} numbers: how much ink each pixel holds. They go in on the left.`
        : `A row of the table is ${network.features.length} numbers. They go in on the left.`,
      act: image
        ? "Clear the pad and draw something. The answer follows your hand."
        : "Move one of the sliders. The answer follows your hand.",
      done: "input",
    },
    {
      at: "network-card",
      title: "Numbers flow from left to right",
      words:
        "Each small square is a unit: it holds one number, and its colour shows it. Orange is above 0, blue below." +
        " A unit in a “Dense” layer gets its number by looking at all numbers of the layer before it.",
      act: coarse()
        ? `Tap layer ${first.index}, “Dense”: it opens below. Tap any of its units there.`
        : `Click any square of layer ${first.index}, “Dense”.`,
      done: "select",
    },
    {
      at: "detail-card",
      title: "A weight says how much one input counts",
      words:
        "The unit multiplies each of its inputs by a number of its own, the weight, and adds it all up. With an input" +
        " above 0, a weight above 0 pushes the unit up and one below 0 pushes it down; with a weight near 0, the unit" +
        " ignores that input.",
      act: "Pick a weight: click one in the table’s column “Weight”. Read the sentence that appears below it.",
      done: "weight",
    },
    {
      at: "answer-card",
      title: "The last units are the answer",
      words: classes
        ? `Layer ${last.index} has one unit for each class. The largest number wins; the bars show all of them as` +
          ` probabilities. Nobody wrote rules for ${network.target}: all of it is in the weights.`
        : `The last number is the answer, ${network.target}. Nobody wrote rules for it: all of it is in the weights.`,
      act: "Take another example, with the arrow beside its number.",
      done: "input",
    },
    {
      at: "steps-card",
      title: "Learning begins with: how wrong was it?",
      words:
        "The loss measures how wrong the answer is. Going backward, the network works out for every weight whether" +
        " a little more of it would make the loss larger or smaller: that is its gradient.",
      act: "Choose a wrong “right answer” on purpose, then press “Next” twice.",
      done: "phase",
    },
    {
      at: "steps-card",
      title: "Then every weight moves a little",
      words:
        "The update moves each weight a little, against its gradient. Many thousands of such steps, on many" +
        " examples, are all there is to training.",
      act: "Press “Next” until the update. Compare the loss, and the weights, before and after.",
      done: "phase",
    },
    { at: null, title: "So what does one weight do?", question: true },
  ];
}

const ANSWERS = [
  [
    "It remembers one of the training examples.",
    "No: no example is stored anywhere. Every example moved every weight a little.",
  ],
  [
    "It says how strongly, and in which direction, one input pushes one unit.",
    "Yes. Input × weight is what it adds to the unit’s sum. Learning is finding weights that make the loss small.",
  ],
  ["It is a rule that a programmer wrote.", "No: it began as a random number, and training moved it to where it is."],
];

let walk = [];
let here = 0;

export function makeGuide() {
  walk = stops();
  $("guide-open").addEventListener("click", () => go(0));
  $("guide-close").addEventListener("click", close);
  $("guide-back").addEventListener("click", () => go(here - 1));
  $("guide-next").addEventListener("click", () => (here === walk.length - 1 ? close() : go(here + 1)));
  $("guide").addEventListener("keydown", (event) => event.key === "Escape" && close());
  for (const name of ["input", "select", "weight", "phase"]) on(name, () => did(name));
}

function go(step) {
  here = step;
  const { at, title, words, act, question } = walk[here];
  $("guide").hidden = false;
  $("guide-count").textContent = `${here + 1} of ${walk.length}`;
  $("guide-title").textContent = title;
  $("guide-words").replaceChildren(...(words ? [el("p", {}, words)] : []));
  $("guide-try").replaceChildren(...(act ? [strong("Try it: "), act] : []));
  $("guide-try").classList.remove("done");
  $("guide-question").replaceChildren(...(question ? asked() : []));
  $("guide-back").disabled = here === 0;
  $("guide-next").textContent = here === walk.length - 1 ? "Done" : "Next";
  point(at);
  $("guide-title").focus({ preventScroll: true });
}

function point(id) {
  document.querySelector(".pointed")?.classList.remove("pointed");
  if (!id) return;
  const card = $(id);
  card.classList.add("pointed");
  const { right } = card.getBoundingClientRect();
  $("guide").classList.toggle("left", right > 0.8 * innerWidth); // beside what it points at, not on it
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  card.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
}

function close() {
  $("guide").hidden = true;
  point(null);
  $("guide-open").focus();
}

/** The reader did what the stop asks for. */
function did(name) {
  if ($("guide").hidden || walk[here].done !== name) return;
  if (name === "select" && shown.followed) return;
  if (name === "phase" && shown.phase < 2) return;
  $("guide-try").classList.add("done");
}

/** The last stop's question, with the weight that was picked as its example. */
function asked() {
  const { weight, equation, network } = shown;
  const reply = el("p", { role: "status", class: "reply" });
  const buttons = ANSWERS.map(([answer, response]) =>
    el("button", { type: "button", class: "choice", onclick: () => (reply.textContent = response) }, answer),
  );
  const term = weight?.index.length === 2 && equation?.terms.find(({ input }) => input === weight.index[0]);
  const mine = term
    ? `You picked a weight of ${number(term.w)}: with its input at ${number(term.x)}, it adds ${number(term.product)}` +
      ` to ${unitName(network, equation.layer, equation.unit)}.`
    : "Choose the answer that fits what you saw.";
  return [el("p", {}, mine), ...buttons, reply];
}
