/** The factor of the learning rate in each step: the formulas of optim/schedules.py. */

export const SCHEDULES = {
  Constant: () => 1,
  ExponentialDecay: ({ rate }, step, perEpoch) => rate ** Math.floor(step / perEpoch),
  Cosine: (_, step, perEpoch, epochs) => (1 + Math.cos((Math.PI * step) / (perEpoch * epochs))) / 2,
  OneCycle({ warmup }, step, perEpoch, epochs) {
    const steps = perEpoch * epochs;
    const rising = warmup * steps;
    const falling = (steps - step) / (steps - rising);
    return rising ? Math.min((step + 1) / rising, falling, 1) : falling;
  },
  Linear: ({ first, last }, step, perEpoch, epochs) =>
    first + ((last - first) * step) / Math.max(1, perEpoch * epochs - 1),
  Tail({ start, high, low, warmup }, step, perEpoch, epochs) {
    const rising = warmup * perEpoch * epochs;
    const tail = Math.floor(start * epochs) * perEpoch;
    if (step >= tail) return high + (((low ?? high) - high) * (step % perEpoch)) / Math.max(1, perEpoch - 1);
    if (step < rising) return Math.min((step + 1) / rising, 1);
    return 1 + ((high - 1) * (step - rising)) / (tail - rising);
  },
};

/** Of step number `step`, counted from 0. Steps beyond the last keep its factor. */
export function factor({ type, ...given }, step, perEpoch, epochs) {
  return SCHEDULES[type](given, Math.min(step, perEpoch * epochs - 1), perEpoch, epochs);
}
