import { type Ending, stopped } from "../../attack/ending.ts";
import {
  type AttackHandle,
  type AttackOptions,
  type Beginning,
  countMembers,
  describeMoment,
  findBroken,
  handleAttack,
  keepRecord,
  type RecordOptions,
  secondTeller,
} from "../../attack/start-attack.ts";
import { nowUs } from "../../machine/clock.ts";
import type { AttackPlan } from "../../plan/attack/plan.ts";
import { loadSeconds } from "../../plan/attack/rate.ts";
import type { AttackResult, FleetFacts } from "../../result/attack.ts";
import { AgentClock, type ClockEstimate, leadMsOf } from "../agent-clock.ts";
import type { Bus } from "../bus.ts";
import type { Gathered, Member } from "../gather.ts";
import { type Start, say, subjects } from "../messages.ts";
import { Crew } from "./crew.ts";
import { mergeParts } from "./merge.ts";

export interface FleetOptions extends RecordOptions, Pick<AttackOptions, "rows" | "access" | "abortOn"> {
  readonly bus: Bus;
  /** As it is shown. */
  readonly busName: string;
  readonly gathered: Gathered;
  /** What one agent's connections are sent may come of another's messages. */
  readonly awaitsOthers: boolean;
  readonly awayMs: number;
}

const pollMs = 50;
const viewMs = 250;
const collectMs = 250;
/** From a beat that tells of a second to the end of it. */
const tellMs = 1500;
const assignMs = 10_000;
/** Than the rate of connections says, where they wait for each other. */
const mostSlowdown = 10;
/** Beyond what connections may take to open. */
const readyMs = 30_000;
/** Whoever resumes hears of each agent that is there within it. */
const resumeMs = 8000;
const callMs = 2000;

/** An attack by all agents together. Prints nothing. They are let go at its end. */
export function startFleetAttack(plan: AttackPlan, options: FleetOptions): AttackHandle {
  const { gathered } = options;
  return handleAttack(
    async (beginning) =>
      await keepRecord(plan, options, beginning, async (note) => {
        const crew = new Crew(options.bus, gathered.start, gathered.members);
        const facts: FleetRecord = { epoch: gathered.start.epoch, bus: options.busName, start: null };
        const { events } = beginning;
        try {
          const begun = await begin(plan, options, { crew, facts, events, note });
          gathered.letGo();
          return await end(plan, options, { ...begun, crew, facts, events });
        } catch (error) {
          await gathered.release();
          throw error;
        }
      }),
    gathered.startedAt,
  );
}

type FleetRecord = { -readonly [Key in keyof FleetFacts]: FleetFacts[Key] };

interface Conducted {
  readonly crew: Crew;
  readonly facts: FleetRecord;
  readonly events: Beginning["events"];
}

/** When the load began. */
interface Begun {
  /** By `performance.now()`; null where it did not. */
  readonly startMs: number | null;
  /** By the coordinator's clock, and by each agent's own; null where it is not known. */
  readonly clocks: { readonly startUs: number; readonly startsUs: readonly number[] } | null;
  readonly ending: Ending | null;
}

