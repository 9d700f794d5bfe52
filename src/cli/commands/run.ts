import { formatEntrant, type ResolvedEntrant } from "../../contenders/entrants.ts";
import { exitCodes, VerifyFailedError } from "../../errors.ts";
import { preflight } from "../../machine/doctor/preflight.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { balancedOrder } from "../../plan/order.ts";
import type { Plan } from "../../plan/plan.ts";
import { startReaper } from "../../process/reaper.ts";
import { createResultFile } from "../../result/file.ts";
import { type ContenderFacts, type Environment, type Result, schemaVersion } from "../../result/schema.ts";
import { measureCeilings } from "../../run/ceiling.ts";
import type { RunEvent } from "../../run/events.ts";
import { passGate } from "../../run/gate.ts";
import { runShowdown } from "../../run/showdown.ts";
import type { Ceilings } from "../../trust/headroom.ts";
import { readCalibration } from "../../trust/kept-calibration.ts";
import { appendJobSummary } from "../../views/compare/job-summary.ts";
import { checkThresholds, parseThresholds, type ThresholdOutcome } from "../../views/compare/threshold.ts";
import { enterRun } from "../../views/history/history.ts";
import { renderHtml } from "../../views/report/html/render.ts";
import { renderMarkdown } from "../../views/report/markdown.ts";
import { renderTerminal } from "../../views/report/terminal.ts";
import { demandOf } from "../../views/report/verdict/sizing.ts";
import { createLivePage } from "../../views/watch/live/live-page.ts";
import { createProgress } from "../../views/watch/terminal/progress.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";
import { makePlan } from "../plan-options.ts";
import { cacheDir, findEntrants, type Prepared, prepare } from "../prepare.ts";
import { watchSignals } from "../signals.ts";

