import { dlopen, FFIType } from "bun:ffi";

const { i32, ptr } = FFIType;

const symbols = {
  zlibVersion: { args: [], returns: ptr },
  deflateInit2_: { args: [ptr, i32, i32, i32, i32, i32, ptr, i32], returns: i32 },
  deflate: { args: [ptr, i32], returns: i32 },
  deflateReset: { args: [ptr], returns: i32 },
  deflateEnd: { args: [ptr], returns: i32 },
  inflateInit2_: { args: [ptr, i32, ptr, i32], returns: i32 },
  inflate: { args: [ptr, i32], returns: i32 },
  inflateReset: { args: [ptr], returns: i32 },
  /** Begins a new stream and keeps the window (zlib 1.2.5.2). */
  inflateResetKeep: { args: [ptr], returns: i32 },
  inflateEnd: { args: [ptr], returns: i32 },
} as const;

const names: Partial<Record<NodeJS.Platform, string>> = { linux: "libz.so.1", darwin: "libz.1.dylib" };

/** The system's zlib; null where there is none. */
export const zlib = openZlib();

export type Zlib = NonNullable<typeof zlib>;

/** Constants of zlib.h. */
export const z = {
  Z_OK: 0,
  Z_STREAM_END: 1,
  Z_MEM_ERROR: -4,
  Z_BUF_ERROR: -5,
  Z_SYNC_FLUSH: 2,
  Z_DEFLATED: 8,
  Z_DEFAULT_COMPRESSION: -1,
  Z_DEFAULT_STRATEGY: 0,
  defaultMemLevel: 8,
} as const;

/** Set in `data_type` when inflate stands right behind a block; the bits below 64 count what of a byte is unused. */
export const behindBlock = 128;

/** `struct z_stream` of zlib.h where pointers and longs have 64 bits, in 32-bit words. */
const field = { nextIn: 0, availIn: 2, nextOut: 6, availOut: 8, dataType: 22 } as const;
const streamBytes = 112;

/** One stream's struct, to be given to zlib. */
export class ZStream {
  /** Over an `ArrayBuffer`: zlib keeps its address, and refuses one that moved. */
  readonly fields = new Uint32Array(new ArrayBuffer(streamBytes));

  static readonly bytes = streamBytes;

  get availIn(): number {
    return this.fields[field.availIn] as number;
  }

  get availOut(): number {
    return this.fields[field.availOut] as number;
  }

  get dataType(): number {
    return this.fields[field.dataType] as number;
  }

  setInput(address: number, length: number): void {
    this.#setAddress(field.nextIn, address);
    this.fields[field.availIn] = length;
  }

  setOutput(address: number, length: number): void {
    this.#setAddress(field.nextOut, address);
    this.fields[field.availOut] = length;
  }

  /** An array of 32-bit words keeps of a number what fits. */
  #setAddress(at: number, address: number): void {
    this.fields[at] = address;
    this.fields[at + 1] = address / 0x1_0000_0000;
  }
}

function openZlib() {
  const name = names[process.platform];
  if (name === undefined) return null;
  try {
    return dlopen(name, symbols).symbols;
  } catch {
    return null; // There is node:zlib in its place.
  }
}
