import type { AttackReport, AttackSetup, OpenReport } from "../engine/attack/attack-orders.ts";
import { countOwn, indexOf } from "../engine/places.ts";
import type { Target } from "../engine/target.ts";
import type { WorkerFault } from "../engine/worker-fault.ts";
import type { OpenLink } from "../engine/worker-link.ts";
import { WorkerPool } from "../engine/worker-pool.ts";
import { nowUs } from "../machine/clock.ts";
import { type AttackLimit, holds } from "../measures/attack-measures.ts";
import { type AttackPlan, withoutSecrets } from "../plan/attack/plan.ts";
import { loadSeconds } from "../plan/attack/rate.ts";
import { type AttackReason, type AttackResult, attackResultSchema } from "../result/attack.ts";
import { checkResultsFolder, createCheckedFile, type ResultFile } from "../result/file.ts";
import type { Warning } from "../result/reasons.ts";
import { nameRun } from "../result/run-name.ts";
import { type Environment, schemaVersion } from "../result/schema.ts";
import { EventQueue } from "../run/event-queue.ts";
import { ProgressBoard } from "../run/phases/progress-board.ts";
import { findBottleneck, findLateness } from "../trust/validity.ts";
import { describeAttack } from "./attack-figures.ts";
import { runAfter, runBefore } from "./commands.ts";
import type { AttackEvent } from "./events.ts";
import { type WholeSecond, WholeSeconds } from "./whole-seconds.ts";

export interface AttackOptions {
  /** What is slow to find out may be found out while workers start. */
  readonly environment: Environment | Promise<Environment>;
  /** The attack gets a folder of its own in it; null where nothing is to be kept. */
  readonly resultsFolder: string | null;
  /** As typed, for the result; without secrets. */
  readonly command: readonly string[];
  /** Rows of `--data`, the first for connection 0. */
  readonly rows?: readonly (readonly string[])[];
  /** How connections are opened, secrets included: it is in no result. */
  readonly access: Target;
  readonly warnings?: readonly Warning[];
  /** The attack ends when one of them is true of any second. */
  readonly abortOn?: readonly AttackLimit[];
  /** Run by the shell before the first connection; it has to end with 0. */
  readonly before?: string | undefined;
  /** Run by the shell afterwards, whatever became of the attack. */
  readonly after?: string | undefined;
  readonly signal: AbortSignal;
  /** How a worker is started and reached; a child process where nothing is said. */
  readonly openLink?: OpenLink;
}

export interface AttackHandle {
  /** The name of the attack, and of its folder. */
  readonly id: string;
  /** Everything that happens, for one reader; ends with the attack. */
  readonly events: AsyncIterable<AttackEvent>;
  /** @throws {ShowdownError} `resultsFolder`, `writing`; `attackFailed` where the command before it fails */
  readonly result: Promise<AttackResult>;
}

const pollMs = 20;
const viewIntervalMs = 250;
/** After its end, until each worker must have told of a second: they tell every 200 ms. */
const tellMs = 400;
/** For the start to reach every worker. */
const leadMs = 50;
/** What comes a second time comes behind what everyone waited for. */
const stragglerMs = 50;

type Ending = Pick<AttackResult, "status"> & { readonly reason: AttackReason | null };
const ok: Ending = { status: "ok", reason: null };
const stopped: Ending = { status: "aborted", reason: { kind: "stopped-by-user" } };

/** Opens connections to a server that runs already, loads it, and accounts for every answer. Prints nothing. */
export function startAttack(plan: AttackPlan, options: AttackOptions): AttackHandle {
  const startedAt = new Date().toISOString();
  const id = nameRun(startedAt, "attack");
  const events = new EventQueue<AttackEvent>();
  const result = attack(plan, options, { id, startedAt, events }).finally(() => events.end());
  // Whoever reads the events to their end asks for the result only then.
  result.catch(() => {});
  return { id, events, result };
}

interface Beginning {
  readonly id: string;
  readonly startedAt: string;
  readonly events: EventQueue<AttackEvent>;
}

