import { resolve } from "node:path";
import type { AttackReport, AttackSetup, OpenReport } from "../engine/attack/attack-orders.ts";
import { countOwn, indexOf, type Share } from "../engine/places.ts";
import type { Target } from "../engine/target.ts";
import type { WorkerFault } from "../engine/worker-fault.ts";
import type { OpenLink } from "../engine/worker-link.ts";
import { WorkerPool } from "../engine/worker-pool.ts";
import { nowUs } from "../machine/clock.ts";
import { type AttackLimit, holds } from "../measures/attack-measures.ts";
import { type AttackPlan, withoutSecrets } from "../plan/attack/plan.ts";
import { loadSeconds } from "../plan/attack/rate.ts";
import { type AttackResult, attackResultSchema } from "../result/attack.ts";
import { checkResultsFolder, createCheckedFile, type ResultFile } from "../result/file.ts";
import type { Warning } from "../result/reasons.ts";
import { nameRun } from "../result/run-name.ts";
import { type Environment, schemaVersion } from "../result/schema.ts";
import { EventQueue } from "../run/event-queue.ts";
import { connectBatches } from "../run/phases/orders.ts";
import { ProgressBoard } from "../run/phases/progress-board.ts";
import { TimelineBuilder } from "../run/phases/timeline.ts";
import { Histogram } from "../stats/histogram.ts";
import { type AttackEvidence, describeAttack } from "./attack-figures.ts";
import { runAfter, runBefore } from "./commands.ts";
import { type Ending, judge, ok, stopped } from "./ending.ts";
import type { AttackEvent } from "./events.ts";
import { ScenarioBoard } from "./scenario-board.ts";
import { checkSources, settleAddress } from "./settle-address.ts";
import { StageFigures } from "./stage-figures.ts";
import { countOfShare, whole } from "./totals.ts";
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
  /** The part of one of several machines: `worker` of `workers` stands for it. The whole attack where absent. */
  readonly share?: Share;
  /** How a worker is started and reached; a child process where nothing is said. */
  readonly openLink?: OpenLink;
}

/** What an attack is written down with. */
export type RecordOptions = Pick<
  AttackOptions,
  "environment" | "resultsFolder" | "command" | "warnings" | "before" | "after" | "signal" | "share"
>;

export interface AttackHandle {
  /** The name of the attack, and of its folder. */
  readonly id: string;
  /** Everything that happens, for one reader; ends with the attack. */
  readonly events: AsyncIterable<AttackEvent>;
  /**
   * @throws {ShowdownError} `resultsFolder`, `writing`; `usage` for source addresses that can't be used; `attackFailed`
   *   where the command before it fails
   */
  readonly result: Promise<AttackResult>;
}

const pollMs = 100;
const viewIntervalMs = 250;
/** After its end, until each worker must have told of a second: they tell every 200 ms. */
const tellMs = 400;
/** For the start to reach every worker. */
const leadMs = 50;
/** What comes a second time comes behind what everyone waited for. */
const stragglerMs = 50;
/** Workers report every 200 ms, and this process looks every 20 ms: one that is silent for so long is stuck. */
const stuckMs = 10_000;
const unheardMs = 1000;

const allClosed: Ending = { status: "failed", reason: { kind: "all-connections-closed" } };

/** What has to be known to carry out an attack, or a part of it. */
export type LoadOptions = Pick<
  AttackOptions,
  "rows" | "access" | "abortOn" | "signal" | "share" | "openLink"
> & {
  /**
   * Asked as soon as the connections are open: when the load begins, on the machine's clock, and how many ready
   * connections each room has over all parts; null where it does not begin. At once where absent.
   */
  readonly begin?: (opens: readonly OpenReport[]) => Promise<Start | null>;
  /** What others send arrives here too: nothing owed says when all has come. */
  readonly awaitsOthers?: boolean;
  /** Gets to see where it is, all the time. */
  readonly onBoard?: (board: ProgressBoard) => void;
};

export interface Start {
  /** On the machine's clock, in microseconds. */
  readonly startUs: number;
  readonly members: readonly number[];
}

/** What a part of an attack came to. */
export interface Measured {
  readonly evidence: AttackEvidence;
  readonly ending: Ending;
}

/** Opens connections to a server that runs already, loads it, and accounts for every answer. Prints nothing. */
export function startAttack(plan: AttackPlan, options: AttackOptions): AttackHandle {
  return handleAttack((beginning) => attack(plan, options, beginning));
}

