import { join } from "node:path";
import { exitCodes } from "../../errors.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { balancedOrder } from "../../plan/order.ts";
import { writeRunFile } from "../../result/file.ts";
import type { Result } from "../../result/schema.ts";
import { startRun } from "../../run/start-run.ts";
import { parseThresholds } from "../../views/compare/gate-grammar.ts";
import { checkThresholds, describeOutcome } from "../../views/compare/gates.ts";
import { appendJobSummary } from "../../views/compare/job-summary.ts";
import { createLivePage } from "../../views/watch/live/live-page.ts";
import { commandLine } from "../command-options.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";
import { makePlan } from "../plan-options.ts";
import { cacheDir, findEntrants, findRunning, installOptions } from "../prepare.ts";
import { renderReport, renderSummary } from "../report-files.ts";
import { runExitCode } from "../run-exit-code.ts";
import { untilStopped } from "../signals.ts";

/** `showdown run`: the whole showdown, from the toolchains to the verdict. Returns the exit code. */
export async function run(options: ParsedOptions, host: Host): Promise<number> {
  const { values, positionals } = options;
  const started = await findEntrants(positionals, values, host);
  const entrants = [...started, ...findRunning(values, started, host)];
  const environment = await describeEnvironment();
  const { plan, pinReason } = makePlan(options, entrants, environment);
  // Refused now, not after an hour of measuring.
  const thresholds = parseThresholds(values.threshold ?? [], plan);
  if (values["dry-run"]) {
    const order = balancedOrder(plan.entrants, plan.rounds, plan.seed);
    host.out(`${JSON.stringify({ plan, order }, null, 2)}\n`);
    return exitCodes.ok.code;
  }
  const live = values.live ? await createLivePage({ port: values["live-port"] ?? 0, plan }) : null;
  if (live !== null) host.err(`Live page: ${live.url}\n`);
  try {
    return await untilStopped(host, async (signal, progress) => {
      const handle = startRun(plan, {
        ...installOptions(values, host),
        entrants,
        environment,
        resultsFolder: resultsFolder(values, host),
        cacheDir,
        label: plan.preset,
        command: commandLine(host),
        verify: values["no-verify"] !== true,
        warnings: pinReason === null ? [] : [{ kind: "not-pinned", problem: pinReason }],
        signal,
      });
      for await (const event of handle.events) {
        progress.onEvent(event);
        live?.onEvent(event);
      }
      progress.end();
      const result = await handle.result;
      const folder = join(resultsFolder(values, host), result.id);
      await writeReports(result, folder, values, host);
      await live?.stop(`The run has ended. Its report is in ${folder}.`);
      const outcomes = checkThresholds(result, thresholds);
      for (const outcome of outcomes) host.err(`${describeOutcome(outcome)}\n`);
      return runExitCode(
        result,
        outcomes.every(({ outcome }) => outcome === "passed"),
      );
    });
  } finally {
    await live?.stop();
  }
}

/** Writes the reports beside the result, and says what came out. */
async function writeReports(result: Result, folder: string, values: OptionValues, host: Host): Promise<void> {
  const markdown = await renderReport("report.md", result, values);
  await writeRunFile(join(folder, "report.md"), markdown);
  await writeRunFile(join(folder, "report.html"), await renderReport("report.html", result, values));
  const problem = appendJobSummary(host.env, markdown);
  if (problem !== null) host.err(`warning: ${problem}\n`);
  // With --json the summary is for the person, not for the pipe.
  const summary = renderSummary(result, values, host, values.json ? host.errIsTty : host.outIsTty);
  if (values.json) {
    host.err(summary);
    host.out(`${JSON.stringify(result)}\n`);
  } else {
    host.out(summary);
  }
  host.err(`\nWritten to ${folder}\n`);
}
