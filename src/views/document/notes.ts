import { groupByLeague } from "../../judgement/league.ts";
import { measureOf } from "../../measures/catalogue.ts";
import { type Ending, listEndings, overRounds } from "../../measures/figures.ts";
import { formatMeasure } from "../../measures/measure.ts";
import { okPhases, type Participant, ranPhases, type Section } from "../../measures/sections.ts";
import type { PhasePlan, Plan } from "../../plan/plan.ts";
import type { RanPhase } from "../../result/phase.ts";
import * as format from "../../text/format.ts";
import { describeCauses, inTwoDigits } from "../text/cause-text.ts";
import { describeFailures } from "../text/failure-text.ts";
import { describeFault, isDeath } from "../text/fault-text.ts";
import { describeFinding, isBlameless } from "../text/finding-text.ts";
import { describeReason } from "../text/reason-text.ts";
import { accountsOf, isFaultless } from "./account.ts";
import { noteClocks } from "./agents.ts";
import type { Sentence } from "./block.ts";
import { describeUnresolved } from "./connection-memory.ts";
import { listHeld } from "./held.ts";
import { noteIdling } from "./idling.ts";
import { collectionsOf, fewestCollections, leastSharing } from "./phase-table.ts";

/** A generator later than this, and than this share of the p99, is seen in the latencies. */
const lateUs = 1000;
const lateShare = 0.1;

/** A variant that puts so many times more messages into a segment was made to. */
const leastJoining = 2;

/** What the phase's numbers don't say by themselves, gravest first. */
export function listNotes(
  section: Section,
  { plan, sections }: { readonly plan: Plan; readonly sections: readonly Section[] },
): Sentence[] {
  const { participants } = section;
  return [
    ...participants.flatMap((participant) => noteEndings(participant, plan.phases)),
    ...participants.flatMap(noteFindings),
    ...participants.flatMap(noteFaults),
    ...participants.flatMap(noteNotInjected),
    ...(section.kind === "connect" ? participants.flatMap(noteNotMeasured) : []),
    ...listHeld(section, plan),
    ...noteEverythingArrived(section),
    ...noteCoalescing(section, sections),
    ...noteLeagues(section),
    ...noteUnequalConnections(section),
    ...participants.flatMap(noteMemory),
    ...noteIdling(section, plan).map((text): Sentence => ({ text, style: "warning" })),
    ...noteVariants(section),
    ...participants.flatMap(noteFrames),
    ...participants.flatMap(noteLateGenerator),
    ...noteWork(section),
    ...noteBurstSpan(section),
    ...noteClocks(section),
    ...noteCollections(section),
  ];
}

/** `failed: the server exited with code 2`. */
export function describeEnding({ status, reason }: Ending, phases: readonly PhasePlan[]): string {
  const name = status.replace("-", " ");
  return reason === null ? name : `${name}: ${describeReason(reason, phases)}`;
}