async function begin(
  plan: AttackPlan,
  options: FleetOptions,
  {
    crew,
    facts,
    events,
    note,
  }: Conducted & { readonly note: (seen: Partial<AttackResult>) => Promise<void> },
): Promise<Begun> {
  const { gathered, signal, access, awaitsOthers } = options;
  const { members } = gathered;
  const notBegun = async (ending: Ending | null): Promise<Begun> => {
    await crew.stop();
    return { startMs: null, clocks: null, ending };
  };
  const rows = shareRows(plan, options.rows ?? [], members.length);
  const agents = members.length;
  await crew.askAll(
    (agent) => ({ kind: "assign", agent, agents, plan, access, rows: rows[agent] ?? [], awaitsOthers }),
    performance.now() + assignMs,
  );
  const untilMs =
    performance.now() +
    // Stages open connections otherwise, and no fleet has them.
    (plan.connections / (plan.connectRatePerSecond ?? plan.connections)) * 1000 * slowdownOf(plan) +
    plan.connectTimeoutMs +
    readyMs;
  let viewedMs = 0;
  const tell = (kind: "connecting" | "connected") => {
    const { opened, failed } = crew.board.connectTotals();
    events.push({ kind, requested: plan.connections, opened, failed });
  };
  while (!crew.areReady) {
    await Bun.sleep(pollMs);
    if (signal.aborted) return await notBegun(stopped);
    await crew.findLost();
    // Whoever is missing now, nothing has been sent yet: the others need not.
    if (crew.loss !== null) return await notBegun({ status: "invalid", reason: crew.loss });
    if (crew.hasEndedEarly) return await notBegun(null);
    if (performance.now() > untilMs) return await notBegun({ status: "invalid", reason: crew.slowest() });
    if (performance.now() - viewedMs >= viewMs) {
      viewedMs = performance.now();
      tell("connecting");
    }
  }
  tell("connected");
  if (crew.board.connectTotals().opened === 0) return await notBegun(null);
  // Now that connections are open it is quieter than it was.
  await crew.readClocks();
  const leadMs = leadMsOf(members);
  const startUs = nowUs() + leadMs * 1000;
  const startMs = performance.now() + leadMs;
  const startsUs = members.map(({ clock }) => startUs + (clock.at(startUs)?.offsetUs ?? 0));
  facts.start = { leadMs, ...skewOf(startsUs, crew.clocksAt(startUs)) };
  // Whoever resumes needs to know who was in it.
  await note({ fleet: facts, parts: crew.parts() });
  const total = countMembers(crew.members().map((readyByRoom) => ({ readyByRoom })));
  await crew.askAll(
    (agent) => ({ kind: "start", startUs: startsUs[agent] ?? startUs, members: total }),
    startMs,
  );
  crew.board.reset(loadSeconds(plan.load));
  if (crew.loss === null) return { startMs, clocks: { startUs, startsUs }, ending: null };
  await crew.stop();
  return { startMs, clocks: { startUs, startsUs }, ending: { status: "invalid", reason: crew.loss } };
}

/** With so many at a time as the server bears, opening may take longer than its rate says. */
function slowdownOf({ connectBatch }: AttackPlan): number {
  return connectBatch === null ? 1 : mostSlowdown;
}

/** Watches the load to its end, takes all results, and adds them up. */
async function end(
  plan: AttackPlan,
  options: Pick<FleetOptions, "abortOn" | "signal" | "bus" | "awayMs">,
  begun: Conducted & Begun & { readonly onPoll?: () => void; readonly patienceMs?: number },
): Promise<Partial<AttackResult>> {
  const { crew, facts, events, startMs, clocks } = begun;
  const { bus, signal, awayMs, abortOn = [] } = options;
  const totalMs = loadSeconds(plan.load) * 1000;
  const tellSeconds = secondTeller({ board: crew.board, scenario: null, stages: null }, events);
  let ending = begun.ending;
  let [viewedMs, collectedMs] = [0, 0];
  let awaySinceMs: number | null = null;
  let isBusLost = false;
  let isStopping = false;
  const stop = (why: Ending) => {
    ending ??= why;
    if (!isStopping) void crew.stop();
    isStopping = true;
  };
  while (!crew.isSettled) {
    await Bun.sleep(pollMs);
    begun.onPoll?.();
    const nowMs = performance.now();
    const elapsedMs = startMs === null ? 0 : nowMs - startMs;
    if (startMs !== null && nowMs - viewedMs >= viewMs) {
      viewedMs = nowMs;
      events.push(describeMoment(crew.board, elapsedMs, totalMs));
      tellSeconds(elapsedMs - tellMs);
    }
    await crew.findLost(begun.patienceMs);
    if (nowMs - collectedMs >= collectMs) {
      collectedMs = nowMs;
      await crew.collect(begun.onPoll !== undefined);
    }
    if (signal.aborted) stop(stopped);
    const broken = isStopping ? null : findBroken(abortOn, crew.board);
    if (broken !== null) {
      stop({ status: "aborted", reason: { kind: "abort-on", ...broken, afterMs: Math.round(elapsedMs) } });
    }
    awaySinceMs = bus.connectedMs === null ? (awaySinceMs ?? nowMs) : null;
    // While the load goes on there is nothing to be had from it.
    const missedSinceMs = Math.max(awaySinceMs ?? nowMs, startMs === null ? 0 : startMs + totalMs);
    isBusLost = nowMs - missedSinceMs > awayMs;
    if (isBusLost) crew.loseBus(Math.round(nowMs - missedSinceMs));
  }
  tellSeconds(null);
  let endUs = nowUs();
  // Where the bus is gone, agents keep what they have for whoever resumes.
  if (!isBusLost) {
    await crew.readClocks();
    endUs = nowUs();
    await crew.acknowledge();
  }
  let clockErrorUs: number | null = null;
  if (facts.start !== null && clocks !== null) {
    const known = [clocks.startUs, endUs].map((momentUs) => crew.clocksAt(momentUs));
    const skews = known.map((one) => skewOf(clocks.startsUs, one));
    facts.start = { ...facts.start, ...skews[0] };
    // In between clocks are taken to run evenly, however wrongly.
    if (!known.flat().includes(null)) {
      clockErrorUs = Math.max(...skews.map(({ skewUs, errorUs }) => skewUs + errorUs));
    }
  }
  const merged = mergeParts(plan, crew.ends(), { decided: ending, clockErrorUs });
  return { ...merged, fleet: facts };
}

