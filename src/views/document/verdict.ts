import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { formatMeasure, type Measure } from "../../measures/measure.ts";
import type { Judgement, Place } from "../../result/judgement.ts";
import type { Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { describeLimit } from "../text/failure-text.ts";
import { describeReason } from "../text/reason-text.ts";
import type { Sentence } from "./block.ts";

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
  const concluded = judgements.flatMap((judgement): Sentence[] => {
    const { outcome, measure, best } = judgement;
    if (outcome === "leads") {
      const where = isOneOfMany(judgement, result) ? ` in ${judgement.phase}` : "";
      const lead = `Choose ${best[0]} for ${wordsOf(measure)}${where}:`;
      return [{ lead, text: `${describeLead(judgement)}.`, style: "good" }];
    }
    const text = describeOpen(judgement, result);
    return text === null ? [] : [{ lead: titleOf(judgement, result), text: `${text}.` }];
  });
  return [
    ...noteSingleRound(judgements).map((text) => ({ text })),
    ...concluded,
    ...noteUnranked(judgements).map((text): Sentence => ({ text, style: "warning" })),
  ];
}

function titleOf(judgement: Judgement, result: Result): string {
  const { measure, phase } = judgement;
  return `${capitalize(wordsOf(measure))}${isOneOfMany(judgement, result) ? `, ${phase}` : ""}:`;
}

/** The figures of who leads, of the next and of the last. */
function describeLead({ measure: name, places, rounds }: Judgement): string {
  const measure = measureOf(name);
  const ranked = places.filter(({ standing }) => standing === "ranked");
  const [first, ...rivals] = ranked;
  const told = rivals.length > 3 ? [...rivals.slice(0, 2), ...rivals.slice(-1)] : rivals;
  const rivalTexts = told
    .map((place) => describeRival(place, measure))
    .join(measure.better === "higher" ? ", " : "; ");
  return `${write(first, measure)}; ${rivalTexts}; ${format.plural(rounds, "round")}`;
}

/** The leader has `1.33× go-gorilla (30,120/s, 95 % CI 1.29–1.37×)`; of what is better lower, the rival has 1.33×. */
function describeRival(place: Place, measure: Measure): string {
  const { contender, ratio } = place;
  if (ratio === null) return `${contender} ${write(place, measure)}`;
  const factor = `${format.formatFactor(ratio.value)}×`;
  const limits = `(${write(place, measure)}, 95 % CI ${format.formatFactor(ratio.low)}–${format.formatFactor(ratio.high)}×)`;
  return measure.better === "higher"
    ? `${factor} ${contender} ${limits}`
    : `${contender} ${factor} ${limits}`;
}

function write(place: Place | undefined, measure: Measure): string {
  const value = formatMeasure(measure, place?.value ?? null);
  return place?.standing === "lower-bound" ? `≥ ${value}` : value;
}

/** Why nobody leads; null where that is said of the run as a whole, or of a contender. */
function describeOpen(judgement: Judgement, result: Result): string | null {
  switch (judgement.outcome) {
    case "censored":
      return describeCensored(judgement, result);
    case "equivalent":
      return `${joinSome(judgement.best)} are equal within the margin, over ${format.plural(judgement.rounds, "round")}`;
    case "undecided":
      return describeUndecided(judgement);
    case "leads":
    case "single":
    case "invalid":
    case "unfit":
      return null;
  }
}

function describeUndecided(judgement: Judgement): string | null {
  const { places, best, rounds, measure: name } = judgement;
  const measure = measureOf(name);
  const [first] = places.filter(({ standing }) => standing === "ranked");
  const bound = places.find(({ standing }) => standing === "lower-bound");
  if (first === undefined) return null;
  if (best.length < 2 && bound !== undefined) {
    return `not decided: ${bound.contender} reached at least ${write(bound, measure)} when the generator ended its search, ${first.contender} ${write(first, measure)}`;
  }
  if (best.length < 2) {
    return `${first.contender} ${write(first, measure)}, with nobody to compare`;
  }
  const rivals = places.filter(({ contender, ratio }) => best.includes(contender) && ratio !== null);
  const [closest] = rivals;
  const ratio =
    closest?.ratio == null
      ? ""
      : `: ratio ${format.formatFactor(closest.ratio.value)} (95 % CI ${format.formatFactor(closest.ratio.low)}–${format.formatFactor(closest.ratio.high)})`;
  const behind = places.filter(
    ({ contender, standing }) => standing === "ranked" && !best.includes(contender),
  );
  const rest =
    behind.length === 0 ? "" : `. Clearly behind: ${joinSome(behind.map(({ contender }) => contender))}`;
  return `not decided between ${joinSome(best)} after ${format.plural(rounds, "round")}${ratio}${rest}`;
}

