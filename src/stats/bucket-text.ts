/**
 * Buckets of a histogram as text that is short in JSON: for each bucket in use the distance to the one before it and its
 * count, both as LEB128 numbers (7 bits a byte, the lowest first, the top bit while more follow), all in Base64.
 */

/** @param buckets index, count, index, count, … with rising indexes */
export function writeBuckets(buckets: readonly number[]): string {
  const bytes: number[] = [];
  let last = 0;
  for (let at = 0; at + 1 < buckets.length; at += 2) {
    const index = buckets[at] as number;
    pushNumber(bytes, index - last);
    pushNumber(bytes, buckets[at + 1] as number);
    last = index;
  }
  return Buffer.from(bytes).toString("base64");
}

/**
 * The inverse of `writeBuckets`; null for what that did not write.
 *
 * @param end above every index
 */
export function readBuckets(text: string, end: number): number[] | null {
  const bytes = Buffer.from(text, "base64");
  // Node's decoder skips what is not Base64.
  if (bytes.toString("base64") !== text) return null;
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    let value = 0;
    let weight = 1;
    for (; (bytes[at] ?? 0) >= 0x80; at += 1, weight *= 128) value += ((bytes[at] as number) & 0x7f) * weight;
    value += (bytes[at] ?? 0) * weight;
    if (at >= bytes.length || !Number.isSafeInteger(value)) return null;
    numbers.push(value);
  }
  if (numbers.length % 2 !== 0) return null;
  let index = 0;
  for (let at = 0; at < numbers.length; at += 2) {
    const step = numbers[at] as number;
    index += step;
    if ((step === 0 && at > 0) || index >= end || numbers[at + 1] === 0) return null;
    numbers[at] = index;
  }
  return numbers;
}

function pushNumber(bytes: number[], value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  bytes.push(rest);
}
