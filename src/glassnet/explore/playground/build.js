/** Building the network: its drawing, and the panels of settings. */

import { app, begin, change, moveWeight, on } from "glassnet/app.js";
import { Diagram } from "glassnet/diagram.js";
import { $ } from "glassnet/dom.js";
import { dataPanel, layerPanel, trainPanel, unitPanel } from "glassnet/settings.js";
import { ACTIVATIONS, catalog, dense, groups, made } from "glassnet/spec.js";

let chosen = 0; // the column whose layers are shown

export const diagram = new Diagram({
  choose,
  pick(group, unit) {
    diagram.pick(group, unit);
    if (group >= 0) choose(group);
    showUnit();
  },
  units: (g, n) => changeGroup(g, (layers) => layers.with(0, { ...layers[0], [catalog.layers.Dense.width_out]: n })),
  activation: (g, type) =>
    changeGroup(g, (layers) => {
      const rest = layers.filter((layer) => !ACTIVATIONS.includes(layer.type));
      const at = layers.findIndex((layer) => ACTIVATIONS.includes(layer.type));
      return type === "none" ? rest : rest.toSpliced(at < 0 ? 1 : at, 0, made("layers", type));
    }),
});

function choose(g) {
  chosen = g;
  layerPanel(app.run.spec, g, change);
}

/** The layers, column by column. */
const columns = ({ layers }) => groups(layers).map((indices) => indices.map((i) => layers[i]));

const withColumns = (parts) => change({ ...app.run.spec, layers: parts.flat() });

const changeGroup = (g, changed) => {
  const parts = columns(app.run.spec);
  withColumns(parts.with(g, changed(parts[g])));
};

/** A hidden layer more, like the last one. */
function addLayer() {
  const parts = columns(app.run.spec);
  const like = parts.at(-2);
  const units = like ? like[0][catalog.layers.Dense.width_out] : 4;
  const act = like?.find((layer) => ACTIVATIONS.includes(layer.type))?.type ?? "ReLU";
  withColumns(parts.toSpliced(-1, 0, [dense(units), made("layers", act)]));
}

function removeLayer() {
  const parts = columns(app.run.spec);
  if (parts.length > 1) withColumns(parts.toSpliced(-2, 1));
}

/** The weights of the unit that was picked; they are moved by hand while nothing trains. */
export function showUnit() {
  const { selected } = diagram;
  const there = app.run && selected && selected.group >= 0 && !app.running;
  $("unit-card").hidden = !there;
  if (there) unitPanel(app.run, selected, moveWeight);
}

export function makeBuilding() {
  $("add-layer").addEventListener("click", addLayer);
  $("remove-layer").addEventListener("click", removeLayer);
  $("again").addEventListener("click", () => app.run && begin(app.run.spec));
  on("begun", () => {
    const { run } = app;
    const focus = document.activeElement?.getAttribute("aria-label"); // its control is made anew
    diagram.selected = null;
    diagram.build(run.spec, run.data, run.training.net);
    dataPanel(run.spec, run.data, change);
    trainPanel(run.spec, run.data, change);
    choose(Math.min(chosen, run.columns.length - 1));
    if (focus) document.querySelector(`[aria-label="${CSS.escape(focus)}"]`)?.focus();
  });
  on("waiting", () => dataPanel(app.waiting, null, change));
  on("begun waiting running", showUnit);
}
