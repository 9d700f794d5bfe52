import { formatEntrant, programOf, type ResolvedEntrant } from "../contenders/entrants.ts";
import { ShowdownError } from "../errors.ts";
import { judge } from "../judgement/judge.ts";
import { nowUs } from "../machine/clock.ts";
import { preflight } from "../machine/doctor/preflight.ts";
import { pinProcess } from "../machine/pin.ts";
import { balancedOrder } from "../plan/order.ts";
import { agentsElsewhere, type Plan, processesOf } from "../plan/plan.ts";
import { throwIfAborted } from "../process/abort.ts";
import { type Reaper, startReaper } from "../process/reaper.ts";
import { checkResultsFolder } from "../result/file.ts";
import { agentReasonSchema, type Warning } from "../result/reasons.ts";
import { nameRun } from "../result/run-name.ts";
import { type Environment, type Result, type Round, schemaVersion } from "../result/schema.ts";
import { type Cache, openCache } from "./cache.ts";
import { measureCeilings } from "./ceiling.ts";
import { EventQueue } from "./event-queue.ts";
import type { RunEvent } from "./events.ts";
import { passGate, refusalOf } from "./gate.ts";
import { type Generator, thisMachine } from "./generator.ts";
import { readCalibration } from "./kept-calibration.ts";
import { type RoundOptions, runRound } from "./live-round.ts";
import { LookWatch, mostRounds } from "./look-watch.ts";
import { type Prepared, type PrepareOptions, prepareEntrants } from "./prepare.ts";
import { RunRecord } from "./run-record.ts";
import { findObstacle } from "./slices/obstacle.ts";
import { type RoundListener, runTogether } from "./slices/run-together.ts";

export interface RunOptions extends Pick<PrepareOptions, "install" | "ask" | "cacheDir" | "signal"> {
  /** Those that the plan names. */
  readonly entrants: readonly ResolvedEntrant[];
  readonly environment: Environment;
  /** The run gets a folder of its own in it. */
  readonly resultsFolder: string;
  /** The end of the run's id. */
  readonly label: string;
  /** As typed, for the result. */
  readonly command: readonly string[];
  /** Whether who breaks the contract takes no part. */
  readonly verify: boolean;
  /** What is known beforehand. */
  readonly warnings: readonly Warning[];
  /** With `--until`: the measures whose pairs must be decided before it ends; all that decide where absent. */
  readonly awaited?: readonly string[];
  /** This machine where absent. */
  readonly generator?: Generator;
  /** The share of its CPU time that is taken from an entrant's server; see src/trust/calibration.ts. */
  readonly handicapOf?: (entrant: ResolvedEntrant) => number;
}

export interface RunHandle {
  /** The name of the run, and of its folder. */
  readonly id: string;
  /** Everything that happens, for one reader; ends with the run. */
  readonly events: AsyncIterable<RunEvent>;
  /**
   * Finished, or aborted in the middle of its rounds.
   *
   * @throws {ShowdownError} `resultsFolder`, `nothingToRun`, `verifyFailed`, `portInUse`, `writing`; `aborted` where the
   * signal came before the first round
   */
  readonly result: Promise<Result>;
}

/**
 * A whole run: toolchains, builds, the gate, the generator's ceiling, every round, the result file and what may be
 * concluded. It prints nothing and ends no process but those it started; the calling process may run on the server's CPUs
 * again when it is over.
 */
export function startRun(plan: Plan, options: RunOptions): RunHandle {
  const startedAt = new Date().toISOString();
  const id = nameRun(startedAt, options.label);
  const events = new EventQueue<RunEvent>();
  const result = run(plan, options, { id, startedAt, events }).finally(() => events.end());
  // Whoever reads the events to their end asks for the result only then.
  result.catch(() => {});
  return { id, events, result };
}

interface Beginning {
  readonly id: string;
  readonly startedAt: string;
  readonly events: EventQueue<RunEvent>;
}

