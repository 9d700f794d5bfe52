import { createRandom, type Random } from "../src/plan/random.ts";
import { sliceOrder } from "../src/plan/slice-order.ts";
import { median } from "../src/stats/intervals.ts";
import { type SliceRatio, sliceRatio } from "../src/stats/slices.ts";
import { drawFraction, drawNormal } from "./coverage.ts";
import { type Noise, noises } from "./coverage-outcomes.ts";

/** A machine and two of its contenders, slice by slice. */
export interface SliceTruth {
  readonly contenders: number;
  readonly blocks: number;
  /** Deviation of the machine's speed, and after how many slices it has forgotten two thirds of it. */
  readonly drift: number;
  readonly memory: number;
  readonly noise: Noise;
  readonly deviation: number;
  /** Chance per slice that a neighbour starts to take up to 80 % of the speed, for up to five slices. */
  readonly bursts: number;
  /** By contender, the share of slices in which it does a fifth of its work. */
  readonly pauses: readonly number[];
}

const quiet: SliceTruth = {
  contenders: 4,
  blocks: 75,
  drift: 0.15,
  memory: 20,
  noise: noises.normal,
  deviation: 0.08,
  bursts: 0,
  pauses: [],
};

export const machines = {
  normal: quiet,
  "t, 3 df": { ...quiet, noise: noises["t, 3 df"] },
  outliers: { ...quiet, noise: noises.outliers, deviation: 0.06 },
  "fast drift": { ...quiet, drift: 0.25, memory: 5, deviation: 0.05 },
  bursts: { ...quiet, bursts: 0.02, deviation: 0.05 },
  "pauses in 5 % of the first's slices": { ...quiet, deviation: 0.05, pauses: [0.05] },
} satisfies Record<string, SliceTruth>;

/** One round's slices of the first two contenders, by block; all are equally fast but for their pauses. */
export function playSlices(truth: SliceTruth, random: Random): [number[], number[]] {
  const values: [number[], number[]] = [[], []];
  const kept = Math.exp(-1 / truth.memory);
  let speed = truth.drift * drawNormal(random);
  let [burst, depth] = [0, 0];
  for (const [block, contenders] of sliceOrder(truth.contenders, truth.blocks, random).entries()) {
    for (const contender of contenders) {
      speed = kept * speed + Math.sqrt(1 - kept ** 2) * truth.drift * drawNormal(random);
      if (burst > 0) burst--;
      else if (drawFraction(random) < truth.bursts) {
        burst = 1 + Math.floor(5 * drawFraction(random));
        depth = 1.6 * drawFraction(random);
      }
      const disturbed = burst > 0 ? depth * drawFraction(random) : 0;
      const pause = drawFraction(random) < (truth.pauses[contender] ?? 0) ? Math.log(5) : 0;
      const log = speed + truth.deviation * truth.noise(random) - disturbed - pause;
      const own = values[contender];
      if (own !== undefined) own[block] = Math.exp(log);
    }
  }
  return values;
}

type Centre = (first: readonly number[], second: readonly number[]) => number;

/** Candidates for the centre of a round: logarithms of the ratio. */
const centres = {
  "mean of logarithms": overLogs(mean),
  "ratio of sums (total)": (first, second) => Math.log(mean(first) / mean(second)),
  "ratio of medians": (first, second) => Math.log(median(first) / median(second)),
  "median of ratios": overLogs(median),
  "Hodges-Lehmann": overLogs((logs) =>
    median(logs.flatMap((one, at) => logs.slice(at).map((other) => (one + other) / 2))),
  ),
  "trimmed 10 % (typical)": (first, second) => sliceRatio(first, second)?.typical ?? Number.NaN,
  "trimmed 20 %": overLogs((logs) => trim(logs, 0.2)),
  "trimmed 30 %": overLogs((logs) => trim(logs, 0.3)),
} satisfies Record<string, Centre>;

function overLogs(centre: (logs: readonly number[]) => number): Centre {
  return (first, second) => centre(first.map((one, block) => Math.log(one / (second[block] ?? Number.NaN))));
}

function trim(values: readonly number[], share: number): number {
  const cut = Math.floor(share * values.length);
  return mean([...values].sort((a, b) => a - b).slice(cut, values.length - cut));
}

/** Rounds of one truth as the tool would see them. */
export function drawRounds(truth: SliceTruth, rounds: number, random: Random): SliceRatio[] {
  return Array.from({ length: rounds }, () => sliceRatio(...playSlices(truth, random)) ?? []).flat();
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function printTable(): void {
  const random = createRandom(1);
  const percent = (share: number) => (100 * share).toFixed(1);
  console.log(`| centre | ${Object.keys(machines).join(" | ")} |`);
  console.log(`|---${"|---".repeat(Object.keys(machines).length)}|`);
  const rounds = Object.values(machines).map((truth) =>
    Array.from({ length: 1000 }, () => playSlices(truth, random)),
  );
  for (const [name, centre] of Object.entries(centres)) {
    const cells = rounds.map((slices) => {
      const logs = slices.map(([first, second]) => centre(first, second));
      const middle = mean(logs);
      const deviation = Math.sqrt(mean(logs.map((log) => (log - middle) ** 2)));
      return Math.abs(middle) > 0.003 ? `${percent(deviation)} (at ${percent(middle)})` : percent(deviation);
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

if (import.meta.main) printTable();
