import { measureOf } from "../measures/catalogue.ts";
import { overRounds } from "../measures/figures.ts";
import type { Measure } from "../measures/measure.ts";
import { okPhases, type Participant, ranPhases } from "../measures/sections.ts";
import type { Place } from "../result/judgement.ts";
import type { ConnectPhase, RanPhase } from "../result/phase.ts";
import type { Limit, Reason } from "../result/reasons.ts";

/** Whoever delivered less of what it owed did not do the work that the figures are of. */
const leastReach = 0.999;
/** The clock cuts what is in flight off: this much of the target counts as all of it. */
const leastSustainedShare = 0.999;

/** Where a contender stands before anybody is compared, and why it is not ranked where a phase says so. */
export interface Standing {
  readonly standing: Place["standing"];
  readonly reason: Reason | null;
  /** Only of `censored`: the limit that stopped it; null where it did all that was asked. */
  readonly limit: Limit | null;
}

export function standingOf(participant: Participant, measure: Measure): Standing {
  const ran = ranPhases(participant);
  const ok = okPhases(participant);
  const failed = ran.find(isServersDoing);
  const told = (standing: Place["standing"], reason: Reason | null = null): Standing => ({
    standing,
    reason,
    limit: null,
  });
  if (failed !== undefined) return told("unfit", failed.reason);
  const death = measure.name === "unaffected.in-time" ? findDeath(ok) : null;
  if (death !== null) return told("unfit", death);
  if (ok.length === 0) {
    const invalid = ran.find(({ status }) => status === "invalid");
    return invalid === undefined ? told("absent", endOf(participant)) : told("invalid", invalid.reason);
  }
  if (worstReach(ok) < leastReach) return told("unfit");
  if (measure.name === "capacity" && overRounds(participant, measure) === null) return capacityStanding(ok);
  const value = overRounds(participant, measure);
  if (value === null) return told("absent");
  const ceiling = findCeiling(ok, measure);
  return ceiling === null ? told("ranked") : { standing: "censored", reason: null, limit: ceiling.limit };
}

/** An abort that nobody asked for is as much the server's doing as a crash. */
function isServersDoing({ status, reason }: RanPhase): boolean {
  return status === "failed" || (status === "aborted" && reason?.kind !== "stopped-by-user");
}

/** A fault of one client that ended the process, and with it everybody's connection. */
function findDeath(phases: readonly RanPhase[]): Reason | null {
  for (const phase of phases) {
    if (phase.kind !== "chaos") continue;
    const report = phase.faults.find(({ fault, server }) => fault !== "kill" && server.exit !== null);
    if (report?.server.exit) {
      return { kind: "server-exited", exit: report.server.exit, connections: report.unaffectedClients };
    }
  }
  return null;
}

function endOf({ phases, rounds }: Participant): Reason | null {
  const phase = phases.find((one) => one?.status === "not-run");
  return phase?.reason ?? rounds.find((round) => round !== null && round.status !== "ok")?.reason ?? null;
}

/**
 * Of the deliveries owed in a round's burst or endurance, those made, in the worst round: a round without a loss does
 * not make one good. Whatever is measured of such a phase, be it throughput, latency or cost, is that of less work.
 */
function worstReach(phases: readonly RanPhase[]): number {
  const reach = measureOf("reach");
  return Math.min(
    1,
    ...phases.flatMap((phase) => (phase.kind === "capacity" ? [] : (reach.pick(phase) ?? []))),
  );
}

/** Without a capacity to rank: a lower bound where the generator ended every search, or no rate sustained at all. */
function capacityStanding(phases: readonly RanPhase[]): Standing {
  const searches = phases.flatMap((phase) => (phase.kind === "capacity" ? [phase.capacity] : []));
  const isOpen = searches.some(({ isLowerBound, ratePerSecond }) => isLowerBound && ratePerSecond !== null);
  return { standing: isOpen ? "lower-bound" : "unfit", reason: null, limit: null };
}

/** What hides how much more it could have done: that no more was asked, or a limit. Null where nothing does. */
function findCeiling(phases: readonly RanPhase[], { name }: Measure): { limit: Limit | null } | null {
  switch (name) {
    case "connections": {
      const connects = phases.filter((phase) => phase.kind === "connect");
      const short = connects.filter(({ connections }) => connections.open < connections.requested);
      if (!short.every(isStoppedByMachine)) return null;
      return { limit: short[0]?.limit ?? null };
    }
    case "sustained":
      return phases.every(
        (phase) => phase.kind === "endurance" && (phase.rate?.sustainedShare ?? 0) >= leastSustainedShare,
      )
        ? { limit: null }
        : null;
    default:
      return null;
  }
}

function isStoppedByMachine({ limit }: ConnectPhase): boolean {
  return limit !== null && machineLimits.has(limit.kind);
}

const machineLimits: ReadonlySet<Limit["kind"]> = new Set([
  "server-descriptors",
  "generator-descriptors",
  "port-range",
  "memory",
] as const);
