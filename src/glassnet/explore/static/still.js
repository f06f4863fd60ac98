/** Why the gradient of a unit's weights is 0: the unit is off, or there is nothing to learn from this row. */

import { unitName } from "glassnet/format.js";
import { shown } from "glassnet/model.js";

const TINY = 1e-4; // a loss that leaves hardly anything to learn

/** Whether the ReLU after a layer turns this unit into 0. */
export function isOff(layer, unit, forward = shown.forward) {
  const next = shown.network.layers[layer + 1];
  return next?.kind === "ReLU" && forward.layers[layer].output[unit] <= 0;
}

export const offWords = (layer, unit) =>
  `${unitName(shown.network, layer, unit)} is off for this row (ReLU gives 0)`.replace(/^./, (c) => c.toUpperCase());

/** The unit of the layer with the largest output, which is on if any is; null if all are off. */
export function unitThatIsOn(layer, forward = shown.forward) {
  const { output } = forward.layers[layer];
  const unit = output.indexOf(Math.max(...output));
  return isOff(layer, unit, forward) ? null : unit;
}

export const nearlyRight = (loss) => Math.abs(loss) < TINY;