/** An attack that begins now, whoever carries it out. */
export function handleAttack(
  carryOut: (beginning: Beginning) => Promise<AttackResult>,
  startedAt = new Date().toISOString(),
): AttackHandle {
  const id = nameRun(startedAt, "attack");
  const events = new EventQueue<AttackEvent>();
  const result = carryOut({ id, startedAt, events }).finally(() => events.end());
  // Whoever reads the events to their end asks for the result only then.
  result.catch(() => {});
  return { id, events, result };
}

export interface Beginning {
  readonly id: string;
  readonly startedAt: string;
  readonly events: EventQueue<AttackEvent>;
}

async function attack(
  plan: AttackPlan,
  options: AttackOptions,
  { id, startedAt, events }: Beginning,
): Promise<AttackResult> {
  const workers = countOwn(options.share ?? whole, plan.workers);
  const board = new ProgressBoard(workers);
  // Before all else: a process takes its time to start.
  const scenario = plan.scenario === null ? null : new ScenarioBoard(workers);
  const pool = openPool({ workers, board, scenario }, options.openLink);
  try {
    return await carryOut(plan, options, { id, startedAt, events, board, scenario, pool });
  } finally {
    await pool.end();
  }
}

/** A part of an attack, of which nothing is written. */
export async function measureShare(
  plan: AttackPlan,
  options: LoadOptions & { readonly share: Share },
  events: EventQueue<AttackEvent>,
): Promise<Measured> {
  const workers = countOwn(options.share, plan.workers);
  const board = new ProgressBoard(workers);
  options.onBoard?.(board);
  // A scenario is of one machine.
  const scenario = null;
  const pool = openPool({ workers, board, scenario }, options.openLink);
  try {
    const { access } = await settleAddress(plan, options.access);
    return await load(plan, { ...options, access }, { board, scenario, pool, events });
  } finally {
    await pool.end();
    events.end();
  }
}

function openPool(
  { workers, board, scenario }: { readonly workers: number } & Pick<Equipment, "board" | "scenario">,
  openLink: OpenLink | undefined,
): WorkerPool {
  return new WorkerPool({
    workers,
    onConnectProgress: (worker, progress) => board.noteConnect(worker, progress),
    onPhaseProgress: (worker, progress) => {
      board.notePhase(worker, progress);
      scenario?.note(worker, progress.scenario);
    },
    ...(openLink === undefined ? {} : { openLink }),
  });
}

interface Equipment {
  readonly events: EventQueue<AttackEvent>;
  readonly board: ProgressBoard;
  /** Null where messages are sent without one. */
  readonly scenario: ScenarioBoard | null;
  readonly pool: WorkerPool;
}
type Begun = Beginning & Equipment;

async function carryOut(asked: AttackPlan, options: AttackOptions, begun: Begun): Promise<AttackResult> {
  await checkSources(asked);
  return await keepRecord(asked, options, begun, async () => {
    // Only now: it may be the command before it that starts the server.
    const { plan, access } = await settleAddress(asked, options.access);
    const { evidence, ending } = await load(plan, { ...options, access }, begun);
    await begun.pool.end();
    const figures = describeAttack(evidence);
    const workers = countOwn(options.share ?? whole, plan.workers);
    return { plan: withoutSecrets(plan), ...judge({ ...plan, workers }, figures, ending), ...figures };
  });
}

