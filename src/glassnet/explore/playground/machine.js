/**
 * The library's C kernels in a memory of their own, and the structures that they read.
 *
 * A machine holds one network and is dropped with it, so memory is only ever handed out.
 */

const POINTER = 4; // bytes, in WebAssembly

/** Of each structure: the size, and where each field is. `structures`: name -> [[field, kind, how many], ...]. */
export function layouts(structures) {
  const known = {
    int: { size: 8, align: 8 },
    double: { size: 8, align: 8 },
    pointer: { size: POINTER, align: POINTER },
  };
  for (const [name, fields] of Object.entries(structures)) {
    const found = { size: 0, align: 1, fields: {} };
    for (const [field, kind, count] of fields) {
      const { size, align } = known[kind];
      found.size = Math.ceil(found.size / align) * align;
      found.fields[field] = { at: found.size, kind, step: size };
      found.size += size * count;
      found.align = Math.max(found.align, align);
    }
    found.size = Math.ceil(found.size / found.align) * found.align;
    known[name] = found;
  }
  return known;
}

/** The text that the kernels' function `layout` begins with, of the structures that are known here. */
export const sizes = (known, names) => names.map((name) => `${name} ${known[name].size}`);

export class Machine {
  constructor(module, structures) {
    this.kernels = new WebAssembly.Instance(module).exports;
    this.kernels._initialize();
    this.layouts = layouts(structures);
    this.top = this.kernels.__heap_base.value;
    this.said = this.text(this.kernels.layout()).split("; "); // sizes and constants
    const wrong = sizes(this.layouts, Object.keys(structures)).find((ours) => !this.said.includes(ours));
    if (wrong) throw new Error(`the kernels in this page have other structures than ${wrong}`);
    this.kinds = {};
    for (const table of this.text(this.kernels.kinds()).split(";"))
      table.trim().split(" ").forEach((name, number) => (this.kinds[name] = number));
  }

  text(address) {
    const bytes = new Uint8Array(this.kernels.memory.buffer, address);
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  /** The address of so many bytes, all 0. */
  allocate(bytes) {
    const address = Math.ceil(this.top / 64) * 64;
    this.top = address + bytes;
    const missing = this.top - this.kernels.memory.buffer.byteLength;
    if (missing > 0) this.kernels.memory.grow(Math.ceil(missing / 65536));
    return address;
  }

  /** Memory is looked at anew each time, because older views end when it grows. */
  bytes = (address, n) => new Uint8Array(this.kernels.memory.buffer, address, n);
  reals = (address, n) => new Float32Array(this.kernels.memory.buffer, address, n);
  doubles = (address, n) => new Float64Array(this.kernels.memory.buffer, address, n);
  longs = (address, n) => new BigInt64Array(this.kernels.memory.buffer, address, n);
  words = (address, n) => new Uint32Array(this.kernels.memory.buffer, address, n);

  newReals = (n) => this.allocate(4 * n);
  newDoubles = (n) => this.allocate(8 * n);
  newLongs = (n) => this.allocate(8 * n);

  /** The address of numbers, copied. */
  copied(values, kind = "reals") {
    const bytes = { bytes: 1, reals: 4, words: 4, doubles: 8, longs: 8 }[kind];
    const address = this.allocate(bytes * values.length);
    this[kind](address, values.length).set(values);
    return address;
  }

  /** The address of a new structure, or of several in a row. */
  structure(name, count = 1) {
    return this.allocate(count * this.layouts[name].size);
  }

  /** Set fields of a structure. Those that are structures are given as objects, and several in a row as arrays. */
  set(name, address, values) {
    const { fields } = this.layouts[name];
    const view = new DataView(this.kernels.memory.buffer);
    for (const [field, value] of Object.entries(values)) {
      const { at, kind, step } = fields[field];
      [value].flat().forEach((one, i) => {
        const place = address + at + i * step;
        if (kind === "int") view.setBigInt64(place, BigInt.asIntN(64, BigInt(one)), true);
        else if (kind === "double") view.setFloat64(place, one, true);
        else if (kind === "pointer") view.setUint32(place, one, true);
        else this.set(kind, place, one);
      });
    }
  }
}
