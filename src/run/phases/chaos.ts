import { mergeFailures } from "../../engine/failure-tally.ts";
import type { PhaseReport } from "../../engine/worker-protocol.ts";
import type { Fault } from "../../plan/faults.ts";
import type { Plan } from "../../plan/plan.ts";
import type { ChaosPhase, Ending, FaultReport } from "../../result/phase.ts";
import { mergeHistograms, summarize } from "../../stats/histogram.ts";
import { addUsage, describeGenerator } from "../../trust/generator-usage.ts";
import { describeServer, watchServerUsage } from "../../trust/server-usage.ts";
import { findLateness, findServerContention, invalidIfAny } from "../../trust/validity.ts";
import type { RunTarget } from "../target.ts";
import { ok, type RoundContext, sumEach, sumOf } from "./context.ts";
import type { ChaosWorkload } from "./fault-orders.ts";
import { runFault } from "./fault-run.ts";
import { brokenArrivals, listCounted } from "./findings.ts";

/** They end the server, or may. */
const deadly: readonly Fault[] = ["crash", "kill"];

/** The plan's faults that this server can be given: one that nobody here can start again is not to be ended. */
export function listFaults({ faults }: Pick<Plan, "faults">, { process }: RunTarget): readonly Fault[] {
  return process === null ? faults.filter((fault) => !deadly.includes(fault)) : faults;
}

/** Injects one fault after another while the unaffected clients go on, and tells what it did to them. */
export async function runChaos(context: RoundContext, workload: ChaosWorkload): Promise<ChaosPhase> {
  const { plan, watch, clockUs, connections, target, handicapShare } = context;
  const open = connections.alive.length;
  const startedAt = new Date().toISOString();
  const startUs = clockUs();
  const faults: FaultReport[] = [];
  const reports: PhaseReport[] = [];
  let ending: Ending = ok;
  let lostBefore = 0;
  const planned = listFaults(plan, target);
  const left = plan.faults.filter((fault) => !planned.includes(fault));

  await watch.begin();
  const endServerUsage = watchServerUsage(plan);
  try {
    for (const [index, fault] of planned.entries()) {
      const done = await runFault(context, workload, { fault, index, count: planned.length });
      reports.push(...done.reports);
      if (done.report !== null) faults.push(done.report);
      lostBefore += done.lostBefore;
      if (done.ending !== null) {
        ending = done.ending;
        break;
      }
    }
  } finally {
    await watch.end();
  }
  const usage = endServerUsage();

  const elapsedMs = (clockUs() - startUs) / 1000;
  const delivered = sumOf(reports, (one) => one.delivered);
  const figures = watch.figures(delivered);
  const server = describeServer(figures, usage, handicapShare);
  const sendLagUs = summarize(mergeHistograms(reports.map(({ sendLag }) => sendLag)));
  const late = findLateness({
    plan,
    sendLagP99Us: sendLagUs.p99,
    // Lateness is forgiven a delivery (fault-account.ts), up to what would be called late.
    latencyP99Us: faults.length === 0 ? null : Math.min(...faults.map(({ lateUs }) => lateUs)),
  });
  return {
    kind: "chaos",
    workload,
    ...invalidIfAny(ending, findServerContention({ plan, server, spanMs: elapsedMs }), late),
    startedAt,
    durationMs: Math.round(elapsedMs),
    server,
    // What the workers use from one fault to the next is in none of their reports: other processes' share is unknown.
    generator: describeGenerator(addUsage(reports, plan.workers), elapsedMs, plan, null),
    connections: {
      open,
      died: sumOf(faults, ({ lostConnections }) => lostConnections),
      failures: mergeFailures(faults.map(({ failures }) => failures)),
    },
    sendLagUs,
    faults,
    ...(left.length === 0
      ? {}
      : { notInjected: left.map((fault) => ({ fault, reason: { kind: "not-our-process" as const } })) }),
    // What no fault excuses: other messages than were meant for a client, or no service without a fault.
    findings: listCounted({ "lost-before-fault": lostBefore, ...sumEach(reports, brokenArrivals) }),
  };
}
