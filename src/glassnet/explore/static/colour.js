/** Numbers as colour: blue below zero, orange above, the paper's colour at zero; both told apart by everyone. */

const PALETTES = {
  light: { negative: [0, 90, 160], zero: [243, 243, 240], positive: [200, 80, 0], ink: [29, 31, 33] },
  dark: { negative: [86, 180, 245], zero: [38, 42, 46], positive: [250, 150, 50], ink: [235, 237, 239] },
};

const systemDark = matchMedia("(prefers-color-scheme: dark)");
let chosen = null;
const listeners = new Set();

export const theme = () => chosen ?? (systemDark.matches ? "dark" : "light");

const tell = () => listeners.forEach((listener) => listener());

export function setTheme(name) {
  chosen = name;
  document.documentElement.dataset.theme = name;
  tell();
}

/** Call `listener` whenever colours change: pictures on canvas must be drawn anew. Returns what ends that. */
export function onTheme(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

systemDark.addEventListener("change", tell);

const mix = (from, to, share) => from.map((v, i) => Math.round(v + (to[i] - v) * share));

/** The colour [r, g, b] of a value on a scale from -1 to 1. */
export function diverging(value) {
  const { negative, zero, positive } = PALETTES[theme()];
  if (!Number.isFinite(value)) return [255, 0, 128];
  const size = Math.min(1, Math.abs(value));
  return mix(zero, value < 0 ? negative : positive, size);
}

/** The colour [r, g, b] of ink, from 0 (paper) to 1. */
export function grey(value) {
  const { zero, ink } = PALETTES[theme()];
  return mix(zero, ink, Math.max(0, Math.min(1, value)));
}

export const css = ([r, g, b]) => `rgb(${r},${g},${b})`;

/** Text that can be read on a colour. */
export const readableOn = ([r, g, b]) => (0.2126 * r + 0.7152 * g + 0.0722 * b > 140 ? "#16181a" : "#ffffff");

/** The largest size among values: what their colour scale ends at. */
export function extent(values) {
  let largest = 0;
  for (const v of values) if (Number.isFinite(v)) largest = Math.max(largest, Math.abs(v));
  return largest || 1;
}
