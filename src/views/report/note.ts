import type { Phase } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import type { Style } from "../../text/style.ts";
import { isFaultless } from "./account-columns.ts";
import { article, articleFigures } from "./article/article.ts";
import { isDeath, reportsOf } from "./fault-table.ts";
import { statusStyle } from "./headline-columns.ts";
import { measures, overRounds } from "./measure.ts";
import { leastSharing } from "./phase-table.ts";
import {
  describeEnding,
  listEndings,
  okPhases,
  type Participant,
  ranPhases,
  type Section,
} from "./section.ts";

/** A sentence below a phase's table. */
export interface Note {
  readonly text: string;
  readonly style: Style | null;
}

/** What the phase's numbers don't say by themselves, gravest first. */
export function listNotes(section: Section): Note[] {
  const { participants } = section;
  return [
    ...participants.flatMap(noteEndings),
    ...participants.flatMap(noteFindings),
    ...participants.flatMap(noteFaults),
    ...noteEverythingArrived(section),
    ...noteUnequalConnections(section),
    ...participants.flatMap(noteFrames),
    ...participants.flatMap(noteLateGenerator),
    ...noteArticle(section),
  ];
}

/** Each reason once, with the number of rounds. */
function noteEndings(participant: Participant): Note[] {
  const endings = listEndings(participant);
  return [...Map.groupBy(endings, describeEnding)].map(
    ([text, [ending, ...more]]): Note => ({
      text: `${participant.name} ${text}${ofRounds(1 + more.length, participant)}`,
      style: statusStyle(ending?.status ?? "failed"),
    }),
  );
}

/** One sentence per kind of finding: the worst round's, and in how many rounds there was one. */
function noteFindings(participant: Participant): Note[] {
  const found = ranPhases(participant).flatMap((phase) => [
    ...phase.findings,
    ...(phase.limit === null || phase.findings.some(({ kind }) => kind === "limit")
      ? []
      : [{ kind: "limit", count: 1, text: phase.limit.text }]),
  ]);
  return [...Map.groupBy(found, ({ kind }) => kind)].map(([kind, all]): Note => {
    const worst = all.reduce((one, other) => (other.count > one.count ? other : one));
    const rounds =
      all.length > 1 ? `${ofRounds(all.length, participant)}; this is the worst` : ofRounds(1, participant);
    return {
      text: `${participant.name}: ${worst.text}${rounds}`,
      style: isBlameless(kind) ? "warning" : "bad",
    };
  });
}

/** What the tables can't say: how a server that was not killed died, and who never recovered. Each story once. */
function noteFaults(participant: Participant): Note[] {
  const told = reportsOf(participant).filter((report) => isDeath(report) || report.recoveredMs === null);
  return [...Map.groupBy(told, ({ fault }) => fault).values()].flatMap(([worst, ...more]): Note[] =>
    worst === undefined
      ? []
      : [
          {
            text: `${participant.name}, ${worst.fault}: ${worst.text.replace(/\.$/, "")}${ofRounds(1 + more.length, participant)}.`,
            style: "bad",
          },
        ],
  );
}

/** Within the contract: a limit of the machine, a drop that was declared. */
function isBlameless(kind: string): boolean {
  return kind === "limit" || kind === "dropped" || kind === "no-stats";
}

function noteEverythingArrived({ participants }: Section): Note[] {
  const clean = participants.filter((participant) => {
    const phases = ranPhases(participant);
    return phases.some(({ messages }) => messages !== null) && phases.every(isClean);
  });
  if (clean.length === 0) return [];
  const counts = new Set(clean.flatMap(okPhases).map(({ messages }) => messages?.expected ?? 0));
  const [count = 0] = counts;
  const whom =
    clean.length < participants.length ? format.joinNames(clean.map(({ name }) => name)) : everyone(clean);
  const deliveries = counts.size === 1 && count > 1 ? `all ${format.formatCount(count)}` : "all";
  const rounds = participants.some(({ phases }) => phases.length > 1) ? " of every round" : "";
  const text = `At ${whom} ${deliveries} deliveries${rounds} arrived once, in order and intact.`;
  return [{ text, style: "good" }];
}

function isClean({ status, messages, connections, findings }: Phase): boolean {
  return (
    status === "ok" &&
    messages !== null &&
    isFaultless(messages) &&
    connections.died === 0 &&
    findings.length === 0
  );
}

function everyone({ length }: readonly Participant[]): string {
  if (length === 1) return "the only contender";
  return length === 2 ? "both contenders" : `all ${format.formatSmallCount(length)} contenders`;
}

/** Whoever holds fewer connections has less to do. */
function noteUnequalConnections(section: Section): Note[] {
  const text = describeUnequalConnections(section);
  return text === null ? [] : [{ text, style: "warning" }];
}

/** Null where all hold the same number. */
export function describeUnequalConnections(section: Section): string | null {
  if (section.kind === "connect") return null;
  const held = section.participants
    .map((participant) => ({ name: participant.name, opened: overRounds(participant, measures.opened) }))
    .filter(({ opened }) => opened !== null);
  if (new Set(held.map(({ opened }) => opened)).size < 2) return null;
  const list = held.map(({ name, opened }) => `${name} ${format.formatCount(opened)}`).join(", ");
  return `Not over equally many connections: ${list}.`;
}

function noteFrames(participant: Participant): Note[] {
  const perFrame = overRounds(participant, measures.messagesPerFrame);
  if (participant.facts.framing !== "newline" || perFrame === null || perFrame < leastSharing) return [];
  return [
    {
      text: `${participant.name} put ${format.formatFactor(perFrame)} messages into a frame on average, as it declares. Messages are counted here, never frames.`,
      style: null,
    },
  ];
}

/** Latency is counted from the intended instant: what the generator was late by is in it. */
export function isGeneratorLate(participant: Participant): boolean {
  const lagUs = overRounds(participant, measures.sendLagP99);
  const latencyUs = overRounds(participant, measures.p99);
  return lagUs !== null && latencyUs !== null && lagUs > Math.max(lateUs, latencyUs * lateShare);
}

const lateUs = 1000;
const lateShare = 0.1;

function noteLateGenerator(participant: Participant): Note[] {
  if (!isGeneratorLate(participant)) return [];
  const lag = measures.sendLagP99.format(overRounds(participant, measures.sendLagP99));
  const text = `${participant.name}: the generator itself sent up to ${lag} late (p99), and the latencies contain that.`;
  return [{ text, style: "warning" }];
}

function noteArticle(section: Section): Note[] {
  const figures = articleFigures(section);
  if (figures === null || section.participants.length === 0) return [];
  return [
    {
      text: `* ${article.source}: another machine (${article.machine}), another method: ${figures.method}.`,
      style: "dim",
    },
  ];
}

function ofRounds(count: number, { phases }: Participant): string {
  return phases.length < 2 ? "" : ` (${count} of ${phases.length} rounds)`;
}
