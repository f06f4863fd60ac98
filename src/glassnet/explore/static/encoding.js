/** Arrays as they travel to the page. */

/** Decode an array: {shape, f32 or f64: base64 of its little-endian numbers}. */
export function decode({ shape, f32, f64 }) {
  const text = atob(f32 ?? f64);
  const view = new DataView(new ArrayBuffer(text.length));
  for (let i = 0; i < text.length; i++) view.setUint8(i, text.charCodeAt(i));
  const data = new Float64Array(text.length / (f32 ? 4 : 8));
  for (let i = 0; i < data.length; i++) data[i] = f32 ? view.getFloat32(4 * i, true) : view.getFloat64(8 * i, true);
  return { shape, data };
}
