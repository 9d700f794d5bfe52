import { plainTarget } from "../engine/target.ts";
import { WorkerPool } from "../engine/worker-pool.ts";
import type { WorkerSetup } from "../engine/worker-protocol.ts";
import { isShowdownError } from "../errors.ts";
import { nowUs } from "../machine/clock.ts";
import { sourceAddresses } from "../machine/source-addresses.ts";
import { chaosLoadSeconds } from "../plan/faults.ts";
import { type PhasePlan, type Plan, roomGroup } from "../plan/plan.ts";
import type { ServerProgram } from "../process/child.ts";
import type { Reaper } from "../process/reaper.ts";
import { ServerProcess } from "../process/server.ts";
import type { Ending, Phase } from "../result/phase.ts";
import type { Reason } from "../result/reasons.ts";
import type { Ceilings, Environment, Round } from "../result/schema.ts";
import { startHandicap } from "../trust/handicap.ts";
import { withHeadroom } from "../trust/headroom.ts";
import type { RunEvent } from "./events.ts";
import { runCapacity } from "./phases/capacity.ts";
import { runChaos } from "./phases/chaos.ts";
import { runConnect } from "./phases/connect.ts";
import { exitEnding, OpenConnections, poolEnding, type RoundContext, stopped } from "./phases/context.ts";
import { runMessagePhase } from "./phases/message-phase.ts";
import { ProgressBoard } from "./phases/progress-board.ts";
import { ServerWatch } from "./phases/server-watch.ts";
import { type RunTarget, statsCounters } from "./target.ts";
import { warmUp, warmUpPlan } from "./warm-up.ts";

const host = "127.0.0.1";
const path = "/ws";
const outputBytes = 4000;

export interface RoundOptions {
  readonly plan: Plan;
  /** Whose turn it is. */
  readonly contender: string;
  readonly variant: string;
  readonly program: ServerProgram;
  readonly framing: "single" | "newline";
  readonly round: number;
  /** 1-based place in the order of everything. */
  readonly position: number;
  readonly environment: Environment;
  readonly epochUs: number;
  /** The share of the server's CPU time that is taken from it; 0 for none. */
  readonly handicapShare: number;
  readonly reaper: Reaper;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** The generator's own, to say how far a phase stayed below them; null where they are not known. */
  readonly ceilings: Ceilings | null;
  /** Called after every phase with the round so far, so that nothing measured can be lost. */
  readonly onPhase: (round: Round) => Promise<void>;
}

/** One contender's turn: a fresh server, fresh workers, a warm-up, then the plan's phases. Leaves no process. */
export async function runRound(options: RoundOptions): Promise<Round> {
  const { plan, program, signal, reaper } = options;
  let round: Round = {
    contender: options.contender,
    variant: options.variant,
    round: options.round,
    position: options.position,
    status: "ok",
    reason: null,
    reasonPhase: null,
    readyMs: null,
    idleRssBytes: null,
    shutdown: null,
    phases: [],
    output: null,
  };
  let server: ServerProcess;
  try {
    const { port, serverCpus: cpus, timeouts } = plan;
    const { readyMs } = timeouts;
    server = await ServerProcess.start({ program, host, port, cpus, readyMs, reaper, signal });
  } catch (error) {
    if (signal.aborted) return { ...round, ...stopped, status: "aborted" };
    if (!isShowdownError(error, "contenderFailed")) throw error;
    const reason: Reason = { kind: "server-not-ready", problem: error.message };
    return { ...round, status: "failed", reason, output: error.output ?? null };
  }
  const handicap =
    options.handicapShare > 0 && plan.serverCpus !== null
      ? startHandicap(plan.serverCpus, options.handicapShare)
      : null;
  try {
    options.onEvent({ kind: "server-ready", readyMs: Math.round(server.readyMs) });
    round = { ...round, readyMs: Math.round(server.readyMs) };
    round = await runPhases(options, server, round);
  } finally {
    await handicap?.end();
    // Read before it is told to stop: what it says of its own end is no evidence.
    const output = server.output();
    const hadEnded = server.exit !== null;
    const stop = await server.stop();
    round = {
      ...round,
      shutdown: hadEnded ? null : { graceful: stop.graceful, exitMs: Math.round(stop.exitMs) },
      output: round.status === "ok" ? null : output.slice(-outputBytes),
    };
  }
  return round;
}

