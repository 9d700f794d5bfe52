import { comparePairs, termsOf } from "../../../judgement/compare-rounds.ts";
import { measureOf } from "../../../measures/catalogue.ts";
import { overRounds } from "../../../measures/figures.ts";
import { formatMeasure } from "../../../measures/measure.ts";
import {
  listSections,
  okPhases,
  type Participant,
  ranPhases,
  type Section,
} from "../../../measures/sections.ts";
import type { Plan } from "../../../plan/plan.ts";
import { presets } from "../../../plan/presets.ts";
import type { Result } from "../../../result/schema.ts";
import type { Terms } from "../../../stats/pair-outcomes.ts";
import * as format from "../../../text/format.ts";
import { isFaultless, messagesOf } from "../account.ts";
import { reportsOf } from "../fault-tables.ts";
import { article, findSide, isArticlePlan, type Side } from "./article.ts";

/** A claim of the article, put to the test by a run. */
export interface Claim {
  readonly claim: string;
  /** Its figures, or what it says instead. */
  readonly article: string;
  readonly measured: string;
  readonly outcome: "holds" | "does not hold" | "undecided";
  readonly why: string;
}

type Test = Pick<Claim, "measured" | "outcome" | "why">;

/** What a claim is judged by. */
interface Evidence {
  readonly plan: Plan;
  readonly terms: Terms;
  readonly sections: readonly Section[];
  readonly elixir: Participant;
  readonly go: Participant;
}

interface Judge {
  /** The measure that both sides need a figure of. */
  readonly measure?: string;
  readonly judge: (evidence: Evidence) => Test;
}

/** The claim, the article's figures, the phase that it is about (null for no particular one), and its test. */
type Row = readonly [claim: string, article: string, phase: string | null, judge: Judge];

/** In one round, a ratio within this of the limit of a claim tells nothing. */
const singleRoundMargin = 1.25;

const sameWork =
  "Holds from 1.5×. The article counted sends, and only its Go server sent each message to every client. Here both do the same work and deliveries count.";
const burstFigures = "Elixir 51,000/s, Go 27,796/s: 1.83×";

const rows: readonly Row[] = [
  [
    "Both stop at about 16,300 connections, a limit of the system.",
    "Elixir 16,292, Go 16,322",
    "connect",
    { measure: "connections", judge: judgeConnections },
  ],
  [
    "In a burst of echoes Elixir delivers nearly twice as many messages as Go.",
    burstFigures,
    "burst-echo",
    ahead("elixir", "throughput", 1.5, sameWork),
  ],
  [
    "In a burst to everyone Elixir delivers nearly twice as many messages as Go.",
    burstFigures,
    "burst-broadcast",
    ahead("elixir", "throughput", 1.5, sameWork),
  ],
  [
    "Elixir sustains about 15,000/s for a minute.",
    "Elixir 15,000/s",
    "endurance-echo",
    sustains("elixir", (share) => share >= 0.99),
  ],
  [
    "Under sustained load Go drops by 96.9 % from its burst.",
    "Go 854/s",
    "endurance-echo",
    sustains("go", (share) => share < 0.5),
  ],
  [
    "Both deliver everything, without an error.",
    "100 % and 0 errors for both",
    null,
    { judge: judgeDelivery },
  ],
  [
    "Go is the choice where bursts matter most.",
    "its figures say the opposite: 27,796/s against 51,000/s",
    "burst-echo",
    ahead("go", "throughput", 1, "The article's verdict and its figures contradict each other."),
  ],
  [
    "Elixir is the choice where sustained load has to be served predictably.",
    "no figure: it did not measure latency",
    "endurance-echo",
    ahead("elixir", "latency.p99", 1, "Predictable is taken as p99 latency at the same rate."),
  ],
  [
    "Go needs less memory.",
    "no figure: it did not measure memory",
    "connect",
    ahead("go", "memory-per-connection", 1, "Resident memory that each connection added while they opened."),
  ],
  [
    "Elixir contains a crash: other clients don't notice.",
    "no figure: it injected no fault",
    null,
    { judge: judgeCrash },
  ],
  ["Go is deployed as a single binary, Elixir is not.", "no figure needed", null, { judge: judgeDeployment }],
];

