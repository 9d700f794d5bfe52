import { join } from "node:path";
import { exitCodes, ShowdownError } from "../../errors.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { cacheFolder } from "../../machine/installation.ts";
import type { Settings } from "../../plan/parameters.ts";
import { sharesCpus } from "../../plan/plan.ts";
import { openCache } from "../../run/cache.ts";
import { keepCalibration } from "../../run/kept-calibration.ts";
import { startRun } from "../../run/start-run.ts";
import type { PairOutcome, Ratio } from "../../stats/pair-outcomes.ts";
import { formatCount, formatDuration, formatRate } from "../../text/format.ts";
import { type Calibration, enterThrice, judgeCalibration, roles } from "../../trust/calibration.ts";
import { describeReason } from "../../views/text/reason-text.ts";
import { commandLine } from "../command-options.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";
import { makePlan } from "../plan-options.ts";
import { findEntrants, installOptions } from "../prepare.ts";
import { untilStopped } from "../signals.ts";

/** Needs nothing but npm, and costs more per message than the generator: its speed is the server's. */
const defaultContender = "node-ws";
/** What a calibration is for is told apart by then, or this machine is too noisy for it. */
const defaultUntil = { untilPercent: 5, maxMinutes: 3 };
const defaultHandicapPercent = 5;

/**
 * `showdown calibrate`: enters one contender twice, and once more slowed by a known share. Of the two
 * neither may lead, and both must lead the third, or this machine can't tell such a difference by this plan.
 */
export async function calibrate(options: ParsedOptions, host: Host): Promise<number> {
  const { values, settings, positionals } = options;
  const [name = defaultContender, ...others] = positionals;
  if (others.length > 0) {
    throw new ShowdownError("usage", `expected one contender, got ${positionals.join(", ")}`);
  }
  const [entrant] = await findEntrants([name], values, host);
  if (entrant === undefined) throw new ShowdownError("usage", `expected a contender, got "${name}"`);
  const environment = await describeEnvironment();
  const share = (values.handicap ?? defaultHandicapPercent) / 100;
  const entrants = enterThrice(entrant);
  const phases = [{ kind: "connect" }, { kind: "burst", workload: "echo" }] as const;
  const { plan } = makePlan(
    { values, settings: { ...defaultRounds(settings), phases: [...phases], ...settings } },
    entrants,
    environment,
  );
  if (sharesCpus(plan)) {
    throw new ShowdownError("usage", "calibrate needs a CPU for the server alone, to take a share of it", {
      hint: "it can't work with --no-pin, on one CPU, with all --server-cpus, or where processes can't be pinned",
    });
  }
  if (!plan.phases.some(({ kind }) => kind === "burst")) {
    throw new ShowdownError(
      "usage",
      "calibrate judges by a burst: expected one in --phases, such as burst-echo",
    );
  }
  return await untilStopped(host, async (signal, progress) => {
    const started = startRun(plan, {
      ...installOptions(values, host),
      entrants,
      environment,
      resultsFolder: resultsFolder(values, host),
      cacheDir: cacheFolder,
      label: "calibrate",
      command: commandLine(host),
      verify: false,
      warnings: [],
      awaited: ["throughput"],
      handicapOf: ({ variant }) => (variant === "slowed" ? share : 0),
      signal,
    });
    for await (const event of started.events) progress.onEvent(event);
    progress.end();
    const result = await started.result;
    if (result.status === "aborted") return exitCodes.aborted.code;
    const calibration = judgeCalibration(result, name, share);
    const { rounds, durationMs, resolvableShare, holds } = calibration;
    const of = { at: result.startedAt, preset: plan.preset, contender: name };
    const kept = { ...of, rounds, durationMs, resolvableShare, holds };
    const cache = openCache(cacheFolder, (warning) => progress.onEvent({ kind: "warning", warning }));
    await keepCalibration(kept, cache);
    host.out(values.json ? `${JSON.stringify(calibration)}\n` : formatCalibration(calibration));
    host.err(`\nWritten to ${join(resultsFolder(values, host), result.id)}\n`);
    const { noFalseDifference, differenceFound } = holds;
    return noFalseDifference && differenceFound ? exitCodes.ok.code : exitCodes.calibration.code;
  });
}

function defaultRounds({ rounds, untilPercent, marginPercent }: Settings): Settings {
  if (rounds !== undefined && untilPercent === undefined) return {};
  return { ...defaultUntil, untilPercent: marginPercent ?? defaultUntil.untilPercent };
}

function formatCalibration(calibration: Calibration): string {
  const { contender, handicapShare, rounds, mostRounds, durationMs, perSecond, reason } = calibration;
  const { same, slowed, holds, resolvableShare } = calibration;
  const mark = (isRight: boolean) => (isRight ? "✓" : "✗");
  const lines = [
    "",
    `${contender}: deliveries per second in the burst, ${formatCount(rounds)} rounds each in ${formatDuration(durationMs)}`,
    ...roles.map(
      (role) =>
        `  ${role.padEnd(7)} ${perSecond[role].map((value) => (value === null ? "–" : formatRate(value)).padStart(11)).join("")}`,
    ),
    "",
    ...(reason === null ? [] : [`A round does not count: ${describeReason(reason)}`, ""]),
    `${mark(holds.noFalseDifference)} A/A test (first and again): ${same === null ? "not compared" : describe(same)}`,
    ...slowed.map(({ first, second, outcome }) => {
      const isFound = outcome.kind === "leads" && second === "slowed";
      const other = second === "slowed" ? first : second;
      return `${mark(isFound)} slowed by ${formatCount(Math.round(handicapShare * 100))} %, against ${other}: ${describe(outcome)}`;
    }),
    "",
    resolvableShare === null
      ? "Smallest detectable difference: unknown, fewer than two rounds that count."
      : `Smallest detectable difference of two contenders: ${(resolvableShare * 100).toFixed(1)} % (in 9 of 10 runs of ${formatCount(mostRounds)} rounds, about ${formatDuration((durationMs / Math.max(1, rounds)) * mostRounds)}).`,
    "",
  ];
  return lines.join("\n");
}

function describe(outcome: PairOutcome): string {
  switch (outcome.kind) {
    case "absent":
      return "not compared";
    case "early":
      return `${outcome.ratio.toFixed(3)}×, ${formatCount(outcome.rounds)} of the rounds: not judged`;
    case "leads":
      return `different, ${describeRatio(outcome)}`;
    case "equivalent":
      return `equal within the margin, ${describeRatio(outcome, 90)}`;
    case "undecided":
      return `no difference found, ${describeRatio(outcome)}`;
  }
}

function describeRatio({ ratio, low, high }: Ratio, percent = 95): string {
  return `${ratio.toFixed(3)}× (${percent} % CI ${low.toFixed(3)}–${high.toFixed(3)}×)`;
}