async function run(asked: Plan, options: RunOptions, { id, startedAt, events }: Beginning): Promise<Result> {
  const { environment, resultsFolder, cacheDir, signal } = options;
  const obstacle = asked.oneAtATime ? null : await findObstacle(asked, environment);
  const plan: Plan = obstacle === null ? asked : { ...asked, oneAtATime: true };
  const cache = openCache(cacheDir, (warning) => warn(warning));
  const record = new RunRecord(
    {
      schema: schemaVersion,
      id,
      startedAt,
      finishedAt: null,
      status: "running",
      command: [...options.command],
      plan,
      environment,
      ...describeFleet(options.generator),
      ceilings: null,
      contenders: [],
      rounds: [],
      looks: null,
      warnings: [],
      calibration: await readCalibration(cache),
      judgements: [],
    },
    resultsFolder,
  );
  const onEvent = (event: RunEvent) => {
    if (event.kind !== "warning" || record.warn(event.warning)) events.push(event);
  };
  const warn = (warning: Warning) => onEvent({ kind: "warning", warning });
  // Before anything is installed, built or started.
  await checkResultsFolder(resultsFolder);
  const warnings = await preflight(plan, environment);
  if (obstacle !== null) warn(obstacle);
  for (const warning of [...options.warnings, ...warnings]) warn(warning);
  const reaper = startReaper();
  const work: Work = { plan, options, record, cache, reaper, onEvent };
  try {
    const built = await prepareEntrants(options.entrants, { ...options, onEvent });
    const ready = options.verify ? await verifyAll(work, built) : built;
    await record.keep({ contenders: ready.map(({ facts }) => facts) });
    onEvent({ kind: "preparing", step: "ceiling", contender: null });
    // What a fleet could receive is not known here.
    const ceilings =
      agentsElsewhere(plan) === null
        ? await measureCeilings({ plan, environment, cache, reaper, signal })
        : null;
    throwIfAborted(signal);
    await record.keep({ ceilings });
    await record.open();
    await runRounds(
      work,
      ready.filter(({ facts }) => facts.notRun === null),
    );
    const loss = options.generator?.fleet?.loss ?? null;
    if (loss !== null) warn({ kind: "fleet-lost", reason: agentReasonSchema.parse(loss) });
    const status = signal.aborted || loss !== null ? "aborted" : "finished";
    await record.keep({
      ...{ status, finishedAt: new Date().toISOString(), looks: endLooks(record.result) },
      // As they were at the end.
      ...describeFleet(options.generator),
    });
    await record.keep({ judgements: judge(record.result) });
    return record.result;
  } catch (error) {
    // The file must not say for ever that the run goes on. If even that can't be written, the first error counts.
    record.warn({ kind: "ended-by-error", message: error instanceof Error ? error.message : String(error) });
    await record.keep({ status: "aborted", finishedAt: new Date().toISOString() }).catch(() => {});
    throw error;
  } finally {
    await reaper.stop();
  }
}

function describeFleet(generator: Generator | undefined): Pick<Result, "fleet"> {
  const fleet = generator?.fleet ?? null;
  if (generator === undefined || fleet === null) return {};
  const agents = fleet.agents.map(({ id, name, cpuCount, clock }, agent) => ({
    agent,
    id,
    name,
    cpuCount,
    clock,
  }));
  return { fleet: { bus: fleet.bus, serverAddress: generator.serverHost, agents } };
}

/** Whatever the looks said of going on, the user had the last word. */
function endLooks({ looks }: Result): Result["looks"] {
  return looks === null ? null : { ...looks, ended: looks.ended ?? "stopped" };
}

interface Work {
  readonly plan: Plan;
  readonly options: RunOptions;
  readonly record: RunRecord;
  readonly cache: Cache;
  readonly reaper: Reaper;
  readonly onEvent: (event: RunEvent) => void;
}

