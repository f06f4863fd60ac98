/** The forward of glassnet.nn's layers once more, for one row in double precision: for a page without a server. */

class Layer {
  /** config: the constructor's arguments; arrays: {shape, data} of parameters and state; formula, note: nn/written.py. */
  constructor({ config = {}, arrays = {}, formula = "", note = "" }) {
    Object.assign(this, { config, arrays, formula, note });
  }

  /** The numbers of an array. */
  of(name) {
    return this.arrays[name].data;
  }

  /** Element i of an array that holds one value for all columns, or one for each. */
  at(name, i) {
    const values = this.of(name);
    return values[values.length === 1 ? 0 : i];
  }

  /** The letters of the layer's formula that are none of its arrays or settings: [name, value] by letter. */
  letters() {
    return {};
  }
}

export class Dense extends Layer {
  forward(x) {
    const [W, y] = [this.of("W"), Float64Array.from(this.of("b"))];
    for (let i = 0, k = 0; i < x.length; i++, k += y.length) {
      const xi = x[i];
      if (xi !== 0) for (let j = 0; j < y.length; j++) y[j] += xi * W[k + j];
    }
    return y;
  }
}

/** A function of each value alone: subclasses give `f`. */
class Elementwise extends Layer {
  forward(x) {
    return x.map((v, i) => this.f(v, i));
  }
}

export class ReLU extends Elementwise {
  f = (v) => Math.max(v, 0);
}

export class LeakyReLU extends Elementwise {
  f = (v) => (v > 0 ? v : this.config.slope * v);
}

const logistic = (v) => 1 / (1 + Math.exp(-v));

export class Sigmoid extends Elementwise {
  f = logistic;
}

export class Tanh extends Elementwise {
  f = (v) => Math.tanh(v);
}

export class Exp extends Elementwise {
  f = (v) => Math.exp(v);
}

export class SiLU extends Elementwise {
  f = (v) => v * logistic(v);
}

/** The distribution function of N(0, 1): its series near 0, its continued fraction in the tails. */
export function normal(v) {
  const density = Math.exp((-v * v) / 2) / Math.sqrt(2 * Math.PI);
  if (Math.abs(v) < 3) {
    let [term, sum] = [v, v];
    for (let n = 3; Math.abs(term) > 1e-17 * Math.abs(sum); n += 2) sum += term *= (v * v) / n;
    return 0.5 + density * sum;
  }
  let fraction = Math.abs(v);
  for (let n = 60; n > 0; n--) fraction = Math.abs(v) + n / fraction;
  return v > 0 ? 1 - density / fraction : density / fraction;
}

export class GELU extends Elementwise {
  f = (v) => v * normal(v);

  letters(x, y, u) {
    return { P: [`P(x[${u}])`, normal(x[u])] };
  }
}

export function softmax(x) {
  const largest = x.reduce((a, b) => Math.max(a, b), -Infinity);
  const y = x.map((v) => Math.exp(v - largest));
  const total = y.reduce((a, b) => a + b, 0);
  return y.map((v) => v / total);
}

export class Softmax extends Layer {
  forward = softmax;

  letters(x) {
    const m = x.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = x.reduce((sum, v) => sum + Math.exp(v - m), 0);
    return { m: ["m", m], total: ["sum over j of exp(x[j] - m)", total] };
  }
}

/** Off outside training, and a page without a server only looks. */
class Noise extends Elementwise {
  f = (v) => v;
}

export class Dropout extends Noise {
  letters(x, y, u) {
    return { mask: [`mask[${u}]`, 1] };
  }
}

export class GaussianNoise extends Noise {
  letters(x, y, u) {
    return { noise: [`noise[${u}]`, 0] };
  }
}

class Normalization extends Layer {
  normalized(v, i, mean, variance) {
    return this.at("gamma", i) * ((v - mean) / Math.sqrt(variance + this.config.eps)) + this.at("beta", i);
  }
}

/** By the running statistics, as in inference. */
export class BatchNorm extends Normalization {
  forward(x) {
    return x.map((v, i) => this.normalized(v, i, this.at("running_mean", i), this.at("running_var", i)));
  }

  letters(x, y, u) {
    return { mean: ["running_mean", this.at("running_mean", u)], var: ["running_var", this.at("running_var", u)] };
  }
}

const mean = (x) => x.reduce((a, b) => a + b, 0) / x.length;

export class LayerNorm extends Normalization {
  statistics(x) {
    const centre = mean(x);
    return [centre, mean(x.map((v) => (v - centre) ** 2))];
  }

  forward(x) {
    const [centre, variance] = this.statistics(x);
    return x.map((v, i) => this.normalized(v, i, centre, variance));
  }

  letters(x) {
    const [centre, variance] = this.statistics(x);
    return { mean: ["mean of the row", centre], var: ["its var", variance] };
  }
}

export class Standardize extends Elementwise {
  f = (v, i) => (v - this.at("mean", i)) / this.at("scale", i);
}

export class Unstandardize extends Elementwise {
  f = (v, i) => this.at("mean", i) + this.at("scale", i) * v;
}

export class RobustScale extends Elementwise {
  z = (v, i) => this.at("scale", i) * (v - this.at("median", i));
  f = (v, i) => this.z(v, i) / Math.hypot(1, this.z(v, i) / 3);

  letters(x, y, u) {
    return { z: ["z", this.z(x[u], u)] };
  }
}

export class QuantileNormalize extends Elementwise {
  /** How many knots of column i are at most v (or below v): the knots are sorted. */
  count(i, v, equal) {
    const [knots, size] = [this.of("knots"), this.of("levels").length];
    const width = knots.length / size;
    let [low, high] = [0, size];
    while (low < high) {
      const middle = (low + high) >> 1;
      const knot = knots[middle * width + i];
      if (knot < v || (equal && knot === v)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  f = (v, i) => {
    const [knots, levels] = [this.of("knots"), this.of("levels")];
    const [width, last] = [knots.length / levels.length, levels.length - 1];
    const [below, upTo] = [this.count(i, v, false), this.count(i, v, true)];
    // On a knot: the mean of the levels of all knots that have this value, the first and the last of them.
    if (upTo > below) return (levels[below] + levels[upTo - 1]) / 2;
    if (upTo === 0 || below > last) return levels[upTo === 0 ? 0 : last];
    const [left, right] = [knots[(upTo - 1) * width + i], knots[upTo * width + i]];
    return levels[upTo - 1] + ((levels[upTo] - levels[upTo - 1]) / (right - left)) * (v - left);
  };

  letters(x, y, u) {
    return { share: [`F(x[${u}])`, normal(y[u])] };
  }
}

export const LAYERS = {
  Standardize,
  QuantileNormalize,
  RobustScale,
  Unstandardize,
  Dense,
  ReLU,
  LeakyReLU,
  Sigmoid,
  Tanh,
  Exp,
  GELU,
  SiLU,
  Softmax,
  Dropout,
  GaussianNoise,
  BatchNorm,
  LayerNorm,
};
