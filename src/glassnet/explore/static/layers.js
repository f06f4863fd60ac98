/** The layers of glassnet.nn once more, for one row in double precision: what a page without a server computes with. */

class Layer {
  static trained = []; // names of the arrays that training changes
  static decayed = []; // those of them that weight decay and L2 act on

  constructor(config = {}, arrays = {}) {
    this.config = config;
    this.parameters = {};
    for (const [name, { shape, data }] of Object.entries(arrays)) {
      const value = Float64Array.from(data);
      if (this.constructor.trained.includes(name)) {
        const decayed = this.constructor.decayed.includes(name);
        this.parameters[name] = { shape, value, gradient: new Float64Array(value.length), decayed };
      } else this[name] = value;
    }
  }

  /** dy/dx of each value where the layer acts on each value alone, else null. */
  local() {
    return null;
  }

  /** The letters of the layer's formula that are none of its arrays or settings: [name, value] by letter. */
  letters() {
    return {};
  }

  /** On which side of a kink each value lies; empty for a smooth layer. */
  sides() {
    return [];
  }
}

export class Dense extends Layer {
  static trained = ["W", "b"];
  static decayed = ["W"];

  forward(x) {
    this.x = x;
    const { W, b } = this.parameters;
    const width = b.value.length;
    const y = Float64Array.from(b.value);
    for (let i = 0, k = 0; i < x.length; i++, k += width) {
      const xi = x[i];
      if (xi !== 0) for (let j = 0; j < width; j++) y[j] += xi * W.value[k + j];
    }
    return y;
  }

  backward(dy) {
    const { W, b } = this.parameters;
    const dx = new Float64Array(this.x.length);
    for (let i = 0, k = 0; i < dx.length; i++) {
      for (let j = 0; j < dy.length; j++, k++) {
        W.gradient[k] = this.x[i] * dy[j];
        dx[i] += dy[j] * W.value[k];
      }
    }
    b.gradient.set(dy);
    return dx;
  }
}

/** A function of each value alone: subclasses give `f` and its derivative `slope`. */
class Elementwise extends Layer {
  forward(x) {
    this.x = x;
    this.y = x.map((v) => this.f(v));
    return this.y;
  }

  local() {
    return this.x.map((v, i) => this.slope(v, this.y[i]));
  }

  backward(dy) {
    return dy.map((d, i) => d * this.slope(this.x[i], this.y[i]));
  }
}

class Kinked extends Elementwise {
  sides() {
    return Array.from(this.x, (v) => v > 0);
  }
}

export class ReLU extends Kinked {
  f = (v) => Math.max(v, 0);
  slope = (v) => (v > 0 ? 1 : 0);
}

export class LeakyReLU extends Kinked {
  f = (v) => (v > 0 ? v : this.config.slope * v);
  slope = (v) => (v > 0 ? 1 : this.config.slope);
}

const logistic = (v) => 1 / (1 + Math.exp(-v));

export class Sigmoid extends Elementwise {
  f = logistic;
  slope = (v, y) => y * (1 - y);
}

export class Tanh extends Elementwise {
  f = Math.tanh;
  slope = (v, y) => 1 - y * y;
}

export class SiLU extends Elementwise {
  f = (v) => v * logistic(v);
  slope = (v) => logistic(v) * (1 + v * (1 - logistic(v)));
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
  slope = (v) => normal(v) + (v * Math.exp((-v * v) / 2)) / Math.sqrt(2 * Math.PI);

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
  forward(x) {
    this.y = softmax(x);
    return this.y;
  }

  backward(dy) {
    const along = dy.reduce((sum, d, i) => sum + d * this.y[i], 0);
    return dy.map((d, i) => this.y[i] * (d - along));
  }

  letters(x) {
    const m = x.reduce((a, b) => Math.max(a, b), -Infinity);
    const total = x.reduce((sum, v) => sum + Math.exp(v - m), 0);
    return { m: ["m", m], total: ["sum over j of exp(x[j] - m)", total] };
  }
}

/** Off outside training, and a page without a server only looks. */
class Noise extends Layer {
  forward(x) {
    return x;
  }

  backward(dy) {
    return dy;
  }
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
  static trained = ["gamma", "beta"];