/** The record of an attack that is carried out meanwhile, and the commands before and after it. */
export async function keepRecord(
  plan: AttackPlan,
  options: RecordOptions,
  { id, startedAt, events }: Beginning,
  carryOut: (note: (seen: Partial<AttackResult>) => Promise<void>) => Promise<Partial<AttackResult>>,
): Promise<AttackResult> {
  const { resultsFolder, environment, command, warnings = [] } = options;
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
    share: options.share === undefined ? null : { index: options.share.worker, of: options.share.workers },
    ...ok,
    ...describeAttack({ ...noEvidence(plan), ...shareOf(options) }),
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
    seen = await carryOut(async (changes) => {
      if (file !== null) await file.write(attackResultSchema.parse({ ...initial, ...changes }));
    });
  } finally {
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

/** Before anything was measured. */
export function noEvidence(plan: AttackPlan): AttackEvidence {
  return {
    ...{ plan, opens: [], loads: [], startUs: null, elapsedMs: 0 },
    latency: new Histogram(),
    timeline: new TimelineBuilder(),
  };
}

async function load(
  plan: AttackPlan,
  options: LoadOptions,
  { board, scenario, events, pool }: Equipment,
): Promise<Measured> {
  const { signal, begin } = options;
  const epochUs = Math.floor(nowUs());
  const clockUs = () => nowUs() - epochUs;
  const stages = new StageFigures(plan.connectionStages);
  const tellSeconds = secondTeller({ board, scenario, stages }, events);
  let opens: readonly OpenReport[] = [];
  let loads: readonly AttackReport[] = [];
  let startUs: number | null = null;
  let elapsedMs = 0;
  let ending: Ending = ok;
  try {
    await pool.setupAttack(setupsOf(plan, options, epochUs));
    // Of stages the first one: the others come with the load.
    const first = plan.connectionStages === null ? plan.connections : 1;
    const requested = countOfShare(options.share ?? whole, plan, first);
    // A scenario opens its own.
    if (scenario === null) opens = await openAll(requested, { pool, board, signal, events, clockUs });
    const opened = opens.reduce((all, one) => all + one.opened, 0);
    if (signal.aborted) {
      ending = stopped;
    } else if (opened === 0 && scenario === null && begin === undefined) {
      ending = noneOpened(opens);
    } else {
      const start = begin === undefined ? startSoon(opens) : await begin(opens);
      if (start === null) {
        ending = opened === 0 ? noneOpened(opens) : stopped;
      } else {
        startUs = Math.ceil(start.startUs - epochUs);
        board.reset(loadSeconds(plan.load));
        pool.attack({ startUs, members: start.members, near: countMembers(opens) });
        ending = await observe(plan, {
          ...{ pool, board, scenario, signal, events, clockUs, startUs, opened, tellSeconds },
          limits: options.abortOn ?? [],
          awaitsOthers: options.awaitsOthers ?? false,
        });
        elapsedMs = (clockUs() - startUs) / 1000;
        if (ending.status === "ok") await Bun.sleep(stragglerMs);
      }
    }
    loads = await pool.settleAttack();
    for (const [worker, report] of loads.entries()) {
      board.notePhase(worker, report);
      scenario?.note(worker, report.scenario);
    }
    if (scenario !== null) opens = loads.flatMap((one) => one.scenarioEnd?.opening ?? []);
    tellSeconds(null);
    await pool.close();
  } catch (error) {
    const { failed } = pool;
    if (failed === null) throw error;
    ending = endingOf(failed);
  }
  const { latency, timeline } = board;
  const seen = { opens, loads, latency, timeline, stages, scenario, startUs, elapsedMs };
  return { evidence: { plan, ...shareOf(options), ...seen }, ending };
}

function noneOpened(opens: readonly OpenReport[]): Ending {
  const failure = opens.flatMap(({ failures }) => failures)[0]?.failure ?? null;
  return { status: "failed", reason: { kind: "no-connection-opened", failure } };
}

/** As soon as every worker can have heard of it. */
function startSoon(opens: readonly OpenReport[]): Start {
  return { startUs: nowUs() + leadMs * 1000, members: countMembers(opens) };
}

/** Ready connections of each room. */
export function countMembers(opens: readonly Pick<OpenReport, "readyByRoom">[]): number[] {
  return addUp(opens.map(({ readyByRoom }) => readyByRoom));
}

/** Tells the seconds that ended before a moment of the load; all that are left at null. */
export function secondTeller(
  {
    board,
    scenario,
    stages,
  }: Pick<Equipment, "board" | "scenario"> & { readonly stages: StageFigures | null },
  events: EventQueue<AttackEvent>,
) {
  const seconds = new WholeSeconds();
  board.onSecond = (second) => {
    seconds.add(second);
    stages?.add(second);
  };
  let told = 0;
  return (endedMs: number | null): void => {
    const taken: readonly WholeSecond[] =
      endedMs === null ? seconds.takeRest() : seconds.take(Math.floor(endedMs / 1000));
    if (taken.length === 0) return;
    const { open } = board.connectTotals();
    const { errors, expected, delivered } = board.phaseTotals();
    const unanswered = Math.max(0, expected - delivered);
    for (const second of taken) {
      const news = scenario === null ? {} : { scenario: scenario.takeNews() };
      events.push({ kind: "second", ...second, errors: errors - told, open, unanswered, ...news });
      told = errors;
    }
  };
}

function shareOf({ share }: Pick<AttackOptions, "share">) {
  return share === undefined ? {} : { share };
}

function setupsOf(plan: AttackPlan, options: LoadOptions, epochUs: number): AttackSetup[] {
  const { workers, sourceAddresses, connections, columns } = plan;
  const { connectBatch } = plan;
  const batches = connectBatch === null ? null : connectBatches({ connectBatch, workers });
  const { rows = [], access, share: own = whole } = options;
  return Array.from({ length: countOwn(own, workers) }, (_, at) => {
    const share = { worker: indexOf(own, at), workers };
    const withRows = columns.length === 0 ? 0 : countOwn(share, connections);
    return {
      ...share,
      machines: own.workers,
      connections,
      connectRatePerSecond: plan.connectRatePerSecond,
      connectionStages: plan.connectionStages,
      target: {
        ...access,
        compression: plan.compression === "none" ? null : { takeover: plan.compression === "takeover" },
      },
      sourceAddresses,
      connectBatch: batches?.[share.worker] ?? null,
      connectTimeoutMs: plan.connectTimeoutMs,
      load: plan.load,
      message: plan.message,
      messageEncoding: plan.messageEncoding,
      binary: plan.binary,
      reply: plan.reply,
      replyTimeoutMs: plan.replyTimeoutMs,
      columns,
      rows: Array.from({ length: withRows }, (__, place) => rows[indexOf(share, place)] ?? []),
      adapter: plan.adapter,
      scenario: plan.scenario === null ? null : resolve(plan.scenario),
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
  requested: number,
  { pool, board, signal, events, clockUs }: Watched,
): Promise<readonly OpenReport[]> {
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
    readonly scenario: ScenarioBoard | null;
    readonly startUs: number;
    readonly opened: number;
    readonly tellSeconds: (endedMs: number) => void;
    readonly limits: readonly AttackLimit[];
    readonly awaitsOthers: boolean;
  },
): Promise<Ending> {
  const { pool, board, scenario, signal, events, clockUs, startUs } = watched;
  const totalMs = loadSeconds(plan.load) * 1000;
  let viewedUs = 0;
  let finishedUs: number | null = null;
  let answered = 0;
  let unheardLooks = 0;
  for (;;) {
    await Bun.sleep(pollMs);
    const atUs = clockUs();
    const totals = board.phaseTotals();
    const { expected, delivered, finishedSending } = totals;
    if (atUs - viewedUs >= viewIntervalMs * 1000) {
      viewedUs = atUs;
      events.push(describeMoment(board, (atUs - startUs) / 1000, totalMs));
      watched.tellSeconds((atUs - startUs) / 1000 - tellMs);
    }
    // By looks, not by the clock: a process that was suspended itself would find everybody silent.
    unheardLooks = board.longestUnheardMs() < unheardMs ? 0 : unheardLooks + 1;
    if (unheardLooks * pollMs >= stuckMs) {
      const why = scenario === null ? "" : ": the scenario computes, or loops without awaiting anything";
      pool.giveUp(board.quietest(), `it told nothing for ${stuckMs / 1000} s${why}`);
    }
    if (pool.failed !== null) return endingOf(pool.failed);
    if (signal.aborted) return stopped;
    const broken = findBroken(watched.limits, board, scenario);
    if (broken !== null) {
      const afterMs = Math.round((atUs - startUs) / 1000);
      return { status: "aborted", reason: { kind: "abort-on", ...broken, afterMs } };
    }
    if (finishedSending) {
      // A scenario says itself when all are through.
      if (scenario !== null) return ok;
      if (delivered >= expected && !watched.awaitsOthers) return endOf(plan, board);
      // As long as answers come, the last of them may.
      if (finishedUs === null || delivered !== answered) finishedUs = atUs;
      answered = delivered;
      if (atUs - finishedUs >= plan.replyTimeoutMs * 1000) return endOf(plan, board);
    }
    // Where stages or a scenario open more there is hope until the end.
    const opensMore = plan.connectionStages !== null || plan.reconnect || scenario !== null;
    if (!opensMore && watched.opened > 0 && board.connectTotals().died >= watched.opened) {
      return allClosed;
    }
  }
}

/** Of a load that went on to its end. */
function endOf({ connectionStages, reconnect }: AttackPlan, board: ProgressBoard): Ending {
  const { opened, died } = board.connectTotals();
  return connectionStages !== null && !reconnect && died > 0 && died >= opened ? allClosed : ok;
}

/** Where the load is, for who watches. */
export function describeMoment(board: ProgressBoard, elapsedMs: number, totalMs: number): AttackEvent {
  const { sent, expected, delivered, errors } = board.phaseTotals();
  const { delivered: answeredPerSecond, p50Us, p99Us } = board.latest();
  return {
    ...{ kind: "load", elapsedMs: Math.max(0, elapsedMs), totalMs },
    ...{ sent, answered: delivered, answeredPerSecond, p50Us, p99Us, errors },
    ...{ unanswered: Math.max(0, expected - delivered), open: board.connectTotals().open },
  };
}

/** The first condition that is true, and of what value. */
export function findBroken(
  limits: readonly AttackLimit[],
  board: ProgressBoard,
  scenario: ScenarioBoard | null = null,
) {
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
    scenario: scenario?.soFar() ?? null,
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

function addUp(lists: readonly (readonly number[])[]): number[] {
  const [first = []] = lists;
  return first.map((_, at) => lists.reduce((all, list) => all + (list[at] ?? 0), 0));
}
