import { join } from "node:path";
import type { ResolvedEntrant } from "../contenders/entrants.ts";
import { exitCodes } from "../errors.ts";
import { cacheFolder } from "../machine/installation.ts";
import { balancedOrder } from "../plan/order.ts";
import type { Plan } from "../plan/plan.ts";
import { writeRunFile } from "../result/file.ts";
import type { Environment, Result } from "../result/schema.ts";
import type { Generator } from "../run/generator.ts";
import { startRun } from "../run/start-run.ts";
import { parseThresholds } from "../views/compare/gate-grammar.ts";
import { checkThresholds, describeOutcome } from "../views/compare/gates.ts";
import { appendJobSummary } from "../views/compare/job-summary.ts";
import type { Progress } from "../views/watch/terminal/progress.ts";
import { commandLine } from "./command-options.ts";
import type { Host } from "./host.ts";
import { withLivePage } from "./live.ts";
import type { OptionValues } from "./options.ts";
import { isForProgram, type Outputs, withOutputs } from "./outputs.ts";
import { resultsFolder } from "./paths.ts";
import { installOptions } from "./prepare.ts";
import { renderReport, renderSummary } from "./report-files.ts";
import { runExitCode } from "./run-exit-code.ts";

export interface PlannedRun {
  readonly plan: Plan;
  /** Why nothing is pinned, where nothing is. */
  readonly pinReason: string | null;
  readonly entrants: readonly ResolvedEntrant[];
  readonly environment: Environment;
  /** The end of its id. */
  readonly label: string;
  /** This machine where absent. */
  readonly generator?: Generator;
}

export interface Watchers {
  readonly values: OptionValues;
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly outputs: Outputs;
}

export interface WrittenRun {
  readonly result: Result;
  readonly folder: string;
  /** What `report.md` has. */
  readonly markdown: string;
}

/** One run, shown while it goes on, with its reports beside its result. */
export async function runOnce(
  { plan, pinReason, entrants, environment, label, generator }: PlannedRun,
  { values, host, signal, progress, outputs }: Watchers,
): Promise<WrittenRun> {
  const createView = async () => (await import("../views/watch/live/view.ts")).showRun(plan);
  return await withLivePage(values, host, createView, async (live) => {
    const started = startRun(plan, {
      ...installOptions(values, host),
      entrants,
      environment,
      resultsFolder: resultsFolder(values, host),
      cacheDir: cacheFolder,
      label,
      ...(generator === undefined ? {} : { generator }),
      command: commandLine(host),
      verify: values["no-verify"] !== true,
      warnings: pinReason === null ? [] : [{ kind: "not-pinned", problem: pinReason }],
      signal,
    });
    const listener = outputs.ofRun(started.id, plan);
    for await (const event of started.events) {
      progress.onEvent(event);
      listener.onEvent(event);
      live?.onEvent(event);
    }
    progress.end();
    const result = await started.result;
    listener.onResult(result);
    const folder = join(resultsFolder(values, host), result.id);
    const markdown = await renderReport("report.md", result, values);
    await writeRunFile(join(folder, "report.md"), markdown);
    await writeRunFile(join(folder, "report.html"), await renderReport("report.html", result, values));
    await live?.stop(`The run has ended. Its report is in ${folder}.`);
    return { result, folder, markdown };
  });
}

/** Says which thresholds were met. Returns the run's exit code. */
export function judgeEnd(result: Result, { values, host }: Pick<Watchers, "values" | "host">): number {
  const outcomes = checkThresholds(result, parseThresholds(values.threshold ?? [], result.plan));
  for (const outcome of outcomes) host.err(`${describeOutcome(outcome)}\n`);
  return runExitCode(
    result,
    outcomes.every(({ outcome }) => outcome === "passed"),
  );
}

/** Of what is planned: the run, and what it comes to. Returns the exit code. */
export async function carryOut(
  planned: PlannedRun,
  { values, host, signal, progress }: Omit<Watchers, "outputs">,
): Promise<number> {
  const { plan } = planned;
  // Refused now, not after an hour of measuring.
  parseThresholds(values.threshold ?? [], plan);
  if (values["dry-run"]) {
    const order = balancedOrder(plan.entrants, plan.rounds, plan.seed);
    host.out(`${JSON.stringify({ plan, order }, null, 2)}\n`);
    return exitCodes.ok.code;
  }
  const written = await withOutputs(values, host, progress, (outputs) =>
    runOnce(planned, { values, host, signal, progress, outputs }),
  );
  tellEnd(written, values, host);
  return judgeEnd(written.result, { values, host });
}

function tellEnd({ result, folder, markdown }: WrittenRun, values: OptionValues, host: Host): void {
  const problem = appendJobSummary(host.env, markdown);
  if (problem !== null) host.err(`warning: ${problem}\n`);
  // The summary is for the person, not for the pipe.
  const isTty = isForProgram(values) ? host.errIsTty : host.outIsTty;
  (isForProgram(values) ? host.err : host.out)(renderSummary(result, values, host, isTty));
  if (values.json) host.out(`${JSON.stringify(result)}\n`);
  host.err(`\nWritten to ${folder}\n`);
}
