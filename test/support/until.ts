/** Loopback answers within milliseconds; this is for a machine that is busy with something else. */
export const patienceMs = 10_000;

export async function until(condition: () => boolean | undefined): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not within ${patienceMs} ms: ${condition}`);
    await Bun.sleep(1);
  }
}
