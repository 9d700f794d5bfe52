/**
 * Shares of `total` that sum to it exactly and differ by at most one, the larger ones first: 100 over 3 is 34, 33, 33.
 * Rounding each share on its own would lose the remainder in silence.
 *
 * @throws RangeError unless both are whole, `total` from 0 and `parts` from 1
 */
export function splitExactly(total: number, parts: number): number[] {
  for (const [name, value, least] of [["total", total, 0] as const, ["parts", parts, 1] as const]) {
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new RangeError(`${name} ${value}: expected a whole number from ${least}`);
  }
  return Array.from(
    { length: parts },
    (_, part) => Math.floor(total / parts) + (part < total % parts ? 1 : 0),
  );
}
