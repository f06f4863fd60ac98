/** A short walk for someone who has never seen a network: what each thing is, and something to do with it. */

import { $, coarse, el } from "glassnet/dom.js";
import { number, unitName } from "glassnet/format.js";
import { on, shown } from "glassnet/model.js";
import { isOff } from "glassnet/still.js";

const strong = (text) => el("strong", {}, text);

/** Each stop: where it points, its words, what to try, the event that shows it was done, and whether it really was. */
function stops() {
  const { network } = shown;
  const image = Boolean(network.image_shape);
  const dense = network.layers.filter((layer) => layer.kind === "Dense");
  const [first, last] = [dense[0], dense.at(-1)];
  const relu = network.layers[first.index + 1]?.kind === "ReLU";
  const square = relu ? "an orange square (above 0, so it is on)" : "a square";
  return [
    {
      at: "input-card",
      title: "A network turns numbers into an answer",
      words: image
        ? `A picture is ${network.features.length} numbers: how much ink each pixel holds. They go in on the left.`
        : `A row of the table is ${network.features.length} numbers. They go in on the left.`,
      act: image
        ? "Draw something on the pad. The answer follows your hand."
        : "Move one of the sliders. The answer follows your hand.",
      done: "input",
    },
    {
      at: "network-card",
      title: "Numbers flow from left to right",
      words:
        "Each small square is a unit: it holds one number, and its colour shows it. Orange is above 0, blue below." +
        " A unit in a “Dense” layer gets its number by looking at all numbers of the layer before it." +
        (relu ? " The ReLU after it turns blue ones into 0: such a unit is off for this row." : ""),
      act: coarse()
        ? `Tap layer ${first.index}, “Dense”: it opens below. There, tap ${square}.`
        : `In layer ${first.index}, “Dense”, click ${square}.`,
      done: "select",
      check: () => !shown.followed && shown.selected.layer === first.index && !isOff(first.index, shown.selected.unit),
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
      words: classes(network)
        ? `Layer ${last.index} has one unit for each class. The largest number wins; the bars show all of them as` +
          " probabilities. Nobody wrote rules for it: all of it is in the weights."
        : `The last number is the answer, ${network.target}. Nobody wrote rules for it: all of it is in the weights.`,
      act: "Take another example, with the arrow beside its number.",
      done: "input",
      block: "end", // so that the arrow is in sight as well
    },
    ...(network.embedded ? [] : stepping()),
    ...(network.can_train ? training(network) : []),
    {
      at: "code-section",
      title: "All of this is a few lines of Python",
      words: "Whatever the page shows, there are lines that give the same numbers; paste them where you use Python.",
      act: "Open “This view as code”.",
      done: "code",
    },
    { at: null, title: "So what does one weight do?", question: true },
  ];
}

const classes = ({ task }) => task === "classification";

/** The stops at one step of learning. */
function stepping() {
  return [
    {
      at: "steps-card",
      title: "Learning begins with: how wrong was it?",
      words:
        "The loss measures how wrong the answer is. Going backward, the network works out for every weight whether" +
        " a little more of it would make the loss larger or smaller: that is its gradient. A unit that is off takes" +
        " no part in the answer, so its weights get a gradient of 0.",
      act: "Choose a wrong “right answer” on purpose, then press “Next” twice.",
      done: "phase",
      check: () => shown.phase >= 2,
    },
    {
      at: "steps-card",
      title: "Then every weight moves a little",
      words:
        "The update moves each weight a little, against its gradient. (Weight decay also draws every weight a little" +
        " towards 0, even one whose gradient is 0.) Many thousands of such steps, on many examples, are all there is" +
        " to training.",
      act: "Press “Next” until the update. Compare the loss and the weights, before and after; then “Reset weights”.",
      done: "phase",
      check: () => shown.phase === 3,
    },
  ];
}

/** The stops at the live training. */
function training({ trained }) {
  return [
    {
      at: "training",
      title: "Watch it learn from nothing",
      words:
        "At first all weights are random, and the answers guesses. An epoch is one pass through all training rows, in" +
        " small batches, with a step after each.",
      act: `Press ${trained ? "“Start from random weights”, then " : ""}“One epoch”, twice. Watch the loss fall.`,
      done: "epoch",
    },
    {
      at: "training",
      title: "Go back in time",
      words: "The weights after each epoch are kept. The whole page shows the ones that you go back to.",
      act: "Drag “Back to the weights after” to the left, see what the network answers above, and drag it back.",
      done: "scrub",
    },
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
  for (const name of ["input", "select", "weight", "phase", "epoch", "scrub", "code"]) on(name, () => did(name));
}

function go(step) {
  here = step;
  const { at, block, title, words, act, question } = walk[here];
  $("guide").hidden = false;
  $("guide-count").textContent = `${here + 1} of ${walk.length}`;
  $("guide-title").textContent = title;
  $("guide-words").replaceChildren(...(words ? [el("p", {}, words)] : []));
  $("guide-try").replaceChildren(...(act ? [strong("Try it: "), act] : []));
  $("guide-try").classList.remove("done");
  $("guide-question").replaceChildren(...(question ? asked() : []));
  $("guide-back").disabled = here === 0;
  $("guide-next").textContent = here === walk.length - 1 ? "Done" : "Next";
  point(at, block);
  for (const box of ["guide-text", "guide-words"]) $(box).scrollTop = 0;
  $("guide-title").focus({ preventScroll: true });
}

function point(id, block = "start") {
  document.querySelector(".pointed")?.classList.remove("pointed");
  if (!id) return;
  const card = $(id);
  card.classList.add("pointed");
  const above = getComputedStyle($("guide")).position === "sticky";
  const room = `${$("guide").offsetHeight + 24}px`;
  Object.assign(document.documentElement.style, above ? { scrollPaddingTop: room } : { scrollPaddingBottom: room });
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  card.scrollIntoView({ behavior: calm ? "auto" : "smooth", block });
}

function close() {
  $("guide").hidden = true;
  document.documentElement.style.scrollPadding = "";
  point(null);
  $("guide-open").focus();
}

/** The reader did what the stop asks for. */
function did(name) {
  const { done, check } = walk[here];
  if ($("guide").hidden || done !== name || (check && !check())) return;
  $("guide-try").classList.add("done");
}

/** The last stop's question, with the weight that was picked as its example. */
function asked() {
  const { weight, equation, network } = shown;
  const reply = el("p", { role: "status", class: "reply" });
  const answered = (response) => {
    reply.textContent = response;
    reply.scrollIntoView({ block: "nearest" });
  };
  const buttons = ANSWERS.map(([answer, response]) =>
    el("button", { type: "button", class: "choice", onclick: () => answered(response) }, answer),
  );
  const term = weight?.index.length === 2 && equation?.terms.find(({ input }) => input === weight.index[0]);
  const mine = term
    ? `You picked a weight of ${number(term.w)}: with its input at ${number(term.x)}, it adds ${number(term.product)}` +
      ` to ${unitName(network, equation.layer, equation.unit)}.`
    : "Choose the answer that fits what you saw.";
  return [el("p", {}, mine), ...buttons, reply];
}