  affine() {
    const { gamma, beta } = this.parameters;
    return this.xHat.map((v, i) => gamma.value[i] * v + beta.value[i]);
  }

  gradients(dy) {
    const { gamma, beta } = this.parameters;
    gamma.gradient.set(dy.map((d, i) => d * this.xHat[i]));
    beta.gradient.set(dy);
    return dy.map((d, i) => d * gamma.value[i]);
  }
}

/** By the running statistics, as in inference. */
export class BatchNorm extends Normalization {
  forward(x) {
    this.inverse = this.running_var.map((v) => 1 / Math.sqrt(v + this.config.eps));
    this.xHat = x.map((v, i) => (v - this.running_mean[i]) * this.inverse[i]);
    return this.affine();
  }

  backward(dy) {
    return this.gradients(dy).map((g, i) => g * this.inverse[i]);
  }

  letters(x, y, u) {
    return { mean: ["running_mean", this.running_mean[u]], var: ["running_var", this.running_var[u]] };
  }
}

const mean = (x) => x.reduce((a, b) => a + b, 0) / x.length;

export class LayerNorm extends Normalization {
  forward(x) {
    const centre = mean(x);
    this.inverse = 1 / Math.sqrt(mean(x.map((v) => (v - centre) ** 2)) + this.config.eps);
    this.xHat = x.map((v) => (v - centre) * this.inverse);
    return this.affine();
  }

  backward(dy) {
    const g = this.gradients(dy);
    const [middle, along] = [mean(g), mean(g.map((v, i) => v * this.xHat[i]))];
    return g.map((v, i) => this.inverse * (v - middle - this.xHat[i] * along));
  }

  letters(x) {
    const centre = mean(x);
    return { mean: ["mean of the row", centre], var: ["its var", mean(x.map((v) => (v - centre) ** 2))] };
  }
}

/** Element i of an array that holds one value for all columns, or one for each. */
const at = (array, i) => array[array.length === 1 ? 0 : i];

export class Standardize extends Layer {
  forward(x) {
    return Float64Array.from(x, (v, i) => (v - at(this.mean, i)) / at(this.scale, i));
  }

  backward(dy) {
    return dy.map((d, i) => d / at(this.scale, i));
  }
}

export class Unstandardize extends Layer {
  forward(x) {
    return x.map((v, i) => at(this.mean, i) + at(this.scale, i) * v);
  }

  backward(dy) {
    return dy.map((d, i) => d * at(this.scale, i));
  }
}

export class QuantileNormalize extends Layer {
  /** How many knots of column i are at most v (or below v): the knots are sorted. */
  count(i, v, equal) {
    const width = this.knots.length / this.levels.length;
    let [low, high] = [0, this.levels.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const knot = this.knots[middle * width + i];
      if (knot < v || (equal && knot === v)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  segment(i, v) {
    const width = this.knots.length / this.levels.length;
    const k = this.count(i, v, true);
    if (k === 0 || k === this.levels.length) return null;
    const [left, right] = [this.knots[(k - 1) * width + i], this.knots[k * width + i]];
    return { k, left, slope: (this.levels[k] - this.levels[k - 1]) / (right - left) };
  }

  forward(x) {
    this.x = Float64Array.from(x);
    const last = this.levels.length - 1;
    return this.x.map((v, i) => {
      const [below, upTo] = [this.count(i, v, false), this.count(i, v, true)];
      // On a knot: the mean of the levels of all knots that have this value, the first and the last of them.
      if (upTo > below) return (this.levels[below] + this.levels[upTo - 1]) / 2;
      if (upTo === 0 || below > last) return this.levels[upTo === 0 ? 0 : last];
      const { k, left, slope } = this.segment(i, v);
      return this.levels[k - 1] + slope * (v - left);
    });
  }

  backward(dy) {
    return dy.map((d, i) => d * (this.segment(i, this.x[i])?.slope ?? 0));
  }

  letters(x, y, u) {
    return { share: [`F(x[${u}])`, normal(y[u])] };
  }
}

export const LAYERS = {
  Standardize,
  QuantileNormalize,
  Unstandardize,
  Dense,
  ReLU,
  LeakyReLU,
  Sigmoid,
  Tanh,
  GELU,
  SiLU,
  Softmax,
  Dropout,
  GaussianNoise,
  BatchNorm,
  LayerNorm,
};
