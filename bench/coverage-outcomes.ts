import { createRandom, type Random } from "../src/plan/random.ts";
import {
  judgeSequentially,
  type PairJudgement,
  type PairRounds,
  type Terms,
} from "../src/stats/pair-outcomes.ts";
import { Schedule } from "../src/stats/sequential.ts";
import { studentQuantile } from "../src/stats/student.ts";
import { drawFraction, drawNormal } from "./coverage.ts";

/** One draw of noise with deviation 1 (of the middle part, where the tails have none). */
export type Noise = (random: Random) => number;

/** What a round does to one contender beyond what it does to all. */
export const noises = {
  normal: drawNormal,
  "t, 3 df": (random) => drawStudent3(random),
  /** One round in ten is hit five times as hard. */
  outliers: (random) => drawNormal(random) * (drawFraction(random) < 0.1 ? 5 : 1),
  /** Only slower, never faster, and mostly a little. */
  skewed: (random) => Math.log(1 - drawFraction(random)) + 1,
} satisfies Record<string, Noise>;

export interface Truth {
  /** By contender, the logarithm of how good it truly is. */
  readonly logs: readonly number[];
  /** By contender, the deviation of its noise. */
  readonly deviations: readonly number[];
  readonly noise: Noise;
  readonly rounds: number;
}

/** Every pair's rounds on a machine whose speed wanders by 5 % from round to round and sinks by 2 % a round. */
export function playPairs({ logs, deviations, noise, rounds }: Truth, random: Random): PairRounds[] {
  let machine = 0;
  const values = Array.from({ length: rounds }, () => {
    machine += 0.05 * drawNormal(random) - 0.02;
    return logs.map((log, at) => machine + log + (deviations[at] ?? 0) * noise(random));
  });
  return logs.flatMap((_, one) =>
    logs.slice(one + 1).map((_, step) => ({
      first: String(one),
      second: String(one + 1 + step),
      logRatios: values.map((round) => (round[one] ?? 0) - (round[one + 1 + step] ?? 0)),
    })),
  );
}

/** The logarithm of the true ratio of a judged pair. */
export function trueLog({ first, second }: PairJudgement, logs: readonly number[]): number {
  return (logs[Number(first)] ?? Number.NaN) - (logs[Number(second)] ?? Number.NaN);
}

export interface Tally {
  /** Shares of showdowns with any false claim of that kind, at any look. */
  readonly falseLeads: number;
  readonly falseEquivalents: number;
  /** Shares of pairs. */
  readonly leads: number;
  readonly equivalents: number;
  /** Share of the limits of leading and undecided pairs that hold the true ratio. */
  readonly coverage: number;
  /** Mean rounds until a pair was decided, or the most of them. */
  readonly rounds: number;
}

/** Plays showdowns and counts what was claimed, truly and falsely. */
export function tally(truth: Truth, terms: Omit<Terms, "look">, trials: number, random: Random): Tally {
  const logMargin = Math.log1p(terms.margin);
  const count = {
    falseLeads: 0,
    falseEquivalents: 0,
    leads: 0,
    equivalents: 0,
    limits: 0,
    held: 0,
    pairs: 0,
    rounds: 0,
  };
  for (let trial = 0; trial < trials; trial++) {
    const judged = judgeSequentially(playPairs(truth, random), { ...terms, look: truth.rounds });
    let [falseLead, falseEquivalent] = [false, false];
    for (const judgement of judged) {
      const log = trueLog(judgement, truth.logs);
      const { outcome } = judgement;
      if (outcome.kind === "early" || outcome.kind === "absent") continue;
      count.pairs++;
      count.rounds += outcome.kind === "undecided" ? truth.rounds : outcome.decidedAt;
      if (outcome.kind === "leads") {
        count.leads++;
        if (log <= 1e-12) falseLead = true;
      }
      if (outcome.kind === "equivalent") count.equivalents++;
      const equal = outcome.kind === "equivalent" || (outcome.kind === "leads" && outcome.withinMargin);
      if (equal && Math.abs(log) >= logMargin) falseEquivalent = true;
      if (outcome.kind !== "equivalent") {
        count.limits++;
        if (Math.log(outcome.low) <= log && log <= Math.log(outcome.high)) count.held++;
      }
    }
    if (falseLead) count.falseLeads++;
    if (falseEquivalent) count.falseEquivalents++;
  }
  return {
    falseLeads: count.falseLeads / trials,
    falseEquivalents: count.falseEquivalents / trials,
    leads: count.leads / count.pairs,
    equivalents: count.equivalents / count.pairs,
    coverage: count.held / count.limits,
    rounds: count.rounds / count.pairs,
  };
}