async function runPhases(options: RoundOptions, server: ServerProcess, idle: Round): Promise<Round> {
  const { plan, onEvent, signal } = options;
  const clockUs = () => nowUs() - options.epochUs;
  const board = new ProgressBoard(plan.workers);
  const pool = WorkerPool.start({
    workers: plan.workers,
    onConnectProgress: (worker, progress) => board.noteConnect(worker, progress),
    onPhaseProgress: (worker, progress) => board.notePhase(worker, progress),
  });
  try {
    const watch = new ServerWatch(server.probe(), clockUs);
    let round: Round = { ...idle, idleRssBytes: (await watch.take())?.rssBytes ?? null };
    const address = plainTarget(server.host, server.port, path);
    const target: RunTarget = { address, process: server, counters: statsCounters(address) };
    const setUp = async (of: Plan): Promise<RoundContext> => {
      const ready = await pool.setup(workerSetups(of, options, target));
      const problem = ready.find(({ pinFailure }) => pinFailure !== null)?.pinFailure ?? null;
      if (problem !== null) onEvent({ kind: "warning", warning: { kind: "not-pinned", problem } });
      return {
        plan: of,
        target,
        pool,
        connections: new OpenConnections(),
        board,
        watch,
        framing: options.framing,
        idleRssBytes: round.idleRssBytes,
        handicapShare: options.handicapShare,
        sourceAddresses: ready[0]?.sourceAddresses.length ?? 0,
        clockUs,
        signal,
        onView: (view) => onEvent({ kind: "phase-progress", view }),
      };
    };
    if (plan.warmupSeconds > 0) await warmUp(await setUp(warmUpPlan(plan)), options.environment);
    const context = await setUp(plan);
    for (const [index, phasePlan] of plan.phases.entries()) {
      onEvent({
        kind: "phase-started",
        phaseKind: phasePlan.kind,
        workload: phasePlan.workload ?? null,
        index,
        count: plan.phases.length,
        expectedSeconds: expectSeconds(phasePlan, plan),
      });
      const skipped = reasonToSkip(context, round);
      const phase =
        skipped === null
          ? withHeadroom(await runPhase(context, phasePlan, options.environment), options.ceilings)
          : skip(phasePlan, skipped);
      onEvent({ kind: "phase-ended", phase });
      round = { ...round, ...worse(round, phase, index), phases: [...round.phases, phase] };
      await options.onPhase(round);
    }
    if (server.exit === null && pool.failed === null) await pool.close();
    return round;
  } catch (error) {
    const gone = poolEnding(pool);
    if (gone === null) throw error;
    // A worker ended before the first phase: the server has no part in it, and the next round has new workers.
    return { ...idle, status: "aborted", reason: gone.reason };
  } finally {
    await pool.end();
  }
}

async function runPhase(context: RoundContext, phase: PhasePlan, environment: Environment): Promise<Phase> {
  const { kind, workload } = phase;
  if (kind === "connect" || workload === undefined) return await runConnect(context, environment);
  if (kind === "capacity") return await runCapacity(context, { kind, workload });
  if (kind === "chaos") return await runChaos(context, workload === "rooms" ? "rooms" : "broadcast");
  return await runMessagePhase(context, { kind, workload });
}

/** Why a phase is not come to; null when it is. */
function reasonToSkip(context: RoundContext, round: Round): Reason | null {
  const { target, connections, signal, pool } = context;
  if (signal.aborted) return stopped.reason;
  if ((round.status === "failed" || pool.failed !== null) && round.reasonPhase !== null) {
    return { kind: "earlier-phase", phase: round.reasonPhase };
  }
  const exited = exitEnding(target);
  if (exited !== null) return exited.reason;
  return round.phases.length > 0 && connections.alive.length === 0
    ? { kind: "all-connections-closed" }
    : null;
}

function skip({ kind, workload }: PhasePlan, reason: Reason): Phase {
  if (kind === "connect") return { kind, workload: null, status: "not-run", reason };
  if (workload === undefined) throw new Error(`${kind} has a workload`);
  if (kind !== "chaos") return { kind, workload, status: "not-run", reason };
  return { kind, workload: workload === "rooms" ? "rooms" : "broadcast", status: "not-run", reason };
}

/** Of phases that last a set time. */
function expectSeconds({ kind }: PhasePlan, plan: Plan): number | null {
  return kind === "endurance" ? plan.enduranceSeconds : kind === "chaos" ? chaosLoadSeconds(plan) : null;
}

function workerSetups(plan: Plan, options: RoundOptions, { address: target }: RunTarget): WorkerSetup[] {
  const addresses = sourceAddresses(plan, options.position);
  const joins = [...new Set(plan.phases.flatMap(({ workload }) => workload ?? []))]
    .map((workload) => roomGroup(plan, workload))
    .filter((group) => group !== null);
  return Array.from({ length: plan.workers }, (_, worker) => ({
    worker,
    workers: plan.workers,
    connections: plan.connections,
    joins,
    target,
    sourceAddresses: addresses[worker] ?? [],
    messageBytes: plan.messageBytes,
    framing: options.framing,
    seed: plan.seed,
    epochUs: options.epochUs,
    cpus: plan.workerCpus,
    pacing: plan.pacing,
    connectTimeoutMs: plan.timeouts.connectMs,
  }));
}

/** A round is as good as its worst phase; a phase that nobody came to, or that is invalid, makes none worse. */
function worse(round: Round, phase: Phase, index: number): Pick<Round, "status" | "reason" | "reasonPhase"> {
  const ending = endingOf(phase);
  if (ending === null || round.status === "failed") return round;
  if (round.status === "aborted" && ending.status === "aborted" && phase.status !== "invalid") return round;
  return { ...ending, reasonPhase: index };
}

function endingOf({ status, reason }: Phase): (Pick<Round, "reason"> & { status: Round["status"] }) | null {
  switch (status) {
    case "failed":
    case "aborted":
      return { status, reason };
    case "invalid":
      // Without its workers a round can't go on, whoever's fault that is.
      return isWorkerGone(reason) ? { status: "aborted", reason } : null;
    case "not-run":
      return reason.kind === "stopped-by-user"
        ? { status: "aborted", reason }
        : reason.kind === "earlier-phase"
          ? null
          : { status: "failed", reason };
    case "ok":
      return null;
  }
}

function isWorkerGone(reason: Ending["reason"]): boolean {
  return reason?.kind === "worker-exited" || reason?.kind === "worker-fault";
}
