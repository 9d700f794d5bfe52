import { exitCodes, UsageError } from "../../errors.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { startReaper } from "../../process/reaper.ts";
import { createResultFile } from "../../result/file.ts";
import { type Result, schemaVersion } from "../../result/schema.ts";
import { measureCeilings } from "../../run/ceiling.ts";
import { runShowdown } from "../../run/showdown.ts";
import type { Verdict } from "../../stats/ranking.ts";
import { formatCount, formatRate } from "../../text/format.ts";
import { type Calibration, enterThrice, judgeCalibration, roles } from "../../trust/calibration.ts";
import { keepCalibration } from "../../trust/kept-calibration.ts";
import { createProgress } from "../../views/watch/terminal/progress.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";
import { makePlan } from "../plan-options.ts";
import { cacheDir, findEntrants, prepare } from "../prepare.ts";
import { watchSignals } from "../signals.ts";

/** Needs nothing but npm, and costs more per message than the generator: its speed is the server's. */
const defaultContender = "node-ws";
const defaultRounds = 5;
const defaultHandicapPercent = 10;

/**
 * `showdown calibrate`: enters one contender twice, and once more slowed by a known share. The two must come
 * out as no clear difference and the third as slower, or this machine can't tell such a difference by this plan.
 */
export async function calibrate({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [name = defaultContender, ...others] = positionals;
  if (others.length > 0) throw new UsageError(`expected one contender, got ${positionals.join(", ")}`);
  const [entrant] = await findEntrants([name], values, host);
  if (entrant === undefined) throw new UsageError(`expected a contender, got "${name}"`);
  const environment = await describeEnvironment();
  const share = (values.handicap ?? defaultHandicapPercent) / 100;
  const entrants = enterThrice(entrant);
  const { plan } = makePlan(
    { rounds: defaultRounds, phases: "connect,burst-echo", ...values },
    entrants,
    environment,
  );
  const { serverCpus } = plan;
  if (serverCpus === null) {
    throw new UsageError("calibrate needs a processor for the server alone, to take a share of it", {
      hint: "it can't work with --no-pin, on one processor, or where processes can't be pinned",
    });
  }
  if (!plan.phases.some(({ kind }) => kind === "burst")) {
    throw new UsageError("calibrate judges by a burst: expected one in --phases, such as burst-echo");
  }
  const startedAt = new Date().toISOString();
  const initial: Result = {
    schema: schemaVersion,
    id: `${startedAt.slice(0, 23).replaceAll(/[:.]/g, "-")}-calibrate`,
    startedAt,
    finishedAt: null,
    status: "running",
    command: ["showdown", ...host.args],
    plan,
    environment,
    ceilings: null,
    contenders: [],
    rounds: [],
    warnings: [],
    calibration: null,
  };
  const file = await createResultFile(resultsFolder(values, host), initial);
  const progress = createProgress(plan, {
    write: host.err,
    columns: host.columns,
    isTty: host.errIsTty,
    color: host.errIsTty && !host.env.NO_COLOR,
  });
  const stop = watchSignals(host);
  const reaper = startReaper();
  try {
    const { facts } = await prepare(entrants, values, host, stop.signal, progress.onEvent);
    const ceilings = await measureCeilings({ plan, environment, cacheDir, reaper, signal: stop.signal });
    const result = await runShowdown({
      plan,
      entrants,
      environment,
      initial: { ...initial, ceilings, contenders: facts },
      file,
      handicapOf: ({ variant }) => (variant === "slowed" ? share : 0),
      signal: stop.signal,
      onEvent: progress.onEvent,
    });
    progress.end();
    if (result.status === "aborted") return exitCodes.aborted.code;
    const calibration = judgeCalibration(result, name, share);
    const { rounds, resolvableShare, holds } = calibration;
    const kept = { at: startedAt, preset: plan.preset, contender: name, rounds, resolvableShare, holds };
    await keepCalibration(kept, cacheDir);
    host.out(values.json ? `${JSON.stringify(calibration)}\n` : formatCalibration(calibration));
    host.err(`\nWritten to ${file.folder}\n`);
    const { noFalseDifference, differenceFound } = holds;
    return noFalseDifference && differenceFound ? exitCodes.ok.code : exitCodes.calibration.code;
  } finally {
    progress.end();
    await reaper.stop();
    stop.end();
  }
}

export function formatCalibration(calibration: Calibration): string {
  const { contender, handicapShare, rounds, perSecond, same, slowed, holds, resolvableShare } = calibration;
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const lines = [
    "",
    `${contender}, ${rounds} rounds of each, deliveries per second in the burst`,
    ...roles.map(
      (role) =>
        `  ${role.padEnd(7)} ${perSecond[role].map((value) => (value === null ? "–" : formatRate(value)).padStart(11)).join("")}`,
    ),
    "",
    `${holds.noFalseDifference ? "✓" : "✗"} first and again: ${describe(same)}`,
    `${holds.differenceFound ? "✓" : "✗"} slowed by ${formatCount(Math.round(handicapShare * 100))} %: ${slowed.map(describe).join("; ")}`,
    "",
    resolvableShare === null
      ? "How small a difference can be told is unknown: fewer than two whole rounds."
      : `With this plan this machine tells differences from about ${percent(resolvableShare)} on (in nine of ten runs).`,
    "",
  ];
  return lines.join("\n");
}

function describe(verdict: Verdict): string {
  switch (verdict.kind) {
    case "void":
      return `void: ${verdict.reason}`;
    case "single-round":
      return `×${verdict.ratio.toFixed(3)}, one round: no claim`;
    case "faster":
      return `a clear difference, ×${verdict.ratio.toFixed(3)} (${verdict.low.toFixed(3)} to ${verdict.high.toFixed(3)})`;
    case "no-clear-difference":
      return `no clear difference, ×${verdict.ratio.toFixed(3)} (${verdict.low.toFixed(3)} to ${verdict.high.toFixed(3)})`;
  }
}
