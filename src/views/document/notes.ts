import { measureOf } from "../../measures/catalogue.ts";
import { type Ending, listEndings, overRounds } from "../../measures/figures.ts";
import { formatMeasure } from "../../measures/measure.ts";
import { okPhases, type Participant, ranPhases, type Section } from "../../measures/sections.ts";
import type { PhasePlan } from "../../plan/plan.ts";
import type { RanPhase } from "../../result/phase.ts";
import * as format from "../../text/format.ts";
import { describeFailures } from "../text/failure-text.ts";
import { describeFault, isDeath } from "../text/fault-text.ts";
import { describeFinding, isBlameless } from "../text/finding-text.ts";
import { describeReason } from "../text/reason-text.ts";
import { accountsOf, isFaultless } from "./account.ts";
import type { Sentence } from "./block.ts";
import { leastSharing } from "./phase-table.ts";

/** A generator later than this, and than this share of the p99, is seen in the latencies. */
const lateUs = 1000;
const lateShare = 0.1;

/** What the phase's numbers don't say by themselves, gravest first. */
export function listNotes(section: Section, phases: readonly PhasePlan[]): Sentence[] {
  const { participants } = section;
  return [
    ...participants.flatMap((participant) => noteEndings(participant, phases)),
    ...participants.flatMap(noteFindings),
    ...participants.flatMap(noteFaults),
    ...participants.flatMap(noteNotInjected),
    ...(section.kind === "connect" ? participants.flatMap(noteNotMeasured) : []),
    ...noteEverythingArrived(section),
    ...noteUnequalConnections(section),
    ...participants.flatMap(noteFrames),
    ...participants.flatMap(noteLateGenerator),
  ];
}

/** `failed: the server exited with code 2`. */
export function describeEnding({ status, reason }: Ending, phases: readonly PhasePlan[]): string {
  const name = status.replace("-", " ");
  return reason === null ? name : `${name}: ${describeReason(reason, phases)}`;
}

/** Each reason once, with the number of rounds. */
function noteEndings(participant: Participant, phases: readonly PhasePlan[]): Sentence[] {
  const endings = Map.groupBy(listEndings(participant), (ending) => describeEnding(ending, phases));
  return [...endings].map(
    ([text, alike]): Sentence => ({
      text: `${participant.name} ${text}${ofRounds(alike.length, participant)}.`,
      style: alike[0]?.status === "failed" ? "bad" : "warning",
    }),
  );
}

/** One sentence per kind of finding: the worst round's, and in how many rounds there was one. */
function noteFindings(participant: Participant): Sentence[] {
  const found = ranPhases(participant).flatMap((phase) =>
    phase.findings.map((finding) => ({ finding, at: rateOf(phase, finding.kind) })),
  );
  return [...Map.groupBy(found, ({ finding }) => finding.kind).values()].flatMap((all): Sentence[] => {
    const [first] = all;
    if (first === undefined) return [];
    const worst = all.reduce((one, other) => (other.finding.count > one.finding.count ? other : one), first);
    const many = ` (worst of ${all.length} of ${participant.phases.length} rounds)`;
    const rounds = all.length > 1 ? many : ofRounds(1, participant);
    const text = `${participant.name}: ${describeFinding(worst.finding)}${worst.at}${rounds}.`;
    return [{ text, style: isBlameless(worst.finding) ? "warning" : "bad" }];
  });
}

function rateOf(phase: RanPhase, kind: string): string {
  const rate = phase.kind === "capacity" ? phase.capacity.findingRates[kind] : undefined;
  return rate === undefined ? "" : ` at ${format.formatRate(rate)} offered`;
}