/** Each kind of reason once, with the number of rounds and the numbers of the last of them. */
function noteEndings(participant: Participant, phases: readonly PhasePlan[]): Sentence[] {
  const endings = Map.groupBy(listEndings(participant), ({ status, reason }) => `${status} ${reason?.kind}`);
  return [...endings.values()].flatMap((alike) =>
    alike.slice(-1).map(
      (last): Sentence => ({
        text: `${participant.name} ${describeEnding(last, phases)}${ofRounds(alike.length, participant)}.`,
        style: last.status === "failed" ? "bad" : "warning",
      }),
    ),
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

/** Less says nothing of how a server works under load. */
const leastBurstMs = 1000;

/** How much work a burst was for whoever had it done first. */
function noteBurstSpan({ kind, participants }: Section): Sentence[] {
  if (kind !== "burst") return [];
  const bursts = participants.flatMap((participant) =>
    okPhases(participant).flatMap((phase) =>
      phase.kind === "burst" && phase.throughput !== null
        ? [{ ...phase.throughput, name: participant.name, owed: phase.latencyUs.owed }]
        : [],
    ),
  );
  const [fastest] = bursts.toSorted((a, b) => b.deliveriesPerSecond - a.deliveriesPerSecond);
  const [shortest] = bursts
    .filter(({ name }) => name === fastest?.name)
    .toSorted((a, b) => a.spanMs - b.spanMs);
  if (shortest === undefined) return [];
  const work = `${shortest.name}, the fastest, worked ${format.formatDuration(shortest.spanMs)} a round or more, on ${format.formatCount(shortest.owed)} deliveries.`;
  return shortest.spanMs < leastBurstMs
    ? [{ text: `${work} Less than a second says little.`, style: "warning" }]
    : [{ text: work }];
}

/** Messages per segment from which on a burst is quick for what its messages share. */
const leastCoalescing = 1.5;

/** What all at once shares a write, and what paced doesn't: which of the two a figure is of decides who is ahead. */
function noteCoalescing({ kind, workload, participants }: Section, sections: readonly Section[]): Sentence[] {
  const perSegment = (participant: Participant | undefined) =>
    participant === undefined ? null : overRounds(participant, measureOf("messages-per-segment"));
  const isCoalesced = (participant: Participant) => (perSegment(participant) ?? 1) >= leastCoalescing;
  const same = sections.filter((section) => section.workload === workload);
  if (kind === "burst") {
    const names = participants.filter(isCoalesced).map(({ name }) => name);
    if (names.length === 0 || same.some((section) => section.kind !== "burst")) return [];
    const text = `Sent all at once, messages share TCP segments: those of ${format.joinNames(names)} do. --phases connect,steady-${workload} shows what is left of that when they are paced.`;
    return [{ text }];
  }
  const burst = same.find((section) => section.kind === "burst" && section.participants.some(isCoalesced));
  const pairs = participants.flatMap((participant) => {
    const atOnce = perSegment(burst?.participants.find(({ name }) => name === participant.name));
    const paced = perSegment(participant);
    return atOnce === null || paced === null
      ? []
      : [`${participant.name} ${inTwoDigits(atOnce)} and ${inTwoDigits(paced)}`];
  });
  if (pairs.length === 0) return [];
  return [{ text: `Messages in a TCP segment, all at once and paced: ${pairs.join(", ")}.` }];
}

/** Nobody is ranked across leagues: what lies between the quickest of each is told by what they put into a segment. */
function noteLeagues({ kind, workload, participants }: Section): Sentence[] {
  if (kind !== "burst" || workload === "echo") return [];
  const [throughput, perSegment] = [measureOf("throughput"), measureOf("messages-per-segment")];
  const quickest = groupByLeague(participants).flatMap(([league, members]) =>
    members
      .flatMap((member) => {
        const [rate, messages] = [overRounds(member, throughput), overRounds(member, perSegment)];
        return rate === null || messages === null ? [] : [{ name: member.name, league, rate, messages }];
      })
      .sort((a, b) => b.rate - a.rate)
      .slice(0, 1),
  );
  if (quickest.length < 2) return [];
  const list = quickest.map(
    ({ name, league, rate, messages }) =>
      `${name} (${league}) ${formatMeasure(throughput, rate)} with ${inTwoDigits(messages)}`,
  );
  return [{ text: `The quickest of each league, with its messages in a TCP segment: ${list.join(", ")}.` }];
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

function noteMemory(participant: Participant): Sentence[] {
  return describeUnresolved(participant).map(({ text, rounds }) => ({
    text: `${participant.name}: ${text}${ofRounds(rounds, participant)}.`,
    style: "warning",
  }));
}

/** Why a variant does more, which no judgement tells: it is in a league of its own. */
function noteVariants({ participants }: Section): Sentence[] {
  const perSegment = measureOf("messages-per-segment");
  return participants.flatMap((variant) => {
    const plain = participants.find(
      ({ facts }) => facts.name === variant.facts.name && facts.variant === "default",
    );
    const value = overRounds(variant, perSegment);
    const plainValue = plain === undefined ? null : overRounds(plain, perSegment);
    if (plain === undefined || value === null || plainValue === null) return [];
    const factor = value / plainValue;
    if (factor < leastJoining) return [];
    const best = { contender: variant.name, value };
    const other = { contender: plain.name, value: plainValue };
    return describeCauses([{ kind: "messages-per-segment", factor, best, other }]).map((text) => ({ text }));
  });
}

/** How much a burst or a slice was: the same for all. */
function noteWork({ kind, participants }: Section): Sentence[] {
  const loads = participants
    .flatMap(okPhases)
    .filter((phase) => phase.kind === "burst" || phase.kind === "steady")
    .map(({ messages, slices, invalidSlices = 0 }) => ({
      parts: slices === undefined ? 1 : slices.length + invalidSlices,
      isSliced: slices !== undefined,
      messages,
    }));
  const [first] = loads;
  if (first === undefined) return [];
  const { parts, isSliced, messages } = first;
  const [sends, deliveries] = [messages.planned, messages.expected].map((all) => Math.round(all / parts));
  const received = sends === deliveries ? "" : `, ${format.formatCount(deliveries ?? 0)} deliveries`;
  const work = `${format.plural(sends ?? 0, "message")}${received}`;
  if (!isSliced) return [{ text: `${kind === "burst" ? "A burst" : "The load of a round"} is ${work}.` }];
  const counts = loads.map((load) => load.parts);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  const many =
    least === most
      ? format.formatCount(least)
      : `${format.formatCount(least)} to ${format.formatCount(most)}`;
  return [{ text: `A slice is ${work}; each contender had ${many} of them in a round.` }];
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

/** Between two major collections a heap grows whatever is kept. */
function noteCollections({ kind, participants }: Section): Sentence[] {
  if (kind !== "endurance") return [];
  const untold = participants.filter((one) => okPhases(one).length > 0 && collectionsOf(one).length === 0);
  const few = participants.flatMap((participant): Sentence[] => {
    const fewest = Math.min(...collectionsOf(participant));
    if (fewest >= fewestCollections) return [];
    const text = `${participant.name}: ${format.plural(fewest, "major collection")} in the phase, too few to tell a leak from a heap that waits for its collector.`;
    return [{ text, style: "warning" }];
  });
  if (untold.length === 0) return few;
  const names = format.joinNames(untold.map(({ name }) => name));
  const text = `Major collections unknown: ${names}. A heap that waits for its collector would look like a leak.`;
  return [...few, { text }];
}

function ofRounds(count: number, { phases }: Participant): string {
  return phases.length < 2 ? "" : ` (${count} of ${phases.length} rounds)`;
}