/** How far apart agents began, by the best that is known of their clocks. */
function skewOf(
  startsUs: readonly number[],
  clocks: readonly (ClockEstimate | null)[],
): { skewUs: number; errorUs: number } {
  const known = clocks.flatMap((clock, agent) =>
    clock === null ? [] : [{ atUs: (startsUs[agent] ?? 0) - clock.offsetUs, errorUs: clock.errorUs }],
  );
  if (known.length < 2) return { skewUs: 0, errorUs: 0 };
  const times = known.map(({ atUs }) => atUs);
  const errors = known.map(({ errorUs }) => errorUs).sort((a, b) => b - a);
  return {
    skewUs: Math.round(Math.max(...times) - Math.min(...times)),
    errorUs: Math.ceil((errors[0] ?? 0) + (errors[1] ?? 0)),
  };
}

/** Each agent's own: connection i belongs to worker i modulo workers, and that one to its number modulo agents. */
function shareRows(
  { workers, columns }: AttackPlan,
  rows: readonly (readonly string[])[],
  agents: number,
): [number, string[]][][] {
  const shared = Array.from({ length: agents }, (): [number, string[]][] => []);
  if (columns.length === 0) return shared;
  for (const [index, row] of rows.entries()) shared[(index % workers) % agents]?.push([index, [...row]]);
  return shared;
}

export interface ResumeOptions {
  readonly bus: Bus;
  /** Of an attack that was cut off. */
  readonly cutOff: AttackResult & { readonly fleet: FleetFacts };
  readonly resultsFolder: string;
  readonly signal: AbortSignal;
  readonly awayMs: number;
}

/** Takes an attack over whose coordinator is gone: waits for its agents, or takes what they kept. */
export function resumeFleetAttack({
  bus,
  cutOff,
  resultsFolder,
  signal,
  awayMs,
}: ResumeOptions): AttackHandle {
  const { id, startedAt, plan, environment, command, warnings, fleet, parts } = cutOff;
  const start: Start = { run: id, epoch: fleet.epoch };
  const members = parts.map(({ id: agent, name, machine, clock }): Member => {
    const known = new AgentClock();
    known.best = clock;
    const place = { machine: agent, network: agent, clock: agent };
    return { id: agent, name: name ?? agent, place, machine, descriptors: null, clock: known };
  });
  const record = { environment, resultsFolder, command, warnings, signal };
  return handleAttack(
    async ({ events }) =>
      await keepRecord(plan, record, { id, startedAt, events }, async (note) => {
        const crew = new Crew(bus, start, members);
        await note({ fleet, parts: crew.parts() });
        let calledMs = Number.NEGATIVE_INFINITY;
        const onPoll = () => {
          if (performance.now() - calledMs < callMs) return;
          calledMs = performance.now();
          bus.say(subjects.call, say(start, { kind: "call", resume: true }));
        };
        const begun = { startMs: null, clocks: null, ending: null };
        const options = { bus, signal, awayMs };
        return await end(plan, options, {
          crew,
          facts: { ...fleet },
          events,
          ...begun,
          onPoll,
          patienceMs: resumeMs,
        });
      }),
    startedAt,
  );
}
