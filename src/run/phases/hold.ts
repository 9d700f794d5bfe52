import { mergeFailures } from "../../engine/failure-tally.ts";
import { readUsedMemory } from "../../machine/kernel-sockets.ts";
import type { ConnectPhase, Ending } from "../../result/phase.ts";
import type { HoldView } from "../events.ts";
import { exitEnding, ok, type RoundContext, sumOf } from "./context.ts";
import { type Measured, measureLoad } from "./message-phase.ts";
import { orderSteady } from "./orders.ts";

const pollMs = 100;
const viewIntervalMs = 1000;

type Hold = NonNullable<ConnectPhase["hold"]>;

/** What became of the connections that were held. */
export interface Held {
  readonly ending: Ending;
  readonly hold: Hold;
  readonly findings: ConnectPhase["findings"];
}

/**
 * Proves every open connection alive by an echo of its own, lets all of them rest, and proves them once more. Whoever
 * dies meanwhile is counted by reason.
 */
export async function holdConnections(context: RoundContext): Promise<Held> {
  const { holdSeconds: seconds } = context.plan;
  const before = await sweep(context, "before", async () => {});
  const parts = [before];
  let machineBytes: number | null = null;
  if (before.ending.status === "ok") {
    parts.push(
      await sweep(context, "after", async () => {
        await rest(context);
        const [was, is] = [context.usedBefore, readUsedMemory()];
        machineBytes = was === null || is === null ? null : Math.max(0, is - was);
      }),
    );
  }
  return {
    ending: parts.map(({ ending }) => ending).find(({ status }) => status !== "ok") ?? ok,
    hold: { seconds, machineBytes, sweeps: parts.map(describeSweep) },
    findings: parts.flatMap(({ figures }) => figures.findings),
  };
}

/** One echo on each connection that is open, at the plan's steady rate. @param pause between everybody's readiness and the first */
async function sweep(
  context: RoundContext,
  stage: Exclude<HoldView["stage"], "rest">,
  pause: () => Promise<void>,
): Promise<Measured> {
  const { plan, connections } = context;
  const { alive } = connections;
  const { steadyRatePerSecond: ratePerSecond } = plan;
  const scene = { plan, alive, phase: connections.nextPhase() };
  const load = orderSteady(scene, "echo", { ratePerSecond, seconds: alive.length / ratePerSecond });
  const describeView = (view: Parameters<Parameters<typeof measureLoad>[2]>[0]) =>
    ({ kind: "connect", workload: null, ...view, hold: { stage } }) as const;
  return await measureLoad(context, load, describeView, { pause });
}

/** The workers are ready for the sweep that follows, so that who dies meanwhile is counted in it. */
async function rest({ plan, pool, target, signal, clockUs, board, onView }: RoundContext): Promise<void> {
  const startUs = clockUs();
  const totalMs = plan.holdSeconds * 1000;
  let viewedMs = Number.NEGATIVE_INFINITY;
  for (;;) {
    const elapsedMs = (clockUs() - startUs) / 1000;
    const isOver = elapsedMs >= totalMs || signal.aborted || pool.failed !== null;
    if (isOver || exitEnding(target) !== null) return;
    if (elapsedMs - viewedMs >= viewIntervalMs) {
      viewedMs = elapsedMs;
      onView({
        kind: "connect",
        workload: null,
        elapsedMs,
        done: Math.round(elapsedMs / 1000),
        total: plan.holdSeconds,
        ratePerSecond: 0,
        p50Us: null,
        p99Us: null,
        errors: board.phaseTotals().errors,
        hold: { stage: "rest" },
      });
    }
    await Bun.sleep(Math.min(pollMs, totalMs - elapsedMs));
  }
}

function describeSweep({
  figures,
  deathsBefore,
  server,
  generator,
  spanMs,
}: Measured): Hold["sweeps"][number] {
  const { connections, messages, latencyUs } = figures;
  const { curve: _, ...quantiles } = latencyUs;
  const { delivered } = messages;
  const generatorUs = delivered === 0 ? null : (generator.cpuMs * 1000) / delivered;
  return {
    open: connections.open,
    sent: messages.sent,
    answered: delivered,
    died: connections.died + sumOf(deathsBefore, ({ count }) => count),
    deaths: mergeFailures([deathsBefore, connections.failures]),
    spanMs,
    latencyUs: quantiles,
    serverCpuUsPerEcho: server.cpuUsPerDelivery,
    generatorCpuUsPerEcho: generatorUs === null ? null : Math.round(generatorUs * 100) / 100,
  };
}