/** The gate: verified contenders compete, with what they failed beside their numbers. */
async function verifyAll({ plan, options, cache, reaper, onEvent }: Work, built: readonly Prepared[]) {
  const { environment, signal } = options;
  const { readyMs } = plan.timeouts;
  const verified: Prepared[] = [];
  for (const one of built) {
    const { entrant, facts } = one;
    if (facts.notRun !== null) {
      verified.push(one);
      continue;
    }
    const { contender, variant } = entrant;
    onEvent({ kind: "preparing", step: "verify", contender: formatEntrant(entrant) });
    const verification = await passGate({ entrant, facts, environment, cache, reaper, readyMs, signal });
    throwIfAborted(signal);
    const reason = refusalOf(verification);
    verified.push({ entrant, facts: { ...facts, verified: verification, notRun: reason } });
    if (reason !== null) onEvent({ kind: "not-run", contender, variant, reason });
  }
  if (verified.every(({ facts }) => facts.notRun !== null)) {
    throw new ShowdownError("verifyFailed", "no contender keeps the contract", {
      hint: 'see "showdown verify CONTENDER", or measure them all the same with --no-verify',
    });
  }
  return verified;
}

/** Every entrant in every round, in a balanced order; the result file is true after each phase. */
async function runRounds(
  { plan, options, record, reaper, onEvent }: Work,
  ready: readonly Prepared[],
): Promise<void> {
  const { environment, signal, handicapOf, generator = thisMachine } = options;
  const entrants = ready.map(({ entrant }) => entrant);
  const watch =
    plan.untilPercent === null ? null : new LookWatch({ plan, record, onEvent, awaited: options.awaited });
  const epochUs = Math.floor(nowUs());
  const begun = new Map<number, Round>();
  const keep = async (round: Round) => {
    begun.set(round.position, round);
    await record.keep({ rounds: [...begun.values()].sort((a, b) => a.position - b.position) });
  };
  const describe = (entrant: ResolvedEntrant, round: number, position: number): RoundOptions => ({
    contender: entrant.contender,
    variant: entrant.variant,
    round,
    position,
    plan,
    server: entrant.address ?? programOf(entrant, processesOf(plan, entrant)),
    framing: entrant.framing,
    environment,
    epochUs,
    generator,
    reaper,
    signal,
    onEvent,
    ceilings: record.result.ceilings,
    handicapShare: handicapOf?.(entrant) ?? 0,
    onPhase: keep,
  });
  const onStart = ({ contender, variant, round, position }: RoundOptions) => {
    const rounds = watch?.mostRounds ?? plan.rounds;
    const positions = rounds * entrants.length;
    onEvent({ kind: "round-started", contender, variant, position, positions, round, rounds });
  };
  const onEnd = async (round: Round) => {
    await keep(round);
    onEvent({ kind: "round-ended", round });
  };
  const work = new Map<number, number>();
  const unpin = keepOffServerCpus(plan);
  try {
    const order = balancedOrder(entrants, watch === null ? plan.rounds : mostRounds, plan.seed);
    for (const [at, row] of order.entries()) {
      const rounds = row.map((entrant, index) => describe(entrant, at + 1, at * row.length + index + 1));
      if (plan.oneAtATime) await runInTurn(rounds, { onStart, onEnd });
      else await runTogether(rounds, { work, onStart, onEnd });
      if (signal.aborted || isOut(generator)) return;
      if (watch !== null && !(await watch.goesOn(at + 1))) return;
    }
  } finally {
    unpin();
  }
}

/** Each contender with nobody else alive. */
async function runInTurn(rounds: readonly RoundOptions[], { onStart, onEnd }: RoundListener): Promise<void> {
  for (const round of rounds) {
    if (round.signal.aborted || isOut(round.generator)) return;
    onStart(round);
    await onEnd(await runRound(round));
  }
}

/** With an agent less it would be other work. */
function isOut({ fleet }: Generator): boolean {
  return fleet !== null && fleet.loss !== null;
}

/** This process merges what the workers tell, and starts helpers: none of that may take the server's CPU time. */
function keepOffServerCpus({ serverCpus, workerCpus }: Plan): () => void {
  if (serverCpus === null || workerCpus === null || pinProcess(workerCpus) !== null) return () => {};
  return () => void pinProcess([...serverCpus, ...workerCpus]);
}