/** The article's claims, where the plan is its own and both of its sides took part; null elsewhere. */
export function retestArticle(result: Result): Claim[] | null {
  const { plan } = result;
  if (!isArticlePlan(plan)) return null;
  const sections = listSections(result);
  return rows.flatMap(([claim, figures, phase, { measure, judge }]): Claim[] => {
    const section = phase === null ? sections[0] : sections.find(({ name }) => name === phase);
    const all = section?.participants ?? [];
    const [elixir, go] = [findSide(all, "elixir"), findSide(all, "go")];
    if (elixir === undefined || go === undefined) return [];
    const lacking = [elixir, go].filter(
      (side) => measure !== undefined && overRounds(side, measureOf(measure)) === null,
    );
    const names = format.joinNames(lacking.map(({ name }) => name));
    const test =
      lacking.length === 0
        ? judge({ plan, terms: termsOf(result), sections, elixir, go })
        : undecided("no valid figures", `${names} has none here.`);
    return [{ claim, article: figures, ...test }];
  });
}

function undecided(measured: string, why: string): Test {
  return { measured, outcome: "undecided", why };
}

function told({ elixir, go }: Evidence, name: string, outcome: Claim["outcome"], why: string): Test {
  const measure = measureOf(name);
  const figures = [elixir, go].map(
    (one) => `${one.name} ${formatMeasure(measure, overRounds(one, measure))}`,
  );
  return { measured: figures.join(", "), outcome, why };
}

function judgeConnections(evidence: Evidence): Test {
  const ports = format.formatCount(article.clientPorts);
  if (evidence.plan.connections <= article.clientPorts) {
    return told(evidence, "connections", "undecided", `The plan asks for fewer than ${ports}.`);
  }
  const open = [evidence.elixir, evidence.go].map((side) => overRounds(side, measureOf("connections")) ?? 0);
  const isThere = open.every((count) => Math.abs(count - article.clientPorts) <= 200);
  const why = `macOS lends ${ports} ports to one source address: the article's client ran out of them.`;
  return told(evidence, "connections", isThere ? "holds" : "does not hold", why);
}

/** Whether a side is at least so many times better than the other, beyond doubt. */
function ahead(side: Side, name: string, least: number, why: string): Judge {
  const measure = measureOf(name);
  const judge = (evidence: Evidence): Test => {
    const [comparison] = comparePairs([evidence.elixir, evidence.go], measure, evidence.terms);
    const found = comparison?.outcome ?? { kind: "absent" };
    if (found.kind === "absent") return told(evidence, name, "undecided", why);
    const isSingle = found.kind === "early";
    const turn = (ratio: number) => (comparison?.first === evidence[side].name ? ratio : 1 / ratio);
    const ratio = turn(found.ratio);
    const limits = isSingle
      ? [ratio / singleRoundMargin, ratio * singleRoundMargin]
      : [turn(found.low), turn(found.high)];
    const [low, high] = [Math.min(...limits), Math.max(...limits)];
    const isBeyond = isSingle ? low >= least : found.kind === "leads" && low > 1 && ratio >= least;
    // Who is equal is ahead of nobody.
    const isShort = high < least || found.kind === "equivalent";
    const outcome = isShort ? "does not hold" : isBeyond ? "holds" : "undecided";
    const confidence = found.kind === "equivalent" ? 90 : 95;
    const shown = `${format.formatFactor(low)}–${format.formatFactor(high)}`;
    const interval = isSingle ? "" : ` (${confidence} % CI ${shown})`;
    const caution = isSingle ? " One round: judged only far from the limit." : "";
    const test = told(evidence, name, outcome, `${why}${caution}`);
    const who = side === "elixir" ? "Elixir" : "Go";
    const measured = `${test.measured}: ${who} is ${format.formatFactor(ratio)}× as good${interval}`;
    return { ...test, measured };
  };
  return { measure: name, judge };
}

function sustains(side: Side, holds: (share: number) => boolean): Judge {
  const judge = (evidence: Evidence): Test => {
    const { enduranceRatePerSecond: rate, enduranceSeconds } = evidence.plan;
    if (rate < presets.article.enduranceRatePerSecond || enduranceSeconds < 30) {
      const why = `The plan offers only ${format.formatRate(rate)} for ${enduranceSeconds} s.`;
      return told(evidence, "sustained", "undecided", why);
    }
    const share = overRounds(evidence[side], measureOf("sustained.share")) ?? 0;
    const why = `${evidence[side].name} sustained ${format.formatShare(share)} of the target, over all connections. The article's load used a few hundred.`;
    return told(evidence, "sustained", holds(share) ? "holds" : "does not hold", why);
  };
  return { measure: "sustained.share", judge };
}

