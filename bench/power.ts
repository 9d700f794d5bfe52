/**
 * What the comparison can tell, for the tables of docs/statistics.md: one contender twice and once more with a share of
 * its CPU time taken, the same number of echoes each, in whole blocks one after another and in slices of several lengths.
 *
 *   npx bun bench/power.ts [--minutes 15] [--repeats N] [--contender node-ws] [--rounds 5] [--seconds 2] [--handicap 5]
 *
 * Needs Linux, two CPU cores and a machine that does nothing else. Methods take turns, a run of a few rounds each, so
 * that a slow quarter of an hour hits all of them. Lines on stderr tell each run; Markdown is on stdout, in the end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makePlan } from "../src/cli/plan-options.ts";
import {
  describeEnvironment,
  discoverContenders,
  type Result,
  resolveEntrants,
  startRun,
} from "../src/index.ts";
import { pairUp } from "../src/judgement/compare-rounds.ts";
import { projectFolder } from "../src/machine/installation.ts";
import { measureOf } from "../src/measures/catalogue.ts";
import { listSections } from "../src/measures/sections.ts";
import type { Settings } from "../src/plan/parameters.ts";
import { smallestDetectable } from "../src/stats/detectable.ts";
import { measureSpread } from "../src/stats/intervals.ts";
import type { PairRounds } from "../src/stats/pair-outcomes.ts";
import { studentQuantile } from "../src/stats/student.ts";
import { type Calibration, enterThrice, judgeCalibration, roles } from "../src/trust/calibration.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "15" },
    repeats: { type: "string", default: "1000" },
    contender: { type: "string", default: "node-ws" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "2" },
    handicap: { type: "string", default: "5" },
  },
});
const [minutes, repeats, rounds, seconds, handicap] = [
  values.minutes,
  values.repeats,
  values.rounds,
  values.seconds,
  values.handicap,
].map((text) => {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`"${text}": expected a number above 0`);
  return value;
}) as [number, number, number, number, number];

const methods: Readonly<Record<string, Settings>> = {
  "whole blocks, one after another": { oneAtATime: true },
  "slices of 250 ms": { sliceMs: 250 },
  "slices of 80 ms": { sliceMs: 80 },
  "slices of 50 ms": { sliceMs: 50 },
};
const throughput = measureOf("throughput");
const connections = 100;

const environment = await describeEnvironment();
const found = await discoverContenders([join(projectFolder, "contenders")]);
const entrants = resolveEntrants(found, [values.contender]).flatMap(enterThrice);
const stopping = new AbortController();
process.once("SIGINT", () => stopping.abort());
const startMs = performance.now();
/** By its beginning: each kind is told once. */
const warned = new Set<string>();

/** One run of all three by one way of measuring. */
async function play(settings: Settings): Promise<Result> {
  const phases = [{ kind: "connect" }, { kind: "burst", workload: "echo" }] as const;
  const { plan, pinReason } = makePlan(
    { values: {}, settings: { connections, warmupSeconds: 0.5, phases: [...phases], ...settings } },
    entrants,
    environment,
  );
  if (plan.serverCpus === null) throw new Error(`expected a CPU for the server alone: ${pinReason}`);
  const resultsFolder = mkdtempSync(join(tmpdir(), "showdown-power-"));
  try {
    const run = startRun(plan, {
      entrants,
      environment,
      resultsFolder,
      cacheDir: join(projectFolder, ".cache"),
      label: "power",
      command: [],
      verify: false,
      warnings: [],
      install: "never",
      handicapOf: ({ variant }) => (variant === "slowed" ? handicap / 100 : 0),
      signal: stopping.signal,
    });
    for await (const event of run.events) {
      const text = event.kind === "warning" ? JSON.stringify(event.warning) : "";
      const kind = text.slice(0, 60);
      if (text !== "" && !warned.has(kind)) console.error(text);
      warned.add(kind);
    }
    return await run.result;
  } finally {
    rmSync(resultsFolder, { recursive: true, force: true });
  }
}

interface Played {
  readonly calibration: Calibration;
  /** `first` against `again`. */
  readonly same: PairRounds;
  /** Both of them against `slowed`. */
  readonly slowed: readonly PairRounds[];
}

function describe(result: Result): Played {
  const calibration = judgeCalibration(result, values.contender, handicap / 100);
  const participants = listSections(result).find(({ kind }) => kind === "burst")?.participants ?? [];
  const inOrder = roles.flatMap((role) => participants.find(({ facts }) => facts.variant === role) ?? []);
  const [same, ...slowed] = pairUp(inOrder, throughput);
  if (same === undefined || slowed.length !== 2) throw new Error("expected three contenders with a burst");
  return { calibration, same, slowed };
}

