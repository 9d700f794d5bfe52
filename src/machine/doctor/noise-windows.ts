/** Shorter than any time that somebody else can have had a CPU; what looking at the clock itself takes is far below. */
const shortestGapUs = 3;
const windowUs = 1000;

/** The longest gap of each millisecond, and the sum of all gaps. Nothing is allocated while it goes on. */
export interface Windows {
  readonly longestUs: Float64Array;
  readonly lostUs: () => number;
  /** @param atUs since the start; a gap belongs to the millisecond in which it ends */
  add(atUs: number, gapUs: number): void;
}

export function createWindows(durationMs: number): Windows {
  const longestUs = new Float64Array(Math.max(1, Math.ceil((durationMs * 1000) / windowUs)));
  let lostUs = 0;
  return {
    longestUs,
    lostUs: () => lostUs,
    add(atUs, gapUs) {
      if (gapUs < shortestGapUs) return;
      lostUs += gapUs;
      const window = Math.min(longestUs.length - 1, Math.floor(atUs / windowUs));
      if (gapUs > (longestUs[window] as number)) longestUs[window] = gapUs;
    },
  };
}

export function summarizeWindows({ longestUs, lostUs }: Windows): {
  readonly durationMs: number;
  readonly p99GapUs: number;
  readonly maxGapUs: number;
  readonly lostShare: number;
} {
  const sorted = longestUs.toSorted();
  const durationMs = (longestUs.length * windowUs) / 1000;
  return {
    durationMs,
    p99GapUs: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0,
    maxGapUs: sorted.at(-1) ?? 0,
    lostShare: Math.min(1, lostUs() / (durationMs * 1000)),
  };
}
