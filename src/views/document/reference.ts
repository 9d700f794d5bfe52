import { comparePairs, termsOf } from "../../judgement/compare-rounds.ts";
import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { listSections, type Participant } from "../../measures/sections.ts";
import type { Result } from "../../result/schema.ts";
import type { Terms } from "../../stats/pair-outcomes.ts";
import { formatFactor, unknown } from "../../text/format.ts";
import type { Column } from "../../text/table.ts";
import { type Block, heading, makePrintable, paragraph, table } from "./block.ts";

/**
 * How many times better each contender is than one of them, in whatever league: a variant beside its default, or anybody
 * beside a floor. Each pair by itself, and nobody is ranked.
 *
 * @param name of one that takes part, such as `node-ws:tuned`
 */
export function buildReference(result: Result, name: string): Block[] {
  const terms = termsOf(result);
  const asked = listSections(result).flatMap(({ kind, name: phase, index, participants }) =>
    decidingMeasures[kind].map((measure) => ({
      column: { header: measureOf(measure).header, align: "right", group: index, title: phase } as Column,
      measure: measureOf(measure),
      participants,
    })),
  );
  const told = asked.map(({ column, measure, participants }) => ({
    column,
    compare: (other: string) => {
      const pair = [other, name].flatMap((one) => participants.find((those) => those.name === one) ?? []);
      return pair.length < 2 ? unknown : describeRatio(pair, measure, terms);
    },
  }));
  const others = (listSections(result)[0]?.participants ?? []).filter((one) => one.name !== name);
  const rows = others.map((other) => ({
    name: other.name,
    cells: told.map(({ compare }) => compare(other.name)),
  }));
  // A measure by which nobody can be compared says nothing.
  const kept = told.flatMap(({ column }, at) =>
    rows.some(({ cells }) => cells[at] !== unknown) ? [{ column, at }] : [],
  );
  if (kept.length === 0) return [];
  return [
    heading(2, `Against ${name}`),
    paragraph(
      "How many times better, also across leagues. Brackets show the 95 % confidence interval of each pair by itself.",
    ),
    table({
      columns: [{ header: "contender", align: "left" }, ...kept.map(({ column }) => column)],
      rows: rows.map(({ name: contender, cells }) => ({
        cells: [
          { text: contender, style: "strong" as const },
          ...kept.map(({ at }) => ({ text: cells[at] ?? unknown })),
        ],
      })),
    }),
  ].map(makePrintable);
}

/** `1.25× (1.13–1.38)` of the first of two; without brackets where there are too few rounds for any. */
function describeRatio(
  pair: readonly Participant[],
  measure: Parameters<typeof comparePairs>[1],
  terms: Terms,
): string {
  const [judged] = comparePairs(pair, measure, terms);
  if (judged === undefined || judged.outcome.kind === "absent") return unknown;
  const { outcome } = judged;
  const turn = (factor: number) => formatFactor(judged.first === pair[0]?.name ? factor : 1 / factor);
  if (outcome.kind === "early") return `${turn(outcome.ratio)}×`;
  const limits = [turn(outcome.low), turn(outcome.high)];
  if (judged.first !== pair[0]?.name) limits.reverse();
  return `${turn(outcome.ratio)}× (${limits.join("–")})`;
}
