import { createRandom, type Random } from "../src/plan/random.ts";
import { sliceOrder } from "../src/plan/slice-order.ts";
import { measureSpread, median } from "../src/stats/intervals.ts";
import { judgeSequentially, type PairOutcome } from "../src/stats/pair-outcomes.ts";
import { sliceRatio } from "../src/stats/slices.ts";
import { studentQuantile } from "../src/stats/student.ts";
import { drawFraction, drawNormal } from "./coverage.ts";
import { type Noise, noises, upTo } from "./coverage-outcomes.ts";

/** A machine and two of its contenders, slice by slice. */
export interface SliceTruth {
  readonly contenders: number;
  readonly blocks: number;
  /** Deviation of the machine's speed, and after how many slices it has forgotten two thirds of it. */
  readonly drift: number;
  readonly memory: number;
  readonly noise: Noise;
  readonly deviation: number;
  /** What one start of a server differs from the next by. */
  readonly starts: number;
  /** Chance per slice that a neighbour starts to take up to 80 % of the speed, for up to five slices. */
  readonly bursts: number;
  /** The share of the first's slices that take so many times as long; in between it is quicker, by as much in all. */
  readonly pauses: { readonly share: number; readonly factor: number };
}

const quiet: SliceTruth = {
  contenders: 4,
  blocks: 15,
  drift: 0.15,
  memory: 20,
  noise: noises.normal,
  deviation: 0.08,
  starts: 0.01,
  bursts: 0,
  pauses: { share: 0, factor: 1 },
};

export const machines = {
  normal: quiet,
  "t, 3 df": { ...quiet, noise: noises["t, 3 df"] },
  outliers: { ...quiet, noise: noises.outliers, deviation: 0.06 },
  "fast drift": { ...quiet, drift: 0.25, memory: 5, deviation: 0.05 },
  bursts: { ...quiet, bursts: 0.02, deviation: 0.05 },
  "often pauses": { ...quiet, deviation: 0.05, pauses: { share: 0.2, factor: 1.5 } },
  "seldom pauses": { ...quiet, deviation: 0.05, pauses: { share: 0.05, factor: 3 } },
} satisfies Record<string, SliceTruth>;

/** How long the slices of one round take the first two contenders, by block: in all they are equally fast. */
export function playSlices(truth: SliceTruth, random: Random): [number[], number[]] {
  const spans: [number[], number[]] = [[], []];
  const kept = Math.exp(-1 / truth.memory);
  const starts = spans.map(() => truth.starts * drawNormal(random));
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
      const log = speed + (starts[contender] ?? 0) + truth.deviation * truth.noise(random) - disturbed;
      const { share, factor } = contender === 0 ? truth.pauses : quiet.pauses;
      const pause = drawFraction(random) < share ? factor : 1;
      const own = spans[contender];
      if (own !== undefined) own[block] = (pause * Math.exp(-log)) / (1 + share * (factor - 1));
    }
  }
  return spans;
}

type Centre = (first: readonly number[], second: readonly number[]) => number;

/** Candidates for the centre of a round, from the times of equal work: the logarithm of how many times faster the first is. */
const centres = {
  "mean of logarithms": overLogs(mean),
  "ratio of sums (total)": totalOf,
  "ratio of medians": (first, second) => Math.log(median(second) / median(first)),
  "median of ratios": overLogs(median),
  "Hodges-Lehmann": overLogs((logs) =>
    median(logs.flatMap((one, at) => logs.slice(at).map((other) => (one + other) / 2))),
  ),
  "trimmed 10 % (typical)": typicalOf,
  "trimmed 20 %": overLogs((logs) => trim(logs, 0.2)),
} satisfies Record<string, Centre>;

function totalOf(first: readonly number[], second: readonly number[]): number {
  const [one, other] = [first, second].map((spans) => spans.map((per) => ({ amount: 1, per })));
  return sliceRatio(one ?? [], other ?? []) ?? Number.NaN;
}

function typicalOf(first: readonly number[], second: readonly number[]): number {
  return overLogs((logs) => trim(logs, 0.1))(first, second);
}

function overLogs(centre: (logs: readonly number[]) => number): Centre {
  return (first, second) => centre(first.map((one, block) => Math.log((second[block] ?? Number.NaN) / one)));
}

