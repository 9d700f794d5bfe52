import type { Address } from "../contenders/address.ts";
import { WorkerPool } from "../engine/worker-pool.ts";
import { isShowdownError } from "../errors.ts";
import { nowUs } from "../machine/clock.ts";
import { readUsedMemory } from "../machine/kernel-sockets.ts";
import { chaosLoadSeconds } from "../plan/faults.ts";
import { type PhasePlan, type Plan, processesOf } from "../plan/plan.ts";
import type { ServerProgram } from "../process/child.ts";
import type { Reaper } from "../process/reaper.ts";
import type { ServerProcess } from "../process/server.ts";
import type { Ending, Phase } from "../result/phase.ts";
import type { Reason } from "../result/reasons.ts";
import type { Ceilings, Environment, Round } from "../result/schema.ts";
import { type Handicap, startHandicap } from "../trust/handicap.ts";
import { withHeadroom } from "../trust/headroom.ts";
import type { RunEvent } from "./events.ts";
import type { Generator } from "./generator.ts";
import { describeNeighbours, watchIdling } from "./neighbours.ts";
import { runCapacity } from "./phases/capacity.ts";
import { listFaults, runChaos } from "./phases/chaos.ts";
import { runConnect } from "./phases/connect.ts";
import { exitEnding, OpenConnections, poolEnding, type RoundContext, stopped } from "./phases/context.ts";
import { runMessagePhase } from "./phases/message-phase.ts";
import { ProgressBoard } from "./phases/progress-board.ts";
import { ServerWatch } from "./phases/server-watch.ts";
import { skip, worse } from "./round-status.ts";
import { type RunTarget, reachServer } from "./target.ts";
import { warmUp, warmUpPlan } from "./warm-up.ts";
import { workerSetups } from "./worker-setups.ts";

const outputBytes = 4000;
/** Each further process of a server may take so long to be ready. */
const processMs = 500;

export interface RoundOptions {
  readonly plan: Plan;
  /** Whose turn it is. */
  readonly contender: string;
  readonly variant: string;
  /** What is started, or where it runs already. */
  readonly server: ServerProgram | Address;
  readonly framing: "single" | "newline";
  readonly round: number;
  /** 1-based place in the order of everything. */
  readonly position: number;
  readonly environment: Environment;
  readonly epochUs: number;
  /** The share of the server's CPU time that is taken from it; 0 for none. */
  readonly handicapShare: number;
  readonly generator: Generator;
  readonly reaper: Reaper;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
  /** The generator's own, to say how far a phase stayed below them; null where they are not known. */
  readonly ceilings: Ceilings | null;
  /** Called after every phase with the round so far, so that nothing measured can be lost. */
  readonly onPhase: (round: Round) => Promise<void>;
}

/** The part of the options that a round is known by. */
type Place = Pick<RoundOptions, "contender" | "variant" | "round" | "position">;

/**
 * One contender's round under way: its fresh server, and workers of its own. Several may be alive at once; who has the
 * load is decided by whoever runs them.
 */
export class LiveRound {
  readonly options: RoundOptions;
  #round: Round;
  #server: ServerProcess | null = null;
  #pool: WorkerPool | null = null;
  #handicap: Handicap | null = null;
  #context: RoundContext | null = null;
  #closing: Promise<void> | null = null;
  #usedBefore: number | null = null;

