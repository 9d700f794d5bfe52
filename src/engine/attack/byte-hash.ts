/** One more word of a message's hash; it begins with the length. */
export function mix(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}

/**
 * A hash of bytes, four at a time, by which an echo is known without keeping what was sent. Other bytes have the same one
 * time in 2^32.
 */
export class ByteHash {
  /** Over the array read last: nearly always the same, the one that all sockets receive into. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Uint8Array | null = null;

  of(bytes: Uint8Array, start: number, end: number): number {
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    let hash = end - start;
    let at = start;
    for (; at + 4 <= end; at += 4) hash = mix(hash, view.getInt32(at, true));
    if (at === end) return hash;
    let word = 0;
    for (let shift = 0; at < end; at += 1, shift += 8) word |= (bytes[at] as number) << shift;
    return mix(hash, word);
  }
}
