import type { ResolvedEntrant } from "../contenders/entrants.ts";
import { WorkerPool } from "../engine/worker-pool.ts";
import type { WorkerSetup } from "../engine/worker-protocol.ts";
import { ContenderFailedError } from "../errors.ts";
import { nowUs } from "../machine/clock.ts";
import { chaosLoadSeconds } from "../plan/faults.ts";
import type { PhasePlan, Plan } from "../plan/plan.ts";
import { roomGroup } from "../plan/plan.ts";
import { createProbe } from "../process/probe.ts";
import type { Reaper } from "../process/reaper.ts";
import { RestartableServer } from "../process/restartable-server.ts";
import { describeExit, type Server } from "../process/server.ts";
import type { Environment, Phase, Round } from "../result/schema.ts";
import { startHandicap } from "../trust/handicap.ts";
import { type Ceilings, withHeadroom } from "../trust/headroom.ts";
import type { RunEvent } from "./events.ts";
import { runCapacity } from "./phases/capacity.ts";
import { runChaos } from "./phases/chaos.ts";
import { runConnect } from "./phases/connect.ts";
import { emptyPhase, type RoundContext } from "./phases/context.ts";
import { runExchange } from "./phases/exchange.ts";
import { orderBurst, orderEndurance } from "./phases/orders.ts";
import { ProgressBoard } from "./phases/progress-board.ts";
import { ServerWatch } from "./phases/server-watch.ts";
import { sourceAddresses } from "./source-addresses.ts";

const host = "127.0.0.1";
const path = "/ws";
const warmupConnections = 100;
const warmupRatePerSecond = 2000;

export interface RoundOptions {
  readonly plan: Plan;
  readonly entrant: ResolvedEntrant;
  readonly round: number;
  /** 1-based place in the order of everything. */
  readonly position: number;
  readonly environment: Environment;
  readonly epochUs: number;
  /** The share of the server's processors that is taken from it; 0 for all of them. */
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
  const { plan, entrant, signal } = options;
  let round: Round = {
    contender: entrant.contender,
    variant: entrant.variant,
    round: options.round,
    position: options.position,
    status: "ok",
    reason: null,
    readyMs: null,
    idleRssBytes: null,
    shutdown: null,
    phases: [],
    output: null,
  };
  let server: RestartableServer;
  try {
    server = await RestartableServer.start({
      entrant,
      host,
      port: plan.port,
      cpus: plan.serverCpus,
      readyMs: plan.timeouts.readyMs,
      reaper: options.reaper,
      signal,
    });
  } catch (error) {
    if (signal.aborted) return { ...round, status: "aborted", reason: "stopped by the user" };
    if (!(error instanceof ContenderFailedError)) throw error;
    return { ...round, status: "failed", reason: error.message, output: error.output };
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
      output: round.status === "ok" ? null : output.slice(-4000),
    };
  }
  return round;
}

async function runPhases(options: RoundOptions, server: RestartableServer, idle: Round): Promise<Round> {
  const { plan, onEvent, signal } = options;
  const clockUs = () => nowUs() - options.epochUs;
  const board = new ProgressBoard(plan.workers);
  const pool = WorkerPool.start({
    workers: plan.workers,
    onConnectProgress: (worker, progress) => board.noteConnect(worker, progress),
    onPhaseProgress: (worker, progress) => board.notePhase(worker, progress),
  });
  try {
    const watch = new ServerWatch(createProbe(server.pid), clockUs);
    let round: Round = { ...idle, idleRssBytes: (await watch.take()).rssBytes };
    const addresses = sourceAddresses(plan, options.position);
    const context: RoundContext = {
      plan,
      pool,
      board,
      server,
      watch,
      framing: options.entrant.framing,
      idleRssBytes: round.idleRssBytes,
      handicapShare: options.handicapShare,
      alive: [],
      saySeqs: { echo: new Map(), broadcast: new Map(), rooms: new Map() },
      sourceAddresses: addresses[0]?.length ?? 0,
      clockUs,
      signal,
      onView: (view) => onEvent({ kind: "phase-progress", view }),
    };
    await warmUp(context, options, addresses);
    const pinFailure = await pool.setup(workerSetups(plan, options, server, addresses));
    if (pinFailure !== null) onEvent({ kind: "warning", text: pinFailure });

    for (const [index, phasePlan] of plan.phases.entries()) {
      onEvent({
        kind: "phase-started",
        phaseKind: phasePlan.kind,
        workload: phasePlan.workload ?? null,
        index,
        count: plan.phases.length,
        expectedSeconds: expectSeconds(phasePlan, plan),
      });
      const phase = withHeadroom(
        round.status === "failed"
          ? notRun(phasePlan, "failed", `after ${round.reason}`)
          : await runPhase(context, phasePlan, options.environment),
        options.ceilings,
      );
      onEvent({ kind: "phase-ended", phase });
      round = { ...round, ...worse(round, phase), phases: [...round.phases, phase] };
      await options.onPhase(round);
    }
    if (server.exit === null) await pool.close();
    return round;
  } finally {
    await pool.end();
  }
}