function judgeDeployment({ elixir, go }: Evidence): Test {
  const [ours, theirs] = [elixir.facts.deployment, go.facts.deployment];
  if (ours === null || theirs === null) return undecided("not declared", "A manifest does not say.");
  const say = (isSingle: boolean) => (isSingle ? "a single binary" : "no single binary");
  return {
    measured: `${elixir.name} ${say(ours.singleBinary)}, ${go.name} ${say(theirs.singleBinary)}`,
    outcome: theirs.singleBinary && !ours.singleBinary ? "holds" : "does not hold",
    why: "By their manifests.",
  };
}

function judgeDelivery({ sections, elixir, go }: Evidence): Test {
  const accounts = [elixir, go].map(({ name }) => {
    const phases = sections
      .filter(({ kind }) => kind !== "chaos" && kind !== "capacity")
      .flatMap(({ participants }) => participants.filter((one) => one.name === name).flatMap(ranPhases));
    const counted = phases.flatMap(messagesOf);
    const lost = counted.reduce((all, one) => all + one.lost, 0);
    const expected = counted.reduce((all, one) => all + one.expected, 0);
    const died = phases.reduce((all, { connections }) => all + connections.died, 0);
    const failed = phases.filter(({ status }) => status === "failed" || status === "aborted").length;
    return {
      text: `${name} ${format.formatCount(lost)} lost of ${format.formatCount(expected)}, ${format.plural(died, "connection")} died, ${format.plural(failed, "phase")} failed`,
      isKnown: counted.length > 0,
      isFaultless: failed === 0 && died === 0 && counted.every(isFaultless),
    };
  });
  const isHeld = accounts.every((one) => one.isFaultless);
  return {
    measured: accounts.map(({ text }) => text).join("; "),
    outcome: !accounts.every(({ isKnown }) => isKnown) ? "undecided" : isHeld ? "holds" : "does not hold",
    why: "The article counted sends that did not fail. Here every delivery is checked: once, in order, intact.",
  };
}

function judgeCrash({ sections, elixir, go }: Evidence): Test {
  const chaos = sections.filter(({ kind }) => kind === "chaos").flatMap(({ participants }) => participants);
  const [ours, theirs] = [elixir, go].map(({ name }) => {
    const reports = chaos.filter((one) => one.name === name).flatMap(reportsOf);
    return reports.flatMap(({ fault, lostConnections }) => (fault === "crash" ? [lostConnections] : []));
  });
  if (!ours?.length || !theirs?.length) {
    return undecided("not measured", "It takes a chaos phase: --phases connect,chaos-rooms.");
  }
  const [lostOurs, lostTheirs] = [Math.max(...ours), Math.max(...theirs)];
  return {
    measured: `connections of unaffected clients lost: ${elixir.name} ${format.formatCount(lostOurs)}, ${go.name} ${format.formatCount(lostTheirs)}`,
    outcome: lostOurs === 0 ? "holds" : "does not hold",
    why: lostTheirs === 0 ? "The Go server contained it, too." : "The Go server did not contain it.",
  };
}

/** The same bursts counted as the article did, by sends, and as a client that takes a frame for a message would. */
export function countUnfairly(result: Result): string[][] {
  const perSecond = (count: number, spanMs: number | null) =>
    format.formatRate(spanMs === null || spanMs <= 0 ? null : (count * 1000) / spanMs);
  return listSections(result).flatMap(({ name: phase, participants }) =>
    [findSide(participants, "elixir"), findSide(participants, "go")]
      .filter((participant) => participant !== undefined)
      .flatMap((participant) => {
        const [first] = okPhases(participant);
        if (first?.kind !== "burst" || first.throughput === null) return [];
        const { messages, throughput, slices } = first;
        // Of a phase in slices messages are counted in all of them, and times in those that count.
        const timed =
          (slices ?? [messages]).reduce((sum, { delivered }) => sum + delivered, 0) / messages.delivered;
        const counts = [
          format.formatRate(throughput.deliveriesPerSecond),
          perSecond(messages.sent * timed, throughput.sendSpanMs),
          perSecond(messages.frames * timed, throughput.spanMs),
        ];
        return [[`${phase}, ${participant.name}`, ...counts]];
      }),
  );
}