async function attack(
  plan: AttackPlan,
  options: AttackOptions,
  { id, startedAt, events }: Beginning,
): Promise<AttackResult> {
  const board = new ProgressBoard(plan.workers);
  // Before all else: a process takes its time to start.
  const pool = openPool(plan, board, options.openLink);
  try {
    return await carryOut(plan, options, { id, startedAt, events, board, pool });
  } finally {
    await pool.end();
  }
}

function openPool(plan: AttackPlan, board: ProgressBoard, openLink: OpenLink | undefined): WorkerPool {
  return new WorkerPool({
    workers: plan.workers,
    onConnectProgress: (worker, progress) => board.noteConnect(worker, progress),
    onPhaseProgress: (worker, progress) => board.notePhase(worker, progress),
    ...(openLink === undefined ? {} : { openLink }),
  });
}

interface Begun extends Beginning {
  readonly board: ProgressBoard;
  readonly pool: WorkerPool;
}

async function carryOut(plan: AttackPlan, options: AttackOptions, begun: Begun): Promise<AttackResult> {
  const { resultsFolder, environment, command, warnings = [] } = options;
  const { id, startedAt, events, board } = begun;
  const initial: AttackResult = attackResultSchema.parse({
    schema: schemaVersion,
    id,
    startedAt,
    kind: "attack",
    finishedAt: null,
    progress: "running",
    command: [...command],
    plan: withoutSecrets(plan),
    environment: await environment,
    warnings: [...warnings],
    ...ok,
    ...describeAttack({
      plan,
      opens: [],
      loads: [],
      latency: board.latency,
      timeline: board.timeline.build(),
      startUs: null,
      elapsedMs: 0,
    }),
  });
  const { before, after, signal } = options;
  if (resultsFolder !== null) await checkResultsFolder(resultsFolder);
  if (before !== undefined) {
    events.push({ kind: "command", when: "before", command: before });
    await runBefore(before, signal);
  }
  const file: ResultFile<AttackResult> | null =
    resultsFolder === null
      ? null
      : await createCheckedFile(resultsFolder, initial, (one) => attackResultSchema.parse(one));
  let seen: Partial<AttackResult> = {};
  const told: Warning[] = [];
  try {
    seen = await load(plan, options, begun);
  } finally {
    await begun.pool.end();
    if (after !== undefined) {
      events.push({ kind: "command", when: "after", command: after });
      const exit = await runAfter(after);
      if (exit !== null) told.push({ kind: "command-failed", command: after, exit });
      for (const warning of told) events.push({ kind: "warning", warning });
    }
  }
  const result: AttackResult = attackResultSchema.parse({
    ...initial,
    warnings: [...warnings, ...told],
    finishedAt: new Date().toISOString(),
    progress: "ended",
    ...seen,
  });
  events.push({ kind: "ended", result });
  return file === null ? result : await file.write(result);
}

async function load(
  plan: AttackPlan,
  options: AttackOptions,
  { board, events, pool }: Begun,
): Promise<Partial<AttackResult>> {
  const { signal } = options;
  const epochUs = Math.floor(nowUs());
  const clockUs = () => nowUs() - epochUs;
  const tellSeconds = secondTeller(board, events);
  let opens: readonly OpenReport[] = [];
  let loads: readonly AttackReport[] = [];
  let startUs: number | null = null;
  let elapsedMs = 0;
  let ending: Ending = ok;
  try {
    await pool.setupAttack(setupsOf(plan, options, epochUs));
    opens = await openAll(plan, { pool, board, signal, events, clockUs });
    const opened = opens.reduce((all, one) => all + one.opened, 0);
    if (signal.aborted) {
      ending = stopped;
    } else if (opened === 0) {
      const failure = opens.flatMap(({ failures }) => failures)[0]?.failure ?? null;
      ending = { status: "failed", reason: { kind: "no-connection-opened", failure } };
    } else {
      startUs = Math.ceil(clockUs()) + leadMs * 1000;
      board.reset(loadSeconds(plan.load));
      pool.attack(startUs, addUp(opens.map(({ readyByRoom }) => readyByRoom)));
      const limits = options.abortOn ?? [];
      ending = await observe(plan, {
        pool,
        board,
        signal,
        events,
        clockUs,
        startUs,
        opened,
        tellSeconds,
        limits,
      });
      elapsedMs = (clockUs() - startUs) / 1000;
      if (ending.status === "ok") await Bun.sleep(stragglerMs);
    }
    loads = await pool.settleAttack();
    for (const [worker, report] of loads.entries()) board.notePhase(worker, report);
    tellSeconds(null);
    await pool.close();
  } catch (error) {
    const { failed } = pool;
    if (failed === null) throw error;
    ending = endingOf(failed);
  }
  const figures = describeAttack({
    plan,
    opens,
    loads,
    latency: board.latency,
    timeline: board.timeline.build(),
    startUs,
    elapsedMs,
  });
  return { ...judge(plan, figures, ending), ...figures };
}

