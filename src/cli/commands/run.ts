import { exitCodes } from "../../errors.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { balancedOrder } from "../../plan/order.ts";
import { parseThresholds } from "../../views/compare/gate-grammar.ts";
import { appendJobSummary } from "../../views/compare/job-summary.ts";
import type { Host } from "../host.ts";
import { judgeEnd, runOnce, type WrittenRun } from "../one-run.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { isForProgram, withOutputs } from "../outputs.ts";
import { makePlan } from "../plan-options.ts";
import { findEntrants, findRunning } from "../prepare.ts";
import { renderSummary } from "../report-files.ts";
import { untilStopped } from "../signals.ts";
import { scan } from "./scan.ts";

/** `showdown run`: the whole showdown, from the toolchains to the verdict. Returns the exit code. */
export async function run(options: ParsedOptions, host: Host): Promise<number> {
  const { values, positionals } = options;
  const started = await findEntrants(positionals, values, host);
  const entrants = [...started, ...findRunning(values, started, host)];
  const environment = await describeEnvironment();
  if (values.scan !== undefined) return await scan(values.scan, options, { entrants, environment }, host);
  const { plan, pinReason } = makePlan(options, entrants, environment);
  // Refused now, not after an hour of measuring.
  parseThresholds(values.threshold ?? [], plan);
  if (values["dry-run"]) {
    const order = balancedOrder(plan.entrants, plan.rounds, plan.seed);
    host.out(`${JSON.stringify({ plan, order }, null, 2)}\n`);
    return exitCodes.ok.code;
  }
  return await untilStopped(host, async (signal, progress) => {
    const planned = { plan, pinReason, entrants, environment, label: plan.preset };
    const written = await withOutputs(values, host, progress, (outputs) =>
      runOnce(planned, { values, host, signal, progress, outputs }),
    );
    tellEnd(written, values, host);
    return judgeEnd(written.result, { values, host });
  });
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
