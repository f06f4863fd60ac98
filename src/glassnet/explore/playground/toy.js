/** Small problems to learn, made from a seed: points in about -1..1, and what they should give. */

/** Random numbers in 0..1 (T. Ettinger's mulberry32). */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** A number of N(0, 1), by Box and Muller. */
const gaussian = (rng) => Math.sqrt(-2 * Math.log(1 - rng())) * Math.cos(2 * Math.PI * rng());

const between = (rng, low, high) => low + (high - low) * rng();

/** Each problem: its name, the number of classes or null for values, its inputs, and a point of it: {x, t}. */
export const TOYS = {
  moons: {
    name: "two moons", classes: 2, width: 2,
    point(rng, i, noise) {
      const t = i % 2;
      const a = Math.PI * rng();
      const [u, v] = t ? [1 - Math.cos(a), 0.5 - Math.sin(a)] : [Math.cos(a), Math.sin(a)];
      const [x, y] = [(u + noise * gaussian(rng) - 0.5) / 1.6, (v + noise * gaussian(rng) - 0.25) / 1.2];
      return { x: [x, y], t };
    },
  },
  circles: {
    name: "circles", classes: 2, width: 2,
    point(rng, i, noise) {
      const t = i % 2;
      const [a, r] = [2 * Math.PI * rng(), t ? 0.35 : 0.85];
      return { x: [r * Math.cos(a) + noise * gaussian(rng), r * Math.sin(a) + noise * gaussian(rng)], t };
    },
  },
  xor: {
    name: "XOR", classes: 2, width: 2,
    point(rng, i, noise) {
      const [u, v] = [between(rng, -1, 1), between(rng, -1, 1)];
      const away = (w) => w + 0.08 * Math.sign(w);
      return { x: [away(u) + noise * gaussian(rng), away(v) + noise * gaussian(rng)], t: u * v > 0 ? 0 : 1 };
    },
  },
  blobs: {
    name: "three blobs", classes: 3, width: 2,
    point(rng, i, noise) {
      const t = i % 3;
      const a = 0.5 + (2 * Math.PI * t) / 3;
      const size = 0.12 + noise;
      return { x: [0.6 * Math.cos(a) + size * gaussian(rng), 0.6 * Math.sin(a) + size * gaussian(rng)], t };
    },
  },
  spirals: {
    name: "two spirals", classes: 2, width: 2,
    point(rng, i, noise) {
      const t = i % 2;
      const along = Math.sqrt(rng());
      const a = 3.5 * Math.PI * along + Math.PI * t;
      const spread = 0.3 * noise;
      return {
        x: [along * Math.cos(a) + spread * gaussian(rng), along * Math.sin(a) + spread * gaussian(rng)], t,
      };
    },
  },
  checkerboard: {
    name: "checkerboard", classes: 2, width: 2,
    point(rng, i, noise) {
      const [u, v] = [between(rng, -1, 1), between(rng, -1, 1)];
      const t = (Math.floor(2 * u) + Math.floor(2 * v)) & 1;
      return { x: [u + 0.3 * noise * gaussian(rng), v + 0.3 * noise * gaussian(rng)], t };
    },
  },
  hills: {
    name: "two hills (heights)", classes: null, width: 2,
    point(rng, i, noise) {
      const [u, v] = [between(rng, -1, 1), between(rng, -1, 1)];
      const hill = (a, b) => Math.exp(-5 * ((u - a) ** 2 + (v - b) ** 2));
      return { x: [u, v], t: hill(0.5, 0.4) - hill(-0.5, -0.4) + noise * gaussian(rng) };
    },
  },
  slope: {
    name: "a slope (heights)", classes: null, width: 2,
    point(rng, i, noise) {
      const [u, v] = [between(rng, -1, 1), between(rng, -1, 1)];
      return { x: [u, v], t: 0.6 * u - 0.4 * v + 0.1 + noise * gaussian(rng) };
    },
  },
  step: {
    name: "a step (one input)", classes: null, width: 1,
    point(rng, i, noise) {
      const u = between(rng, -1, 1);
      return { x: [u], t: (u > 0 ? 0.6 : -0.6) + noise * gaussian(rng) };
    },
  },
  sine: {
    name: "a sine (one input)", classes: null, width: 1,
    point(rng, i, noise) {
      const u = between(rng, -1, 1);
      return { x: [u], t: 0.7 * Math.sin(2 * Math.PI * u) + noise * gaussian(rng) };
    },
  },
};

/** The points of a problem, as rows {x, t}. */
export function toy({ kind, n, noise, seed }) {
  const rng = random(seed);
  return Array.from({ length: n }, (_, i) => TOYS[kind].point(rng, i, noise));
}

/** 0..n-1 in an order of this seed. */
export function shuffled(n, seed) {
  const rng = random(seed + 1);
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor((i + 1) * rng());
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