/** Student's t with 3 degrees of freedom, over its deviation. */
function drawStudent3(random: Random): number {
  const squares = drawNormal(random) ** 2 + drawNormal(random) ** 2 + drawNormal(random) ** 2;
  return drawNormal(random) / Math.sqrt(squares / 3) / Math.sqrt(3);
}

export const upTo = (most: number): number[] => Array.from({ length: most - 2 }, (_, at) => at + 3);

const margin = 0.05;

/** The worst case of equivalence: half of the contenders at either end of the margin, just outside it. */
export function placeApart(contenders: number): number[] {
  const outside = Math.log1p(margin) * (1 + 1e-9);
  return Array.from({ length: contenders }, (_, at) => (2 * at < contenders ? 0 : outside));
}

/** Shares of showdowns with a false lead between equals, and with a false equivalence; `noisy`: one has four times the noise. */
export function measureFalseClaims(
  plan: {
    readonly contenders: number;
    readonly looks: readonly number[];
    readonly noise: Noise;
    readonly noisy?: boolean;
  },
  trials: number,
  random: Random,
): { readonly leads: number; readonly equivalents: number } {
  const { contenders, looks, noise, noisy = false } = plan;
  const rounds = looks.at(-1) ?? 0;
  const deviations = Array.from({ length: contenders }, (_, at) => (noisy && at === 0 ? 0.032 : 0.008));
  const equal = deviations.map(() => 0);
  // A margin of next to nothing, so that no pair is called equivalent before it can be called a lead.
  const leads = tally({ logs: equal, deviations, noise, rounds }, { margin: 1e-9, looks }, trials, random);
  const apart = tally(
    { logs: placeApart(contenders), deviations, noise, rounds },
    { margin, looks },
    trials,
    random,
  );
  return { leads: leads.falseLeads, equivalents: apart.falseEquivalents };
}

/** In how many of `trials` pairs the limits hold the true ratio, whatever is decided. */
export function measurePairCoverage(
  plan: { readonly looks: readonly number[]; readonly noise: Noise; readonly noisy?: boolean },
  trials: number,
  random: Random,
): number {
  const deviations = plan.noisy ? [0.05, 0.01] : [0.02, 0.02];
  const truth = { logs: [0.1, 0], deviations, noise: plan.noise, rounds: plan.looks.at(-1) ?? 0 };
  return tally(truth, { margin: 1e-9, looks: plan.looks }, trials, random).coverage;
}

const percent = (share: number) => (100 * share).toFixed(1);
const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
function head(title: string, cells: readonly string[]): void {
  console.log(`\n${title}\n`);
  row(cells);
  row(cells.map(() => "---"));
}

const plans = { "3": [3], "5": [5], "10": [10], "3 to 6": upTo(6), "3 to 12": upTo(12) };