/** What the tables can't say: how a server that was not killed died, and who never recovered. Each story once. */
function noteFaults(participant: Participant): Sentence[] {
  const told = ranPhases(participant)
    .flatMap((phase) => (phase.kind === "chaos" ? phase.faults : []))
    .filter((report) => isDeath(report) || report.recoveredMs === null);
  return [...Map.groupBy(told, ({ fault }) => fault).values()].flatMap(([worst, ...more]): Sentence[] => {
    if (worst === undefined) return [];
    const failures = worst.failures.length === 0 ? "" : ` (${describeFailures(worst.failures)})`;
    const what = `${describeFault(worst).replace(/\.$/, "")}${failures}${ofRounds(1 + more.length, participant)}`;
    return [{ text: `${participant.name}, ${worst.fault}: ${what}.`, style: "bad" }];
  });
}

function noteNotInjected(participant: Participant): Sentence[] {
  const left = ranPhases(participant).flatMap((phase) =>
    phase.kind === "chaos" ? (phase.notInjected ?? []) : [],
  );
  return [...Map.groupBy(left, ({ reason }) => describeReason(reason))].map(([why, alike]): Sentence => {
    const faults = format.joinNames([...new Set(alike.map(({ fault }) => fault))]);
    return { text: `${participant.name}: ${faults} not injected: ${why}.`, style: "warning" };
  });
}

/** Why some of its cells have no figure. */
function noteNotMeasured({ name, facts }: Participant): Sentence[] {
  return facts.url === undefined
    ? []
    : [{ text: `${name}: CPU and memory not measured: not our process, it ran already.` }];
}

function noteEverythingArrived({ participants }: Section): Sentence[] {
  const counted = participants.filter((participant) => accountsOf(participant).length > 0);
  const clean = counted.filter(
    (participant) =>
      ranPhases(participant).every(
        ({ status, findings, connections }) =>
          status === "ok" && findings.length === 0 && connections.died === 0,
      ) && accountsOf(participant).every(isFaultless),
  );
  if (clean.length === 0) return [];
  const whom =
    clean.length < participants.length
      ? format.joinNames(clean.map(({ name }) => name))
      : clean.length === 1
        ? "the only contender"
        : `all ${format.formatSmallCount(clean.length)} contenders`;
  const text = `All deliveries arrived once, in order and intact, for ${whom}.`;
  return [{ text, style: "good" }];
}

/** Whoever has fewer connections has less to do. */
function noteUnequalConnections({ kind, participants }: Section): Sentence[] {
  if (kind === "connect") return [];
  const counts = participants.flatMap((participant) => {
    const open = okPhases(participant)[0]?.connections.open;
    return open === undefined ? [] : [{ name: participant.name, open }];
  });
  if (new Set(counts.map(({ open }) => open)).size < 2) return [];
  const list = counts.map(({ name, open }) => `${name} ${format.formatCount(open)}`).join(", ");
  return [{ text: `Connection counts differ: ${list}.`, style: "warning" }];
}

function noteFrames(participant: Participant): Sentence[] {
  const perFrame = overRounds(participant, measureOf("messages-per-frame"));
  if (participant.facts.framing !== "newline" || perFrame === null || perFrame < leastSharing) return [];
  const text = `${participant.name} put ${format.formatFactor(perFrame)} messages into a frame on average, as it declares. Messages are counted here, not frames.`;
  return [{ text }];
}

/** Latency is counted from the intended send time: the generator's lateness is in it. */
function noteLateGenerator(participant: Participant): Sentence[] {
  const lag = measureOf("send-lag.p99");
  const lagUs = overRounds(participant, lag);
  const latencyUs = overRounds(participant, measureOf("latency.p99"));
  if (lagUs === null || latencyUs === null || lagUs <= Math.max(lateUs, latencyUs * lateShare)) return [];
  const text = `${participant.name}: the generator sent up to ${formatMeasure(lag, lagUs)} late (p99). The latencies include that.`;
  return [{ text, style: "warning" }];
}

function ofRounds(count: number, { phases }: Participant): string {
  return phases.length < 2 ? "" : ` (${count} of ${phases.length} rounds)`;
}
