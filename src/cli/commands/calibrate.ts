import { join } from "node:path";
import { exitCodes, ShowdownError } from "../../errors.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { openCache } from "../../run/cache.ts";
import { keepCalibration } from "../../run/kept-calibration.ts";
import { startRun } from "../../run/start-run.ts";
import type { Verdict } from "../../stats/ranking.ts";
import { formatCount, formatRate } from "../../text/format.ts";
import { type Calibration, enterThrice, judgeCalibration, roles } from "../../trust/calibration.ts";
import { describeReason } from "../../views/text/reason-text.ts";
import { createProgress } from "../../views/watch/terminal/progress.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";
import { makePlan } from "../plan-options.ts";
import { cacheDir, findEntrants, installOptions } from "../prepare.ts";
import { untilStopped } from "../signals.ts";

/** Needs nothing but npm, and costs more per message than the generator: its speed is the server's. */
const defaultContender = "node-ws";
const defaultRounds = 5;
const defaultHandicapPercent = 10;

/**
 * `showdown calibrate`: enters one contender twice, and once more slowed by a known share. The two must come
 * out as no clear difference and the third as slower, or this machine can't tell such a difference by this plan.
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
    { values, settings: { rounds: defaultRounds, phases: [...phases], ...settings } },
    entrants,
    environment,
  );
  if (plan.serverCpus === null) {
    throw new ShowdownError("usage", "calibrate needs a CPU for the server alone, to take a share of it", {
      hint: "it can't work with --no-pin, on one CPU, or where processes can't be pinned",
    });
  }
  if (!plan.phases.some(({ kind }) => kind === "burst")) {
    throw new ShowdownError(
      "usage",
      "calibrate judges by a burst: expected one in --phases, such as burst-echo",
    );
  }
  const progress = createProgress({
    write: host.err,
    columns: host.columns,
    isTty: host.errIsTty,
    color: host.errIsTty && !host.env.NO_COLOR,
  });
  try {
    return await untilStopped(host, async (signal) => {
      const started = startRun(plan, {
        ...installOptions(values, host),
        entrants,
        environment,
        resultsFolder: resultsFolder(values, host),
        cacheDir,
        label: "calibrate",
        command: ["showdown", ...host.args],
        verify: false,
        warnings: [],
        handicapOf: ({ variant }) => (variant === "slowed" ? share : 0),
        signal,
      });
      for await (const event of started.events) progress.onEvent(event);
      progress.end();
      const result = await started.result;
      if (result.status === "aborted") return exitCodes.aborted.code;
      const calibration = judgeCalibration(result, name, share);
      const { rounds, resolvableShare, holds } = calibration;
      const kept = {
        at: result.startedAt,
        preset: plan.preset,
        contender: name,
        rounds,
        resolvableShare,
        holds,
      };
      const cache = openCache(cacheDir, (warning) => progress.onEvent({ kind: "warning", warning }));
      await keepCalibration(kept, cache);
      host.out(values.json ? `${JSON.stringify(calibration)}\n` : formatCalibration(calibration));
      host.err(`\nWritten to ${join(resultsFolder(values, host), result.id)}\n`);
      const { noFalseDifference, differenceFound } = holds;
      return noFalseDifference && differenceFound ? exitCodes.ok.code : exitCodes.calibration.code;
    });
  } finally {
    progress.end();
  }
}

export function formatCalibration(calibration: Calibration): string {
  const { contender, handicapShare, rounds, perSecond, reason, same, slowed, holds, resolvableShare } =
    calibration;
  const mark = (isRight: boolean) => (isRight ? "✓" : "✗");
  const lines = [
    "",
    `${contender}: deliveries per second in the burst, ${rounds} rounds each`,
    ...roles.map(
      (role) =>
        `  ${role.padEnd(7)} ${perSecond[role].map((value) => (value === null ? "–" : formatRate(value)).padStart(11)).join("")}`,
    ),
    "",
    ...(reason === null ? [] : [`A round does not count: ${describeReason(reason)}`, ""]),
    `${mark(holds.noFalseDifference)} A/A test (first and again): ${describe(same)}`,
    `${mark(holds.differenceFound)} slowed by ${formatCount(Math.round(handicapShare * 100))} %: ${slowed.map(describe).join("; ")}`,
    "",
    resolvableShare === null
      ? "Smallest detectable difference: unknown, fewer than two complete rounds."
      : `Smallest detectable difference with this plan: ${(resolvableShare * 100).toFixed(1)} % (in nine of ten runs).`,
    "",
  ];
  return lines.join("\n");
}

function describe(verdict: Verdict | null): string {
  switch (verdict?.kind) {
    case undefined:
    case "void":
      return "not compared";
    case "single-round":
      return `${verdict.ratio.toFixed(3)}×, one round: not ranked`;
    case "faster":
      return `different, ${verdict.ratio.toFixed(3)}× (95 % CI ${verdict.low.toFixed(3)}–${verdict.high.toFixed(3)}×)`;
    case "no-clear-difference":
      return `no clear difference, ${verdict.ratio.toFixed(3)}× (95 % CI ${verdict.low.toFixed(3)}–${verdict.high.toFixed(3)}×)`;
  }
}
