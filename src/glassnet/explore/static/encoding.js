/** Arrays as they travel to the page: {shape, and as f32, f64 or i64: base64 of its little-endian numbers}. */

export const bytes = (text) => Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));

/** The numbers of an array of f32 or f64. */
export function decode({ shape, f32, f64 }) {
  const view = new DataView(bytes(f32 ?? f64).buffer);
  const data = new Float64Array(view.byteLength / (f32 ? 4 : 8));
  for (let i = 0; i < data.length; i++) data[i] = f32 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
  return { shape, data };
}