function trim(values: readonly number[], share: number): number {
  const cut = Math.floor(share * values.length);
  return mean([...values].sort((a, b) => a - b).slice(cut, values.length - cut));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** One round by both of its centres. */
interface DrawnRound {
  readonly typical: number;
  readonly total: number;
}

export function drawRounds(truth: SliceTruth, rounds: number, random: Random): DrawnRound[] {
  return Array.from({ length: rounds }, () => {
    const [first, second] = playSlices(truth, random);
    return { typical: typicalOf(first, second), total: totalOf(first, second) };
  });
}

/** By which of its centres a pair is judged: asked at a look, of the rounds so far, and the number of the first look. */
export const rules = {
  typical: () => "typical",
  "chosen at each look": (rounds) => (doDiffer(rounds) ? "total" : "typical"),
  "chosen at the first look": (rounds, firstLook) =>
    doDiffer(rounds.slice(0, firstLook)) ? "total" : "typical",
  total: () => "total",
} satisfies Record<string, (rounds: readonly DrawnRound[], firstLook: number) => keyof DrawnRound>;

/** Whether the two centres of the rounds differ, by a t test at 5 %. */
function doDiffer(rounds: readonly DrawnRound[]): boolean {
  const spread = measureSpread(rounds.map(({ total, typical }) => total - typical));
  return (
    spread !== null &&
    Math.abs(spread.mean) > studentQuantile(0.95, spread.degreesOfFreedom) * spread.standardError
  );
}

const margin = 0.05;

/** Shares of runs of two with a false lead, with a false equivalence, and with a decision that a later look took back. */
export interface RuleTally {
  leads: number;
  equivalents: number;
  swings: number;
}

/** The same runs judged by each rule. */
export function tallyRules(
  truth: SliceTruth,
  looks: readonly number[],
  trials: number,
  random: Random,
): Record<keyof typeof rules, RuleTally> {
  const apart = Math.log1p(margin) * (1 + 1e-9);
  const tally = () => ({ leads: 0, equivalents: 0, swings: 0 });
  const tallies = {
    typical: tally(),
    "chosen at each look": tally(),
    "chosen at the first look": tally(),
    total: tally(),
  };
  for (let trial = 0; trial < trials; trial++) {
    const rounds = drawRounds(truth, looks.at(-1) ?? 0, random);
    const away = trial % 2 === 0 ? apart : -apart;
    const shifted = rounds.map(({ typical, total }) => ({ typical: typical + away, total: total + away }));
    for (const name of Object.keys(rules) as (keyof typeof rules)[]) {
      // A margin of next to nothing, so that no pair is called equivalent before it can be called a lead.
      const equal = judgeAtLooks(name, rounds, { looks, margin: 1e-9 });
      const unequal = judgeAtLooks(name, shifted, { looks, margin });
      const decidedAt = unequal.findIndex((kind) => kind === "leads" || kind === "equivalent");
      const since = decidedAt < 0 ? [] : unequal.slice(decidedAt);
      if (equal.includes("leads")) tallies[name].leads += 1 / trials;
      if (unequal.includes("equivalent")) tallies[name].equivalents += 1 / trials;
      if (new Set(since).size > 1) tallies[name].swings += 1 / trials;
    }
  }
  return tallies;
}

/** What was said at each look. */
function judgeAtLooks(
  rule: keyof typeof rules,
  rounds: readonly DrawnRound[],
  { looks, margin }: { readonly looks: readonly number[]; readonly margin: number },
): PairOutcome["kind"][] {
  return looks.map((look) => {
    const seen = rounds.slice(0, look);
    const centre = rules[rule](seen, looks[0] ?? look);
    const pair = { first: "first", second: "second", logRatios: seen.map((round) => round[centre]) };
    return judgeSequentially([pair], { margin, looks, look })[0]?.outcome.kind ?? "absent";
  });
}

const percent = (share: number) => (100 * share).toFixed(1);

function head(name: string): void {
  console.log(`| ${name} | ${Object.keys(machines).join(" | ")} |`);
  console.log(`|---${"|---".repeat(Object.keys(machines).length)}|`);
}

function printCentres(random: Random): void {
  head("centre");
  const rounds = Object.values(machines).map((truth) =>
    Array.from({ length: 2000 }, () => playSlices(truth, random)),
  );
  for (const [name, centre] of Object.entries(centres)) {
    const cells = rounds.map((slices) => {
      const logs = slices.map(([first, second]) => centre(first, second));
      const middle = mean(logs);
      const deviation = Math.sqrt(mean(logs.map((log) => (log - middle) ** 2)));
      return Math.abs(middle) > 0.005 ? `${percent(deviation)} (at ${percent(middle)})` : percent(deviation);
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

function printRules(random: Random): void {
  head("judged by");
  const tallies = Object.values(machines).map((truth) => tallyRules(truth, upTo(12), 2000, random));
  for (const name of Object.keys(rules) as (keyof typeof rules)[]) {
    const cells = tallies.map((tally) => {
      const { leads, equivalents, swings } = tally[name];
      return [leads, equivalents, swings].map(percent).join(" / ");
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

if (import.meta.main) {
  const random = createRandom(1);
  printCentres(random);
  console.log();
  printRules(random);
}