/** `showdown run`: the whole showdown, from the toolchains to the verdict. Returns the exit code. */
export async function run({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const entrants = await findEntrants(positionals, values, host);
  const environment = await describeEnvironment();
  const { plan, pinReason } = makePlan(values, entrants, environment);
  // Refused now, not after an hour of measuring.
  const thresholds = parseThresholds(values.threshold ?? [], plan);
  if (values["dry-run"]) {
    const order = balancedOrder(plan.entrants, plan.rounds, plan.seed);
    host.out(`${JSON.stringify({ plan, order }, null, 2)}\n`);
    return exitCodes.ok.code;
  }

  const machine = await preflight(plan, environment, { noise: true });
  if (machine.stops !== null) host.err(`warning: ${machine.stops.text}\n`);
  const startedAt = new Date();
  const initial: Result = {
    schema: schemaVersion,
    id: `${startedAt.toISOString().slice(0, 23).replaceAll(/[:.]/g, "-")}-${plan.preset}`,
    startedAt: startedAt.toISOString(),
    finishedAt: null,
    status: "running",
    command: ["showdown", "run", ...host.args.filter((arg) => arg !== "run")],
    plan,
    environment,
    ceilings: null,
    contenders: [],
    rounds: [],
    warnings:
      pinReason === null ? machine.warnings : [{ kind: "pinning", text: pinReason }, ...machine.warnings],
    calibration: await readCalibration(cacheDir),
  };
  // Before anything is installed, built or started.
  const file = await createResultFile(resultsFolder(values, host), initial);
  const progress = createProgress(plan, {
    write: host.err,
    columns: host.columns,
    isTty: host.errIsTty,
    color: host.errIsTty && !host.env.NO_COLOR,
  });
  const live = values.live ? await createLivePage({ port: values["live-port"] ?? 0, plan }) : null;
  if (live !== null) host.err(`Live page: ${live.url}\n`);
  const onEvent = (event: RunEvent) => {
    progress.onEvent(event);
    live?.onEvent(event);
  };
  const stop = watchSignals(host);
  try {
    const built = await prepare(entrants, values, host, stop.signal, onEvent);
    const prepared = values["no-verify"] ? built : await verify(built, plan, stop.signal, onEvent);
    const ceilings = await findCeilings(plan, environment, stop.signal, onEvent);
    const result = await runShowdown({
      plan,
      entrants: prepared.ready,
      environment,
      initial: { ...initial, ceilings, contenders: prepared.facts },
      file,
      signal: stop.signal,
      onEvent: onEvent,
    });
    progress.end();
    const demand = demandOf(values);
    const markdown = renderMarkdown(result, demand);
    await file.writeBeside("report.md", markdown);
    await file.writeBeside("report.html", await renderHtml(result, demand));
    const historyProblem = enterRun(resultsFolder(values, host), result);
    const summaryProblem = appendJobSummary(host.env, markdown);
    for (const problem of [historyProblem, summaryProblem]) {
      if (problem !== null) host.err(`warning: ${problem}\n`);
    }
    // With --json the summary is for the person, not for the pipe.
    const isTty = values.json ? host.errIsTty : host.outIsTty;
    const color = isTty && !host.env.NO_COLOR;
    const summary = renderTerminal(result, { columns: host.columns(), color, demand });
    if (values.json) {
      host.err(summary);
      host.out(`${JSON.stringify(result)}\n`);
    } else {
      host.out(summary);
    }
    host.err(`\nWritten to ${file.folder}\n`);
    await live?.stop(`The run has ended. Its report is in ${file.folder}.`);
    const outcomes = checkThresholds(result, thresholds);
    for (const { text } of outcomes) host.err(`${text}\n`);
    return exitCode(result, prepared, outcomes);
  } finally {
    progress.end();
    await live?.stop();
    stop.end();
  }
}

/** The gate: verified contenders compete, with what they failed beside their numbers. */
async function verify(
  prepared: Prepared,
  plan: Plan,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): Promise<Prepared> {
  const ready: ResolvedEntrant[] = [];
  const facts = [...prepared.facts];
  const reaper = startReaper();
  try {
    for (const entrant of prepared.ready) {
      if (signal.aborted) break;
      const name = formatEntrant(entrant);
      const at = facts.findIndex(
        (fact) => fact.name === entrant.contender && fact.variant === entrant.variant,
      );
      const fact = facts[at] as ContenderFacts;
      onEvent({ kind: "preparing", text: `verifying ${name}` });
      const verified = await passGate({
        entrant,
        reaper,
        readyMs: plan.timeouts.readyMs,
        signal,
        sourceDigest: fact.sourceDigest,
        cacheDir,
      });
      const required = verified.failed.filter(({ grade }) => grade === "required");
      const notRun = verified.competes
        ? null
        : `does not keep the contract: ${verified.reason ?? required.map(({ id }) => id).join(", ")}`;
      facts[at] = { ...fact, verified, notRun };
      if (notRun === null) ready.push(entrant);
      else onEvent({ kind: "warning", text: `${name} is not run: ${notRun}; see "showdown verify ${name}"` });
    }
  } finally {
    await reaper.stop();
  }
  if (ready.length === 0 && !signal.aborted) {
    throw new VerifyFailedError("no contender keeps the contract", {
      hint: 'see "showdown verify CONTENDER", or measure them all the same with --no-verify',
    });
  }
  return { ...prepared, ready, facts };
}

/** Seconds, and only when machine, generator or plan have changed. */
async function findCeilings(
  plan: Plan,
  environment: Environment,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): Promise<Ceilings | null> {
  onEvent({ kind: "preparing", text: "measuring the generator against a null server" });
  const reaper = startReaper();
  try {
    return await measureCeilings({ plan, environment, cacheDir, reaper, signal });
  } finally {
    await reaper.stop();
  }
}

function exitCode(
  result: Result,
  { facts, buildFailed }: Prepared,
  outcomes: readonly ThresholdOutcome[],
): number {
  if (result.status === "aborted") return exitCodes.aborted.code;
  if (result.rounds.some(({ status }) => status !== "ok")) return exitCodes.contenderFailed.code;
  if (buildFailed) return exitCodes.build.code;
  if (outcomes.some(({ ok }) => !ok)) return exitCodes.threshold.code;
  return facts.some(({ verified }) => verified?.competes === false)
    ? exitCodes.verifyFailed.code
    : exitCodes.ok.code;
}
