import { indexOf } from "./places.ts";

/** Which of a worker's connections are open: a bit for each, by place. */
export type Liveness = Uint8Array;

export function noteOpen(connections: readonly { readonly state: string }[]): Liveness {
  const bits = new Uint8Array(Math.ceil(connections.length / 8));
  for (const [place, { state }] of connections.entries()) {
    if (state === "open") bits[place >>> 3] = (bits[place >>> 3] as number) | (1 << (place & 7));
  }
  return bits;
}

export function countOpen(bits: Liveness): number {
  let count = 0;
  for (let byte of bits) for (; byte !== 0; byte &= byte - 1) count += 1;
  return count;
}

/** The indexes of all open connections in order. @param all of each worker */
export function listOpen(all: readonly Liveness[]): Uint32Array {
  const list = new Uint32Array(all.reduce((sum, bits) => sum + countOpen(bits), 0));
  const workers = all.length;
  const places = 8 * Math.max(0, ...all.map(({ length }) => length));
  let at = 0;
  for (let place = 0; place < places; place += 1) {
    for (let worker = 0; worker < workers; worker += 1) {
      const byte = all[worker]?.[place >>> 3] ?? 0;
      if ((byte & (1 << (place & 7))) === 0) continue;
      list[at] = indexOf({ worker, workers }, place);
      at += 1;
    }
  }
  return list;
}