/** Tells the seconds that ended before a moment of the load; all that are left at null. */
function secondTeller(board: ProgressBoard, events: EventQueue<AttackEvent>) {
  const seconds = new WholeSeconds();
  board.onSecond = (second) => seconds.add(second);
  let told = 0;
  return (endedMs: number | null): void => {
    const taken: readonly WholeSecond[] =
      endedMs === null ? seconds.takeRest() : seconds.take(Math.floor(endedMs / 1000));
    if (taken.length === 0) return;
    const { opened, died, reconnected } = board.connectTotals();
    const { errors } = board.phaseTotals();
    for (const second of taken) {
      events.push({ kind: "second", ...second, errors: errors - told, open: opened - died + reconnected });
      told = errors;
    }
  };
}

function setupsOf(plan: AttackPlan, options: AttackOptions, epochUs: number): AttackSetup[] {
  const { workers, sourceAddresses, connections, columns } = plan;
  const { rows = [], access } = options;
  return Array.from({ length: workers }, (_, worker) => {
    const share = { worker, workers };
    const own = columns.length === 0 ? 0 : countOwn(share, connections);
    return {
      ...share,
      connections,
      connectRatePerSecond: plan.connectRatePerSecond,
      target: {
        ...access,
        compression: plan.compression === "none" ? null : { takeover: plan.compression === "takeover" },
      },
      sourceAddresses,
      connectTimeoutMs: plan.connectTimeoutMs,
      load: plan.load,
      message: plan.message,
      messageEncoding: plan.messageEncoding,
      binary: plan.binary,
      reply: plan.reply,
      replyTimeoutMs: plan.replyTimeoutMs,
      columns,
      rows: Array.from({ length: own }, (__, place) => rows[indexOf(share, place)] ?? []),
      adapter: plan.adapter,
      rooms: plan.rooms,
      pingIntervalSeconds: plan.pingIntervalSeconds,
      reconnect: plan.reconnect,
      pacing: plan.pacing,
      seed: plan.seed,
      epochUs,
    };
  });
}

interface Watched {
  readonly pool: WorkerPool;
  readonly board: ProgressBoard;
  readonly signal: AbortSignal;
  readonly events: EventQueue<AttackEvent>;
  readonly clockUs: () => number;
}

async function openAll(
  plan: AttackPlan,
  { pool, board, signal, events, clockUs }: Watched,
): Promise<readonly OpenReport[]> {
  const requested = plan.connections;
  const tell = (kind: "connecting" | "connected") => {
    const { opened, failed } = board.connectTotals();
    events.push({ kind, requested, opened, failed });
  };
  const stop = () => pool.stopConnecting();
  signal.addEventListener("abort", stop, { once: true });
  const timer = setInterval(() => tell("connecting"), viewIntervalMs);
  try {
    // A worker that hears of it late opens at once what is due.
    const opening = pool.open(Math.ceil(clockUs()));
    if (signal.aborted) stop();
    const opens = await opening;
    for (const [worker, report] of opens.entries()) board.noteConnect(worker, report);
    tell("connected");
    return opens;
  } finally {
    clearInterval(timer);
    signal.removeEventListener("abort", stop);
  }
}