  private constructor(options: RoundOptions) {
    this.options = options;
    this.#round = {
      ...placeOf(options),
      status: "ok",
      reason: null,
      reasonPhase: null,
      readyMs: null,
      idleRssBytes: null,
      warmUp: null,
      shutdown: null,
      phases: [],
      output: null,
    };
  }

  /** A fresh server, fresh workers and a warm-up. What fails in that is told by the round, which then has no phases. */
  static async open(options: RoundOptions): Promise<LiveRound> {
    const live = new LiveRound(options);
    try {
      await live.#open();
    } catch (error) {
      await live.close();
      throw error;
    }
    return live;
  }

  /** As far as it has come. */
  get round(): Round {
    return this.#round;
  }

  /** Null where it did not come up. */
  get context(): RoundContext | null {
    return this.#context;
  }

  /** One phase alone: nobody else has load. */
  async runPhase(index: number, neighbours: readonly LiveRound[] = []): Promise<void> {
    const phasePlan = this.#planned(index);
    const context = await this.begin(index);
    if (context === null) return;
    const endIdling = await watchIdling(neighbours);
    const phase = await this.whileLoaded(() => runPhase(context, phasePlan, this.options.environment));
    await this.finish(index, { ...phase, ...describeNeighbours([await endIdling()]) });
  }

  /** Whether the phase can be run: what it is run with. Otherwise it is told as skipped. */
  async begin(index: number): Promise<RoundContext | null> {
    const { plan, onEvent } = this.options;
    const context = this.#context;
    // Without a server there is nothing that could be skipped.
    if (context === null) return null;
    const phasePlan = this.#planned(index);
    onEvent({
      kind: "phase-started",
      ...placeOf(this.options),
      phaseKind: phasePlan.kind,
      workload: phasePlan.workload ?? null,
      index,
      count: plan.phases.length,
      expectedSeconds: expectSeconds(phasePlan, plan),
    });
    const skipped = this.#reasonToSkip(context, phasePlan);
    if (skipped === null) return context;
    await this.finish(index, skip(phasePlan, skipped));
    return null;
  }

  /** Keeps the phase, the round's next. */
  async finish(index: number, phase: Phase): Promise<void> {
    const { ceilings, onEvent, onPhase } = this.options;
    const kept = withHeadroom(phase, ceilings);
    onEvent({ kind: "phase-ended", ...placeOf(this.options), phase: kept });
    this.#round = {
      ...this.#round,
      ...worse(this.#round, kept, index),
      phases: [...this.#round.phases, kept],
    };
    await onPhase(this.#round);
  }

  /** A handicap holds while its server has the load, and at no other time. */
  async whileLoaded<T>(work: () => Promise<T>): Promise<T> {
    this.#handicap?.set(true);
    try {
      return await work();
    } finally {
      this.#handicap?.set(false);
    }
  }

  /** Ends server and workers, if they still are. What is left of the phases is skipped. Leaves no process. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #open(): Promise<void> {
    const { plan, server, generator, signal, reaper, handicapShare, onEvent } = this.options;
    const { port, serverCpus: cpus, timeouts } = plan;
    const { serverHost: host } = generator;
    this.#usedBefore = readUsedMemory();
    let target: RunTarget;
    try {
      const readyMs = timeouts.readyMs + processMs * (processesOf(plan, this.options) - 1);
      target = await reachServer(server, { host, port, cpus, readyMs, reaper, signal });
    } catch (error) {
      if (!signal.aborted && !isShowdownError(error, "contenderFailed")) throw error;
      const reason: Reason = { kind: "server-not-ready", problem: String((error as Error).message) };
      const output = isShowdownError(error) ? (error.output ?? null) : null;
      this.#end(signal.aborted ? stopped : { status: "failed", reason }, output);
      return;
    }
    this.#server = target.process;
    if (target.process !== null) {
      const readyMs = Math.round(target.process.readyMs);
      this.#round = { ...this.#round, readyMs };
      onEvent({ kind: "server-ready", ...placeOf(this.options), readyMs });
    }
    if (handicapShare > 0 && cpus !== null) this.#handicap = startHandicap(cpus, handicapShare);
    await this.#warmUp(target);
  }

  async #warmUp(target: RunTarget): Promise<void> {
    const { plan, environment, epochUs, generator } = this.options;
    const clockUs = () => nowUs() - epochUs;
    const board = new ProgressBoard(plan.workers, generator.fleet?.agents.length);
    const pool = new WorkerPool({
      workers: plan.workers,
      openLink: generator.openLinks(),
      onConnectProgress: (worker, progress) => board.noteConnect(worker, progress),
      onPhaseProgress: (worker, progress) => board.notePhase(worker, progress),
    });
    this.#pool = pool;
    const watch = new ServerWatch(target.process?.probe() ?? null, clockUs);
    const idleRssBytes = (await watch.take())?.rssBytes ?? null;
    this.#round = { ...this.#round, idleRssBytes };
    const setUp = (of: Plan) => this.#setUp(of, { target, pool, board, watch, clockUs });
    try {
      if (plan.warmupSeconds > 0) this.#keepWarmUp(await warmUp(await setUp(warmUpPlan(plan)), environment));
      this.#context = await setUp(plan);
      const { onEvent } = this.options;
      board.onSecond = (load) => onEvent({ kind: "phase-second", ...placeOf(this.options), load });
    } catch (error) {
      // A worker ended before the first phase: the server has no part in it, and the next round has new workers.
      const gone = poolEnding(pool);
      if (gone === null) throw error;
      this.#end({ status: "aborted", reason: gone.reason }, null);
    }
  }

  #keepWarmUp(warmUp: Round["warmUp"]): void {
    const { plan, contender, variant, onEvent } = this.options;
    this.#round = { ...this.#round, warmUp };
    if (warmUp?.ended !== "time") return;
    const warning = { kind: "not-warmed-up", contender, variant, seconds: plan.warmupLimitSeconds } as const;
    onEvent({ kind: "warning", warning });
  }

  async #setUp(
    of: Plan,
    parts: Pick<RoundContext, "target" | "pool" | "board" | "watch" | "clockUs">,
  ): Promise<RoundContext> {
    const { framing, generator, handicapShare, signal, onEvent } = this.options;
    const ready = await parts.pool.setup(workerSetups(of, this.options, parts.target));
    const problem = ready.find(({ pinFailure }) => pinFailure !== null)?.pinFailure ?? null;
    if (problem !== null) onEvent({ kind: "warning", warning: { kind: "not-pinned", problem } });
    return {
      ...parts,
      plan: of,
      connections: new OpenConnections(),
      framing,
      generator,
      handicapShare,
      usedBefore: this.#usedBefore,
      sourceAddresses: ready[0]?.sourceAddresses.length ?? 0,
      signal,
      onView: (view) => onEvent({ kind: "phase-progress", ...placeOf(this.options), view }),
    };
  }

  async #close(): Promise<void> {
    const [server, pool] = [this.#server, this.#pool];
    await this.#handicap?.end();
    if (pool !== null) {
      const hasExited = server !== null && server.exit !== null;
      const isAlive = !hasExited && pool.failed === null && this.#context !== null;
      // One that ends now has nothing left to tell.
      if (isAlive) await pool.close().catch(() => {});
      await pool.end();
    }
    if (server === null) return;
    // Read before it is told to stop: what it says of its own end is no evidence.
    const output = server.output();
    const hadEnded = server.exit !== null;
    const stop = await server.stop();
    this.#round = {
      ...this.#round,
      shutdown: hadEnded ? null : { graceful: stop.graceful, exitMs: Math.round(stop.exitMs) },
      output: this.#round.status === "ok" ? null : output.slice(-outputBytes),
    };
  }

  /** Before its first phase. */
  #end({ status, reason }: { status: Ending["status"]; reason: Ending["reason"] }, output: string | null) {
    this.#round = { ...this.#round, status: status === "failed" ? "failed" : "aborted", reason, output };
  }

  #planned(index: number): PhasePlan {
    const planned = this.options.plan.phases[index];
    if (planned === undefined) throw new RangeError(`phase ${index}: the plan has fewer`);
    return planned;
  }

  /** Why a phase is not come to; null when it is. */
  #reasonToSkip({ target, connections, signal, pool }: RoundContext, { kind }: PhasePlan): Reason | null {
    const { status, reasonPhase, phases } = this.#round;
    if (signal.aborted) return stopped.reason;
    const isOver = status === "failed" || pool.failed !== null || this.#closing !== null;
    if (isOver && reasonPhase !== null) return { kind: "earlier-phase", phase: reasonPhase };
    const exited = exitEnding(target);
    if (exited !== null) return exited.reason;
    if (kind === "chaos" && listFaults(this.options.plan, target).length === 0) {
      return { kind: "not-our-process" };
    }
    return phases.length > 0 && connections.alive.length === 0 ? { kind: "all-connections-closed" } : null;
  }
}

/** One contender's turn, with nobody else alive: all of the plan's phases. Leaves no process. */
export async function runRound(options: RoundOptions): Promise<Round> {
  const live = await LiveRound.open(options);
  try {
    for (const index of options.plan.phases.keys()) await live.runPhase(index);
  } finally {
    await live.close();
  }
  return live.round;
}

function placeOf({ contender, variant, round, position }: Place): Place {
  return { contender, variant, round, position };
}

async function runPhase(context: RoundContext, phase: PhasePlan, environment: Environment): Promise<Phase> {
  const { kind, workload } = phase;
  if (kind === "connect" || workload === undefined) return await runConnect(context, environment);
  if (kind === "capacity") return await runCapacity(context, { kind, workload });
  if (kind === "chaos") return await runChaos(context, workload === "rooms" ? "rooms" : "broadcast");
  return await runMessagePhase(context, { kind, workload });
}

/** Of phases that last a set time. */
function expectSeconds({ kind }: PhasePlan, plan: Plan): number | null {
  return kind === "endurance" ? plan.enduranceSeconds : kind === "chaos" ? chaosLoadSeconds(plan) : null;
}