/** Messages of each connection, for as long a burst as was asked for. */
async function findMessages(): Promise<number> {
  const { calibration } = describe(await play({ rounds: 1, slicedSeconds: 0.5 }));
  const rates = Object.values(calibration.perSecond).flatMap(([rate]) => rate ?? []);
  if (rates.length === 0) throw new Error(`expected a burst, got ${JSON.stringify(calibration.reason)}`);
  return Math.ceil((Math.max(...rates) * seconds) / connections);
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const logsOf = (pairs: readonly PairRounds[]) =>
  pairs.flatMap(({ logRatios }) => logRatios.filter((log) => log !== null));

/** Over all rounds of all runs. */
function describeRatio(pairs: readonly PairRounds[]): string {
  const spread = measureSpread(logsOf(pairs));
  if (spread === null) return "–";
  const reach = studentQuantile(0.95, spread.degreesOfFreedom) * spread.standardError;
  return `${Math.exp(spread.mean).toFixed(3)} ± ${percent(Math.expm1(reach))}`;
}

function meanOf(list: readonly number[]): number {
  return list.reduce((sum, value) => sum + value, 0) / list.length;
}

function printTables(played: ReadonlyMap<string, readonly Played[]>): void {
  const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
  const head = (cells: readonly string[]) => {
    console.log();
    row(cells);
    row(cells.map(() => "---"));
  };
  head([
    "method",
    "rounds",
    "deviation of a round's ratio",
    `smallest detectable difference of ${rounds} rounds`,
    "time of a round of three",
  ]);
  for (const [name, runs] of played) {
    const pairs = runs.flatMap(({ same, slowed }) => [same, ...slowed]);
    const variances = pairs.flatMap((pair) => measureSpread(logsOf([pair]))?.variance ?? []);
    const detectable = smallestDetectable(pairs, { contenders: 2, looks: [rounds] });
    row([
      name,
      logsOf(runs.map(({ same }) => same)).length,
      percent(Math.sqrt(meanOf(variances))),
      detectable === null ? "–" : percent(detectable),
      `${(meanOf(runs.map(({ calibration }) => calibration.durationMs)) / 1000 / rounds).toFixed(1)} s`,
    ]);
  }
  head([
    "method",
    "A/A: ratio of all rounds",
    "called different",
    `A/B, slowed by ${handicap} %: ratio of all rounds`,
    "found",
    "called equal",
  ]);
  for (const [name, runs] of played) {
    const slowed = runs.flatMap(({ calibration }) => calibration.slowed);
    const isLead = (first: boolean) =>
      slowed.filter(({ second, outcome }) => outcome.kind === "leads" && (second === "slowed") === first);
    row([
      name,
      describeRatio(runs.map(({ same }) => same)),
      `${runs.filter(({ calibration }) => calibration.same?.kind === "leads").length} of ${runs.length}`,
      describeRatio(runs.flatMap((run) => run.slowed)),
      `${isLead(true).length} of ${slowed.length}`,
      `${slowed.filter(({ outcome }) => outcome.kind === "equivalent").length} of ${slowed.length}`,
    ]);
  }
}

const messagesPerConnection = await findMessages();
const played = new Map<string, Played[]>();
let longestMs = 0;
for (let repeat = 1; repeat <= repeats && !stopping.signal.aborted; repeat += 1) {
  const repeatMs = performance.now();
  // What a repeat takes is known from the one before.
  if (repeatMs - startMs + longestMs > minutes * 60_000) break;
  for (const [name, settings] of Object.entries(methods)) {
    const result = await play({ ...settings, rounds, messagesPerConnection, slicedSeconds: 0.1 });
    if (result.status !== "finished") break;
    const run = describe(result);
    played.set(name, [...(played.get(name) ?? []), run]);
    const { same, slowed, reason, durationMs } = run.calibration;
    const outcomes = [same, ...slowed.map(({ outcome }) => outcome)].map((outcome) => outcome?.kind);
    const ratios = `A/A ${describeRatio([run.same])}, A/B ${describeRatio(run.slowed)}`;
    console.error(
      `${repeat}. ${name}: ${ratios}; ${outcomes.join(", ")}; ${(durationMs / 1000).toFixed(0)} s`,
      reason === null ? "" : `; a round does not count: ${JSON.stringify(reason)}`,
    );
  }
  longestMs = Math.max(longestMs, performance.now() - repeatMs);
}
console.log(
  `${values.contender}, ${messagesPerConnection * connections} echoes per contender and round over ${connections} connections; ${environment.cpuModel}, ${((performance.now() - startMs) / 60_000).toFixed(0)} minutes`,
);
printTables(played);