async function runPhase(context: RoundContext, phase: PhasePlan, environment: Environment): Promise<Phase> {
  const { server, signal } = context;
  const { kind, workload } = phase;
  if (signal.aborted) return notRun(phase, "aborted", "stopped by the user");
  if (server.exit !== null) return notRun(phase, "failed", `the server ${describeExit(server.exit)} before`);
  if (kind === "connect" || workload === undefined) return await runConnect(context, environment);
  if (context.alive.length === 0) return notRun(phase, "failed", "no connection is open");
  if (kind === "capacity") return await runCapacity(context, { kind, workload });
  if (kind === "chaos") return await runChaos(context, workload === "rooms" ? "rooms" : "broadcast");
  const order = kind === "burst" ? orderBurst : orderEndurance;
  return await runExchange(context, order(context, { kind, workload }));
}

function notRun({ kind, workload }: PhasePlan, status: "failed" | "aborted", reason: string): Phase {
  return { ...emptyPhase(kind, workload ?? null), status, reason: `not run: ${reason}` };
}

/** Of phases that last a set time. */
function expectSeconds({ kind }: PhasePlan, plan: Plan): number | null {
  return kind === "endurance" ? plan.enduranceSeconds : kind === "chaos" ? chaosLoadSeconds(plan) : null;
}

/**
 * Unrecorded load on a few connections, so that neither the server's compiler nor the workers' is measured.
 * A server that fails here will fail in the first phase too, where it is recorded.
 */
async function warmUp(
  context: RoundContext,
  options: RoundOptions,
  addresses: readonly (readonly string[])[],
): Promise<void> {
  const { plan, pool } = context;
  if (plan.warmupSeconds === 0) return;
  const warmup: Plan = {
    ...plan,
    connections: Math.min(plan.connections, warmupConnections),
    enduranceSeconds: plan.warmupSeconds,
    enduranceRatePerSecond: Math.min(plan.enduranceRatePerSecond, warmupRatePerSecond),
  };
  const quiet: RoundContext = { ...context, plan: warmup, onView: () => {} };
  await pool.setup(workerSetups(warmup, options, context.server, addresses));
  const opened = await runConnect(quiet, options.environment);
  if (opened.connections.opened > 0) {
    await runExchange(quiet, orderEndurance(quiet, { kind: "endurance", workload: "echo" }));
    for (const workload of ["echo", "broadcast"] as const) {
      if (workload === "echo" || warmup.phases.some((phase) => phase.workload === workload)) {
        await runExchange(quiet, orderBurst(quiet, { kind: "burst", workload }));
      }
    }
  }
  await pool.close();
  for (const seqs of Object.values(context.saySeqs)) seqs.clear();
}

function workerSetups(
  plan: Plan,
  { entrant, epochUs }: RoundOptions,
  server: Server,
  addresses: readonly (readonly string[])[],
): WorkerSetup[] {
  const workloads = new Set(plan.phases.map(({ workload }) => workload));
  const joins = [...workloads]
    .map((workload) => (workload === undefined ? null : roomGroup(plan, workload)))
    .filter((group) => group !== null);
  return Array.from({ length: plan.workers }, (_, worker) => ({
    worker,
    workers: plan.workers,
    connections: plan.connections,
    joins,
    host: server.host,
    port: server.port,
    path,
    sourceAddresses: addresses[worker] ?? [],
    messageBytes: plan.messageBytes,
    framing: entrant.framing,
    seed: plan.seed,
    epochUs,
    cpus: plan.workerCpus,
    pacing: plan.pacing,
    connectTimeoutMs: plan.timeouts.connectMs,
  }));
}

/** A round is as good as its worst phase. */
function worse(round: Round, phase: Phase): Pick<Round, "status" | "reason"> {
  if (round.status === "failed" || phase.status === "ok" || phase.status === "void") return round;
  if (round.status === "aborted" && phase.status === "aborted") return round;
  const name = phase.workload === null ? phase.kind : `${phase.kind} ${phase.workload}`;
  return { status: phase.status, reason: `${name}: ${phase.reason ?? phase.status}` };
}
