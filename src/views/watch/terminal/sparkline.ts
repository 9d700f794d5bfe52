const bars = "▁▂▃▄▅▆▇█";

/** One character per value, from nothing to the highest. */
export function drawSparkline(values: readonly number[]): string {
  const highest = Math.max(0, ...values);
  return values
    .map(
      (value) =>
        bars[highest === 0 ? 0 : Math.min(bars.length - 1, Math.floor((value / highest) * bars.length))],
    )
    .join("");
}

/** `━━━━╌╌╌╌`. @param share 0 to 1 */
export function drawBar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return "━".repeat(full) + "╌".repeat(width - full);
}