/** Until everything that is owed has come, or it is clear that it won't. */
async function observe(
  plan: AttackPlan,
  watched: Watched & {
    readonly startUs: number;
    readonly opened: number;
    readonly tellSeconds: (endedMs: number) => void;
    readonly limits: readonly AttackLimit[];
  },
): Promise<Ending> {
  const { pool, board, signal, events, clockUs, startUs } = watched;
  const totalMs = loadSeconds(plan.load) * 1000;
  let viewedUs = 0;
  let finishedUs: number | null = null;
  let answered = 0;
  for (;;) {
    await Bun.sleep(pollMs);
    const atUs = clockUs();
    const totals = board.phaseTotals();
    const { sent, expected, delivered, errors, finishedSending } = totals;
    if (atUs - viewedUs >= viewIntervalMs * 1000) {
      viewedUs = atUs;
      const latest = board.latest();
      events.push({
        kind: "load",
        elapsedMs: Math.max(0, (atUs - startUs) / 1000),
        totalMs,
        sent,
        answered: delivered,
        answeredPerSecond: latest.delivered,
        p50Us: latest.p50Us,
        p99Us: latest.p99Us,
        errors,
      });
      watched.tellSeconds((atUs - startUs) / 1000 - tellMs);
    }
    if (pool.failed !== null) return endingOf(pool.failed);
    if (signal.aborted) return stopped;
    const broken = findBroken(watched.limits, board);
    if (broken !== null) {
      const afterMs = Math.round((atUs - startUs) / 1000);
      return { status: "aborted", reason: { kind: "abort-on", ...broken, afterMs } };
    }
    if (finishedSending) {
      if (delivered >= expected) return ok;
      // As long as answers come, the last of them may.
      if (finishedUs === null || delivered !== answered) finishedUs = atUs;
      answered = delivered;
      if (atUs - finishedUs >= plan.replyTimeoutMs * 1000) return ok;
    }
    if (!plan.reconnect && board.connectTotals().died >= watched.opened) {
      return { status: "failed", reason: { kind: "all-connections-closed" } };
    }
  }
}

/** The first condition that is true, and of what value. */
function findBroken(limits: readonly AttackLimit[], board: ProgressBoard) {
  if (limits.length === 0) return null;
  const { failed, died } = board.connectTotals();
  const { expected, delivered, errors } = board.phaseTotals();
  const { delivered: answered, ...lastSecond } = board.latest();
  const soFar = {
    lastSecond: { answered, ...lastSecond },
    unanswered: expected - delivered,
    failed,
    closed: died,
    errors,
  };
  for (const limit of limits) {
    const value = limit.measure.live?.(soFar) ?? null;
    if (value !== null && holds(limit, value)) {
      return { expression: limit.expression, measure: limit.measure.name, value };
    }
  }
  return null;
}

function endingOf({ reason }: WorkerFault): Ending {
  return { status: "invalid", reason };
}

/** Whether the figures count: those of an open loop by how late it sent, of a closed one by its CPU time. */
function judge(
  plan: AttackPlan,
  { sendLagUs, latencyUs, generator, rate }: ReturnType<typeof describeAttack>,
  ending: Ending,
): Ending {
  if (ending.status !== "ok" || generator === null || rate === null) return ending;
  const { pacing, workers } = plan;
  const doubt =
    plan.load.kind === "open"
      ? findLateness({
          plan: { pacing, validityRule: true },
          sendLagP99Us: sendLagUs.p99,
          latencyP99Us: latencyUs.p99,
        })
      : findBottleneck({
          plan: { workers, workerCpus: null, serverCpus: null, validityRule: true },
          generator: { ...generator, otherCpuShare: null, idleCpuShare: null },
          // Nobody knows what the server used: that the generator used all it had is enough.
          serverCpuMs: 0,
          spanMs: rate.spanMs,
        });
  return doubt === null ? ending : { status: "invalid", reason: doubt };
}

function addUp(lists: readonly (readonly number[])[]): number[] {
  const [first = []] = lists;
  return first.map((_, at) => lists.reduce((all, list) => all + (list[at] ?? 0), 0));
}
