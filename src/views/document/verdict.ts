import { groupByLeague } from "../../judgement/league.ts";
import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { formatMeasure, type Measure } from "../../measures/measure.ts";
import { listSections, type Participant } from "../../measures/sections.ts";
import type { Cause, JudgedPair, Judgement, Place } from "../../result/judgement.ts";
import type { Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { describeCauses } from "../text/cause-text.ts";
import { describeLimit } from "../text/failure-text.ts";
import { describeReason } from "../text/reason-text.ts";
import type { Sentence } from "./block.ts";
import { isUnresolved } from "./connection-memory.ts";

/** A measure's name in a sentence. */
const words: Readonly<Record<string, string>> = {
  connections: "number of connections",
  "connections.rate": "connection rate",
  "memory-per-connection": "memory per connection",
  throughput: "throughput",
  "latency.p99": "p99 latency",
  "cpu-per-delivery": "CPU per delivery",
  sustained: "sustained rate",
  capacity: "capacity",
  "unaffected.in-time": "fault isolation",
  "back-after-kill": "recovery after a kill",
};

function wordsOf(measure: string): string {
  return words[measure] ?? measure;
}

/** More names than this hide what is said of them. */
const mostNames = 4;

/** `A, B and 3 others`. */
function joinSome(names: readonly string[]): string {
  if (names.length <= mostNames) return format.joinNames(names);
  return `${names.slice(0, mostNames - 1).join(", ")} and ${names.length - mostNames + 1} others`;
}

/** Everything that is concluded, and what could not be: "Choose" is said only of who leads. */
export function listVerdicts(judgements: readonly Judgement[], result: Result): Sentence[] {
  // What explains a phase's throughput explains its latency and its cost too: once is enough.
  const told = new Set<string>();
  const explain = ({ phase, causes }: Judgement): string[] => {
    const news = causes.filter((cause) => !told.has(keyOf(phase, cause)));
    for (const cause of news) told.add(keyOf(phase, cause));
    return describeCauses(news);
  };
  const concluded = judgements.flatMap((judgement): Sentence[] => {
    if (isChoice(judgement)) {
      const where = isOneOfMany(judgement, result) ? ` in ${judgement.phase}` : "";
      const among = hasLeagues(judgements) ? ` (${judgement.league})` : "";
      const lead = `Choose ${judgement.best[0]}${among} for ${wordsOf(judgement.measure)}${where}:`;
      const text = [`${describeLead(judgement, result)}.`, ...explain(judgement)];
      return [{ lead, text: text.join(" "), style: "good" }];
    }
    const text = describeOpen(judgement, result);
    if (text === null) return [];
    // Somebody may be clearly behind those between whom it is not decided.
    const sentence = open(judgement, text, judgements, result);
    return [{ ...sentence, text: [sentence.text, ...explain(judgement)].join(" ") }];
  });
  return [
    ...[...noteSingleRound(judgements, result), ...noteAlone(judgements)].map((text) => ({ text })),
    ...concluded,
    ...noteUnranked(judgements).map((text): Sentence => ({ text, style: "warning" })),
  ];
}

/** `Throughput in burst-echo (tuned) not decided: …`, `Throughput: A and B are equal …` */
function open(judgement: Judgement, text: string, all: readonly Judgement[], result: Result): Sentence {
  const { measure, phase, league } = judgement;
  const where = isOneOfMany(judgement, result) ? ` in ${phase}` : "";
  const title = `${capitalize(wordsOf(measure))}${where}${hasLeagues(all) ? ` (${league})` : ""}`;
  return { lead: text.startsWith("not decided") ? title : `${title}:`, text: `${text}.` };
}

export function hasLeagues(judgements: readonly Judgement[]): boolean {
  return new Set(judgements.map(({ league }) => league)).size > 1;
}

/** Who is compared with whom, and why; nothing where all are. */
export function describeLeagues(participants: readonly Participant[]): string[] {
  const those = groupByLeague(participants).map(
    ([league, members]) => `${league} (${members.map(({ name }) => name).join(", ")})`,
  );
  const isRaw = participants.some(({ facts }) => facts.approach === "raw");
  const raw = isRaw ? " Approach raw counts as idiomatic, in a variant tuned as tuned." : "";
  return those.length < 2
    ? []
    : [
        `Contenders are ranked only within their league, which is the approach that each declares: ${those.join("; ")}.${raw}`,
      ];
}

/** A lead that is smaller than what matters is no reason to choose. */
function isChoice(judgement: Judgement): boolean {
  return judgement.outcome === "leads" && !isLeadWithinMargin(judgement);
}

function isLeadWithinMargin(judgement: Judgement): boolean {
  return smallLeadOf(judgement) !== undefined;
}

function smallLeadOf({ pairs, best: [leader] }: Judgement) {
  return pairs
    .filter((pair) => pair.kind === "leads")
    .find(({ first, withinMargin }) => first === leader && withinMargin);
}

type Told = Extract<JudgedPair, { low: number }>;

/** The pair seen from one side: how many times better `first` is. Null where nothing is known of their ratio's limits. */
function ratioOf({ pairs }: Judgement, first: string, second: string): Told | null {
  const pair = pairs.find(
    (one) => (one.first === first && one.second === second) || (one.first === second && one.second === first),
  );
  if (pair === undefined || !("low" in pair)) return null;
  if (pair.first === first) return pair;
  return { ...pair, first, second, ratio: 1 / pair.ratio, low: 1 / pair.high, high: 1 / pair.low };
}

/** `95 % CI 1.29–1.37×` */
function describeLimits({ low, high, confidence }: Told): string {
  return `${Math.round(confidence * 100)} % CI ${format.formatFactor(low)}–${format.formatFactor(high)}×`;
}

/** `5 rounds on 1 CPU`: what a conclusion rests on, and what it is true for. */
function describeBasis(judgement: Judgement): string {
  return `${format.plural(judgement.rounds, "round")} ${onCpus(judgement)}`;
}

/** `on 2 CPUs`, `on 2 CPUs shared with the generator` */
export function onCpus({ serverCpus, sharesCpus }: Pick<Judgement, "serverCpus" | "sharesCpus">): string {
  if (serverCpus === null) return "on shared CPUs";
  return `on ${format.plural(serverCpus, "CPU")}${sharesCpus ? " shared with the generator" : ""}`;
}

/** The figures of who leads, of the next and of the last. */
function describeLead(judgement: Judgement, result: Result): string {
  const measure = measureOf(judgement.measure);
  const [first, ...rivals] = rankedOf(judgement);
  const told = rivals.length > 3 ? [...rivals.slice(0, 2), ...rivals.slice(-1)] : rivals;
  const rivalTexts = told
    .map((place) => describeRival(place, judgement, measure))
    .join(measure.better === "higher" ? ", " : "; ");
  return `${write(first, measure)}; ${rivalTexts}; ${describeBasis(judgement)}${describeMissing(judgement, result)}`;
}

/** Whose memory per connection was measured and can't be told: nobody leads them. */
function describeMissing({ measure, phaseIndex, places }: Judgement, result: Result): string {
  const open = (listSections(result)[phaseIndex]?.participants ?? [])
    .filter((participant) => places.some(({ contender }) => contender === participant.name))
    .filter((participant) => isUnresolved(participant, measureOf(measure)));
  return open.length === 0 ? "" : `; not resolved for ${joinSome(open.map(({ name }) => name))}`;
}

/** The leader has `1.33× go-gorilla (30,120/s, 95 % CI 1.29–1.37×)`; of what is better lower, the rival has 1.33×. */
function describeRival(place: Place, judgement: Judgement, measure: Measure): string {
  const { contender } = place;
  const ratio = ratioOf(judgement, judgement.best[0] ?? "", contender);
  if (ratio === null) return `${contender} ${write(place, measure)}`;
  const factor = `${format.formatFactor(ratio.ratio)}×`;
  const limits = `(${write(place, measure)}, ${describeLimits(ratio)})`;
  return measure.better === "higher"
    ? `${factor} ${contender} ${limits}`
    : `${contender} ${factor} ${limits}`;
}

function write(place: Place | undefined, measure: Measure): string {
  const value = formatMeasure(measure, place?.value ?? null);
  return place?.standing === "lower-bound" ? `≥ ${value}` : value;
}

/** Why there is nobody to choose; null where that is said of the run as a whole, or of a contender. */
function describeOpen(judgement: Judgement, result: Result): string | null {
  switch (judgement.outcome) {
    case "leads":
      return describeSmallLead(judgement, result);
    case "censored":
      return `${describeCensored(judgement, result)}${describeBehind(judgement)}`;
    case "equivalent":
      return describeEquivalent(judgement, result);
    case "undecided":
      return describeUndecided(judgement, result);
    case "alone": {
      const [only, ...others] = judgement.places;
      if (others.length === 0) return null;
      const measure = measureOf(judgement.measure);
      return `${only?.contender} ${write(only, measure)} ${onCpus(judgement)}, with nobody to compare${describeMissing(judgement, result)}`;
    }
    case "single":
    case "invalid":
    case "unfit":
      return null;
  }
}

function marginOf({ plan }: Result): string {
  return `${plan.marginPercent} %`;
}

function describeSmallLead(judgement: Judgement, result: Result): string | null {
  const lead = smallLeadOf(judgement);
  if (lead === undefined) return null;
  return `${lead.first}: ${format.formatFactor(lead.ratio)}× ${lead.second} (${describeLimits(lead)}), a lead within ${marginOf(result)} after ${describeBasis(judgement)}`;
}

function describeEquivalent(judgement: Judgement, result: Result): string {
  const { best } = judgement;
  const ratio = best.length === 2 ? ratioOf(judgement, best[0] ?? "", best[1] ?? "") : null;
  const limits = ratio === null ? "" : ` (${describeLimits(ratio)})`;
  return `${joinSome(best)} are equal within ${marginOf(result)}${limits} after ${describeBasis(judgement)}${describeBehind(judgement)}`;
}

/** `not decided between A and B: ±18 % after 5 rounds on 1 CPU; about 40 more needed to see 5 %` */
function describeUndecided(judgement: Judgement, result: Result): string | null {
  const { places, best, pairs, measure: name } = judgement;
  const measure = measureOf(name);
  const [first] = rankedOf(judgement);
  const bound = places.find(({ standing }) => standing === "lower-bound");
  if (first === undefined) {
    const missing = describeMissing(judgement, result);
    return missing === "" ? null : `not decided${missing.replace(";", ":")}`;
  }
  if (best.length < 2 && bound !== undefined) {
    return `not decided: ${bound.contender} sustained at least ${write(bound, measure)} when the generator ended its search, ${first.contender} ${write(first, measure)}, ${onCpus(judgement)}`;
  }
  const open = pairs.filter(
    (pair) => pair.kind === "undecided" && best.includes(pair.first) && best.includes(pair.second),
  );
  const spread = describeSpread(open);
  const more = describeFurther(open, marginOf(result));
  return `not decided between ${joinSome(best)}${spread === null ? "" : `: ${spread}`} after ${describeBasis(judgement)}${more}${describeMissing(judgement, result)}${describeBehind(judgement)}`;
}

/** Limits wider than this say only that nothing is known. */
const widestTold = 100;

/** Of the pair that is known worst: `±18 %`, or from twofold on `within a factor of 2.4`. */
function describeSpread(open: readonly JudgedPair[]): string | null {
  const widths = open.flatMap((pair) => ("low" in pair ? Math.sqrt(pair.high / pair.low) : []));
  if (widths.length === 0) return null;
  const widest = Math.max(...widths);
  return widest < 2
    ? `±${format.formatShare(widest - 1)}`
    : widest > widestTold
      ? `not even within a factor of ${widestTold}`
      : `within a factor of ${format.formatFactor(widest)}`;
}

function describeFurther(open: readonly JudgedPair[], margin: string): string {
  const counts = open.flatMap((pair) => (pair.kind === "undecided" ? [pair.further.atMost] : []));
  const known = counts.filter((count) => count !== null);
  if (counts.length === 0) return "";
  if (known.length < counts.length) return `; not even 10,000 more would show ${margin}`;
  return `; about ${format.formatCount(Math.max(...known))} more needed to see ${margin}`;
}

function describeBehind({ places, best }: Judgement): string {
  const behind = places.filter(
    ({ contender, standing }) => standing === "ranked" && !best.includes(contender),
  );
  return behind.length === 0 ? "" : `. Clearly behind: ${joinSome(behind.map(({ contender }) => contender))}`;
}

function describeCensored(judgement: Judgement, { plan }: Result): string {
  const { measure, phase, limit } = judgement;
  const where = onCpus(judgement);
  const reached = reachedOf(judgement);
  const all = everyone(reached, judgement);
  const isAlone = reached.length === 1;
  const not = isAlone ? "" : "not decided: ";
  switch (measure) {
    case "connections": {
      const asked = `${format.formatCount(plan.connections)} connections`;
      if (limit === null) return `${not}${all} opened all ${asked} ${where}`;
      const isEveryone = reached.every(({ value }) => (value ?? 0) < plan.connections);
      return isEveryone
        ? `${not}${all} stopped at ${describeLimit(limit)}, ${where}`
        : `${not}each opened all ${asked} or stopped at ${describeLimit(limit)}, ${where}`;
    }
    case "sustained": {
      const workload = phase.replace(/^endurance-/, "");
      return `${not}${all} sustained the target of ${format.formatRate(plan.enduranceRatePerSecond)} ${where}. --phases connect,capacity-${workload} finds the limits`;
    }
    case "capacity":
      return `${not}the generator ended every search, so all are lower bounds, ${where}`;
    case "unaffected.in-time":
      return `${not}${isAlone ? "its" : "all"} unaffected clients got at least 99.9 % of their deliveries in time, ${where}`;
    default:
      return `${not}${all} did all that was asked ${where}`;
  }
}

/** Those at the ceiling: the best where others did not reach it. */
function reachedOf({ places, best }: Judgement): Place[] {
  return best.length > 0
    ? places.filter(({ contender }) => best.includes(contender))
    : places.filter(({ standing }) => standing === "censored" || standing === "lower-bound");
}

function everyone(reached: readonly Place[], { best }: Judgement): string {
  if (reached.length === 1 || best.length > 0) return joinSome(reached.map(({ contender }) => contender));
  return reached.length === 2 ? "both" : `all ${format.formatSmallCount(reached.length)}`;
}

function describeStanding({ standing, reason }: Place, measure: string): string {
  if (reason !== null) return describeReason(reason);
  if (standing !== "unfit") return standing;
  return measure === "capacity" ? "it sustained no rate" : "it lost more than 0.1 % of its deliveries";
}

/** Another phase has the same measure, so that the phase has to be named. */
function isOneOfMany({ measure }: Judgement, { plan }: Result): boolean {
  return plan.phases.filter(({ kind }) => decidingMeasures[kind].includes(measure)).length > 1;
}

/**
 * One line for each who leads in anything, and for each group of equals: `Choose A on 1 CPU for throughput (burst-echo),
 * p99 latency (all 3 phases).`
 */
export function listChoices(judgements: readonly Judgement[], result: Result): Sentence[] {
  const choices = judgements.filter((one) => isChoice(one) || one.outcome === "equivalent");
  const alike = Map.groupBy(choices, ({ best, league }) => [league, ...best].join("\n"));
  return [...alike.values()].flatMap((those): Sentence[] => {
    const [first] = those;
    if (first === undefined) return [];
    const { best, league } = first;
    const among = hasLeagues(judgements) ? ` (${league})` : "";
    const where = onCpus(first);
    const lead =
      best.length === 1
        ? `Choose ${best[0]}${among} ${where} for`
        : `${joinSome(best)}${among} are equal within ${marginOf(result)} ${where} for`;
    return [{ lead, text: `${listUses(those, judgements)}.` }];
  });
}

/** `throughput (both phases), CPU per delivery (burst-echo)` */
function listUses(those: readonly Judgement[], all: readonly Judgement[]): string {
  const uses = [...Map.groupBy(those, ({ measure }) => measure)].map(([measure, inPhases]) => {
    const phases = all.filter((one) => one.measure === measure && one.league === inPhases[0]?.league).length;
    if (phases === 1) return wordsOf(measure);
    const every = phases === 2 ? "both phases" : `all ${phases} phases`;
    const where = phases === inPhases.length ? every : inPhases.map(({ phase }) => phase).join(", ");
    return `${wordsOf(measure)} (${where})`;
  });
  return uses.join(", ");
}

/** What explains the leads, the strongest first: `9.00–18.1× in burst-broadcast: A put 31 messages …` */
export function listCauses(judgements: readonly Judgement[]): Sentence[] {
  const all = judgements
    .flatMap(({ phase, causes }) => causes.map((cause) => ({ phase, ...cause })))
    .sort((a, b) => b.factor - a.factor);
  const distinct = [...Map.groupBy(all, (cause) => keyOf(cause.phase, cause)).values()].flatMap((alike) =>
    alike.slice(0, 1),
  );
  const told = Map.groupBy(distinct, ({ phase, kind, best }) => [phase, kind, best.contender].join("\n"));
  return [...told.values()].map((causes) => {
    const factors = causes.map(({ factor }) => factor);
    const [least, most] = [Math.min(...factors), Math.max(...factors)].map(format.formatFactor);
    const range = least === most ? most : `${least}–${most}`;
    return { lead: `${range}× in ${causes[0]?.phase}:`, text: describeCauses(causes).join(" ") };
  });
}

/** Says the same of throughput, latency and cost. */
function keyOf(phase: string, { kind, best, other }: Cause): string {
  return [phase, kind, best.contender, other.contender].join("\n");
}

/** What could not be decided and why, each reason once; what matters most first. */
export function listOpenQuestions(judgements: readonly Judgement[], result: Result): Sentence[] {
  const those = (outcome: Judgement["outcome"]) =>
    judgements
      .filter((one) => one.outcome === outcome && one.places.length > 1)
      .flatMap((one) => {
        const text = describeOpen(one, result);
        return text === null ? [] : [open(one, text, judgements, result)];
      });
  return [
    ...[...noteSingleRound(judgements, result), ...noteUnranked(judgements)].map((text) => ({ text })),
    ...those("leads"),
    ...those("censored"),
    ...those("undecided"),
  ];
}

/** Each league of one, once; of a floor nobody expects a rival. */
function noteAlone(judgements: readonly Judgement[]): string[] {
  const alone = judgements.filter(({ places, league }) => places.length === 1 && league !== "floor");
  return [...Map.groupBy(alone, ({ league }) => league)].map(([league, [one]]) => {
    const among = hasLeagues(judgements) ? ` in league ${league}` : "";
    return `${one?.places[0]?.contender} is alone${among}: figures, and nobody to compare with.`;
  });
}

function noteSingleRound(judgements: readonly Judgement[], { rounds }: Result): string[] {
  const single = judgements.filter(({ outcome }) => outcome === "single");
  if (single.length === 0) return [];
  return single.some(({ places }) => places.some(({ rounds }) => rounds > 1))
    ? ["A measure of which only one round counts ranks nobody: use --rounds 5."]
    : rounds.some(({ round }) => round > 1)
      ? ["Only one round counts: it shows figures and ranks nobody."]
      : ["One round shows figures and ranks nobody: use --rounds 5."];
}

/** Each reason once, with the phases: of what the machine did for all of them together, with the first one's numbers. */
function noteUnranked(judgements: readonly Judgement[]): string[] {
  const unranked = judgements.flatMap(({ phase, places, measure }) =>
    places
      .filter(({ standing }) => standing === "unfit" || standing === "invalid")
      .map((place) => {
        const why = describeStanding(place, measure);
        const { contender: name, reason } = place;
        return {
          phase,
          name,
          why,
          cause: place.standing === "invalid" ? (reason?.kind ?? "") : `${name}\n${why}`,
        };
      }),
  );
  const each = [...Map.groupBy(unranked, ({ name, cause }) => `${name}\n${cause}`).values()].flatMap(
    (all) => {
      const phases = format.joinNames([...new Set(all.map(({ phase }) => phase))]);
      return all.slice(0, 1).map((one) => ({ ...one, phases }));
    },
  );
  return [...Map.groupBy(each, ({ phases, cause }) => `${phases}\n${cause}`).values()].flatMap((alike) => {
    const are = alike.length === 1 ? "is" : "are";
    const names = joinSome(alike.map(({ name }) => name));
    return alike.slice(0, 1).map(({ phases, why }) => `${names} ${are} not ranked in ${phases}: ${why}.`);
  });
}

function rankedOf({ places }: Judgement): Place[] {
  return places.filter(({ standing }) => standing === "ranked");
}

/** Whether a figure is to be marked: nobody is clearly better in its league, and somebody is clearly worse. */
export function isMarked(judgements: readonly Judgement[], measure: string, contender: string): boolean {
  return judgements.some(
    (one) =>
      one.measure === measure &&
      one.best.includes(contender) &&
      one.best.length < rankedOf(one).length &&
      one.outcome !== "single" &&
      one.outcome !== "alone",
  );
}

function capitalize(text: string): string {
  // A percentile is written small.
  return /^p\d/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