function printFalseClaims(random: Random): void {
  const kinds = ["normal", "t, 3 df", "outliers"] as const;
  head("False claims: leads / equivalences, % of showdowns", [
    "contenders",
    "looks after rounds",
    ...kinds,
    "normal, one noisy",
  ]);
  for (const [contenders, trials] of [
    [2, 4000],
    [3, 4000],
    [4, 3000],
    [7, 1500],
    [12, 800],
  ] as const) {
    for (const name of ["5", "3 to 12"] as const) {
      const plan = { contenders, looks: plans[name] };
      const say = ({ leads, equivalents }: { leads: number; equivalents: number }) =>
        `${percent(leads)} / ${percent(equivalents)}`;
      row([
        contenders,
        name,
        ...kinds.map((kind) => say(measureFalseClaims({ ...plan, noise: noises[kind] }, trials, random))),
        say(measureFalseClaims({ ...plan, noise: noises.normal, noisy: true }, trials, random)),
      ]);
    }
  }
}

function printCoverage(random: Random): void {
  head("Coverage of a pair's 95 % limits, %", [
    "looks after rounds",
    ...Object.keys(noises),
    "skewed, one noisy",
  ]);
  for (const [name, looks] of Object.entries(plans)) {
    const cells = Object.values(noises).map((noise) => measurePairCoverage({ looks, noise }, 10_000, random));
    const worst = measurePairCoverage({ looks, noise: noises.skewed, noisy: true }, 10_000, random);
    row([name, ...[...cells, worst].map(percent)]);
  }
}

/** Mean rounds until a difference of so many deviations is found, among looks after 3 to 12 rounds, by spending power. */
function printSpending(random: Random): void {
  const differences = [1, 1.5, 2, 3, 5, 10];
  head("Mean rounds of one pair to a lead, by the difference in deviations of the rounds' log-ratios", [
    "power",
    "last limits, against one look",
    ...differences.map(String),
  ]);
  for (const power of [0, 1, 1.5, 2, 3]) {
    const looks = upTo(12);
    const schedule = new Schedule(looks, power);
    const scale = schedule.scaleFor(0.025);
    const critical = schedule.weights.map((weight, at) =>
      studentQuantile(1 - 2 * scale * weight, (looks[at] ?? 0) - 1),
    );
    const wider = (critical.at(-1) ?? 0) / studentQuantile(0.95, 11);
    const cells = differences.map((difference) => {
      let total = 0;
      for (let trial = 0; trial < 5000; trial++) {
        let [sum, squares] = [0, 0];
        for (let rounds = 1; rounds <= 12; rounds++) {
          const value = difference + drawNormal(random);
          sum += value;
          squares += value ** 2;
          const error = Math.sqrt((squares - sum ** 2 / rounds) / (rounds - 1) / rounds);
          if (rounds === 12 || (rounds >= 3 && sum / rounds > (critical[rounds - 3] ?? 0) * error)) {
            total += rounds;
            break;
          }
        }
      }
      return (total / 5000).toFixed(1);
    });
    row([power, wider.toFixed(2), ...cells]);
  }
}

/** What looks after 3 to 12 rounds decide, by the noise of the rounds' ratios. */
function printDecisions(random: Random): void {
  const truths = { equal: 0, "5 %": Math.log(1.05), "10 %": Math.log(1.1), "30 %": Math.log(1.3) };
  head("Pairs decided to a margin of 5 %, %, and mean rounds: all equal, or the last one slower", [
    "contenders",
    "noise of a round's ratio",
    ...Object.keys(truths),
  ]);
  for (const contenders of [2, 4]) {
    for (const noise of [0.01, 0.02, 0.03, 0.05]) {
      const cells = Object.values(truths).map((difference) => {
        const logs = Array.from({ length: contenders }, (_, at) => (at === contenders - 1 ? -difference : 0));
        const deviations = logs.map(() => noise / Math.SQRT2);
        const truth = { logs, deviations, noise: noises.normal, rounds: 12 };
        const { leads, equivalents, rounds } = tally(truth, { margin, looks: upTo(12) }, 1000, random);
        return `${percent(leads + equivalents)} (${rounds.toFixed(1)})`;
      });
      row([contenders, `${100 * noise} %`, ...cells]);
    }
  }
}

if (import.meta.main) {
  const random = createRandom(1);
  printFalseClaims(random);
  printCoverage(random);
  printSpending(random);
  printDecisions(random);
}
