/** SGD with momentum, Adam and AdamW of glassnet.optim once more: clip, add L2, decay, then the rule itself. */

export class Optimizer {
  constructor({ name, config }) {
    this.name = name;
    this.config = { ...config };
    this.reset();
  }

  /** Forget what is remembered between steps. */
  reset() {
    this.steps = 0;
    this.slots = {};
  }

  /** Move `parameters` ({name: {value, gradient, decayed}}) by their gradients; the gradients stay as they are. */
  step(parameters) {
    this.steps += 1;
    const { lr, clip_norm, l2 = 0, weight_decay = 0 } = this.config;
    let squares = 0;
    for (const { gradient } of Object.values(parameters)) for (const g of gradient) squares += g * g;
    const shrink = clip_norm && Math.sqrt(squares) > clip_norm ? clip_norm / Math.sqrt(squares) : 1;
    for (const [name, { value, gradient, decayed }] of Object.entries(parameters)) {
      const g = gradient.map((v, i) => v * shrink + (decayed ? l2 * value[i] : 0));
      if (decayed && weight_decay) for (let i = 0; i < value.length; i++) value[i] *= 1 - lr * weight_decay;
      if (this.name === "SGD") this.momentum(name, value, g);
      else this.adam(name, value, g);
    }
  }

  slot(name, size) {
    return (this.slots[name] ??= new Float64Array(size));
  }

  momentum(name, value, g) {
    const { lr, momentum = 0, nesterov } = this.config;
    const velocity = this.slot(`${name}/velocity`, g.length);
    for (let i = 0; i < g.length; i++) {
      velocity[i] = momentum * velocity[i] - lr * g[i];
      value[i] += nesterov ? momentum * velocity[i] - lr * g[i] : velocity[i];
    }
  }

  adam(name, value, g) {
    const {
      lr,
      betas: [b1, b2],
      eps,
    } = this.config;
    const [m, v] = [this.slot(`${name}/m`, g.length), this.slot(`${name}/v`, g.length)];
    const [c1, c2] = [1 - b1 ** this.steps, 1 - b2 ** this.steps];
    for (let i = 0; i < g.length; i++) {
      m[i] = b1 * m[i] + (1 - b1) * g[i];
      v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
      value[i] -= (lr / c1) * (m[i] / (Math.sqrt(v[i] / c2) + eps));
    }
  }

  /** What is remembered of a parameter, for showing: the velocity, or Adam's mean of the gradient. */
  memory(name) {
    return this.slots[`${name}/velocity`] ?? this.slots[`${name}/m`] ?? null;
  }

  copy() {
    const copy = new Optimizer(this);
    copy.steps = this.steps;
    copy.slots = Object.fromEntries(Object.entries(this.slots).map(([name, slot]) => [name, slot.slice()]));
    return copy;
  }
}