function describeCensored({ measure, places, phase, limit }: Judgement, { plan }: Result): string {
  const reached = places.filter(({ standing }) => standing === "censored" || standing === "lower-bound");
  const all = everyone(reached);
  const isAlone = reached.length === 1;
  const not = isAlone ? "" : "not decided. ";
  switch (measure) {
    case "connections": {
      const asked = `${format.formatCount(plan.connections)} connections`;
      if (limit === null) return `${not}${capitalize(all)} opened all ${asked}`;
      const isEveryone = reached.every(({ value }) => (value ?? 0) < plan.connections);
      return isEveryone
        ? `${not}${capitalize(all)} stopped at ${describeLimit(limit)}`
        : `${not}Each opened all ${asked} or stopped at ${describeLimit(limit)}`;
    }
    case "sustained": {
      const workload = phase.replace(/^endurance-/, "");
      return `${not}${capitalize(all)} sustained the target of ${format.formatRate(plan.enduranceRatePerSecond)}. --phases connect,capacity-${workload} finds the limits`;
    }
    case "capacity":
      return `${not}The generator ended every search, so all are lower bounds`;
    case "unaffected.in-time":
      return `${not}${isAlone ? "Its" : "All"} unaffected clients got at least 99.9 % of their deliveries in time`;
    default:
      return `${not}${capitalize(all)} did all that was asked`;
  }
}

function everyone(places: readonly Place[]): string {
  if (places.length === 1) return places[0]?.contender ?? "";
  return places.length === 2 ? "both" : `all ${format.formatSmallCount(places.length)}`;
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

/** `Choose A for throughput (burst-echo), p99 latency (all phases).`: one line for each who leads in anything. */
export function listChoices(judgements: readonly Judgement[]): Sentence[] {
  const leads = judgements.filter(({ outcome }) => outcome === "leads");
  return [...Map.groupBy(leads, ({ best }) => best[0] ?? "")].map(([name, led]) => {
    const uses = [...Map.groupBy(led, ({ measure }) => measure)].map(([measure, inPhases]) => {
      const phases = judgements.filter((one) => one.measure === measure).length;
      if (phases === 1) return wordsOf(measure);
      const where =
        phases === inPhases.length
          ? phases === 2
            ? "both phases"
            : `all ${phases} phases`
          : inPhases.map(({ phase }) => phase).join(", ");
      return `${wordsOf(measure)} (${where})`;
    });
    return { lead: `Choose ${name} for`, text: `${uses.join(", ")}.` };
  });
}

/** What could not be decided and why, each reason once; what matters most first. */
export function listOpenQuestions(judgements: readonly Judgement[], result: Result): string[] {
  const open = (outcome: Judgement["outcome"]) =>
    judgements
      .filter((one) => one.outcome === outcome && one.places.length > 1)
      .flatMap((one) => {
        const text = describeOpen(one, result);
        return text === null ? [] : [`${titleOf(one, result)} ${text}.`];
      });
  return [
    ...noteSingleRound(judgements),
    ...noteUnranked(judgements),
    ...open("censored"),
    ...open("undecided"),
  ];
}

function noteSingleRound(judgements: readonly Judgement[]): string[] {
  const isSingle = judgements.some(({ outcome, places }) => outcome === "single" && countRanked(places) > 1);
  return isSingle ? ["One round shows figures and ranks nobody: use --rounds 5."] : [];
}

/** Each contender and reason once, with the phases. */
function noteUnranked(judgements: readonly Judgement[]): string[] {
  const unranked = judgements.flatMap(({ phase, places, measure }) =>
    places
      .filter(({ standing }) => standing === "unfit" || standing === "invalid")
      .map((place) => ({ phase, name: place.contender, why: describeStanding(place, measure) })),
  );
  return [...Map.groupBy(unranked, ({ name, why }) => `${name}\n${why}`).values()].map((all) => {
    const phases = [...new Set(all.map(({ phase }) => phase))];
    return `${all[0]?.name} is not ranked in ${format.joinNames(phases)}: ${all[0]?.why}.`;
  });
}

function countRanked(places: readonly Place[]): number {
  return places.filter(({ standing }) => standing === "ranked").length;
}

/** Whether a figure is to be marked: nobody is clearly better, and somebody is clearly worse. */
export function isMarked({ outcome, best, places }: Judgement, contender: string): boolean {
  if (outcome !== "leads" && outcome !== "undecided" && outcome !== "equivalent") return false;
  return best.includes(contender) && best.length < countRanked(places);
}

function capitalize(text: string): string {
  // A percentile is written small.
  return /^p\d/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
}
