import { judge } from "../../judgement/judge.ts";
import { listSections, type Section, titleOf } from "../../measures/sections.ts";
import type { Judgement } from "../../result/judgement.ts";
import type { Result } from "../../result/schema.ts";
import { accountMeanings, buildAccount } from "./account.ts";
import { buildAgents } from "./agents.ts";
import { article } from "./article/article.ts";
import { type Claim, countUnfairly, retestArticle } from "./article/claims.ts";
import {
  type Block,
  details,
  heading,
  list,
  makePrintable,
  paragraph,
  type Sentence,
  type Table,
  table,
} from "./block.ts";
import { buildCharts } from "./charts.ts";
import { buildConditions, buildContenders, buildRounds } from "./conditions.ts";
import { describeRun } from "./facts.ts";
import { buildFaultBlocks, faultMeanings } from "./fault-tables.ts";
import { listHeld } from "./held.ts";
import { summarizeIdling } from "./idling.ts";
import { listNotes } from "./notes.ts";
import { buildPhaseTable, listMeanings } from "./phase-table.ts";
import { buildSizing, type Demand } from "./sizing.ts";
import { buildSummaryTable } from "./summary.ts";
import { buildTroubles, summarizeTroubles } from "./troubles.ts";
import {
  describeLeagues,
  hasLeagues,
  listCauses,
  listChoices,
  listOpenQuestions,
  listVerdicts,
  onCpus,
} from "./verdict.ts";

/** Of a list on one screen. */
const mostLines = { held: 6, choices: 8, open: 5 };

/** A whole run in one page, the verdict first. */
export function buildReport(result: Result, demand: Demand): Block[] {
  const sections = listSections(result);
  return [
    ...buildHead(result),
    ...buildVerdict(result, true),
    ...buildTroubles(result),
    ...buildPhases(result),
    ...buildSizing(result, demand),
    ...buildClaims(result, true),
    ...buildContenders(result),
    ...buildConditions(result),
    ...buildRounds(result),
    ...buildGlossary(sections),
  ].map(makePrintable);
}

/** What a terminal shows of it when all tables are wanted. */
export function buildDetails(result: Result, demand: Demand): Block[] {
  return [
    ...buildHead(result),
    ...buildPhases(result),
    ...buildTroubles(result),
    ...buildVerdict(result, false),
    ...buildSizing(result, demand),
    ...buildClaims(result, false),
  ].map(makePrintable);
}

/**
 * A run on one screen.
 *
 * @param fits whether the medium has room for so large a table
 * @param mostCauseLines what it has left for what explains the leads
 */
export function buildSummary(
  result: Result,
  fits: (table: Table) => boolean,
  mostCauseLines: number,
): Block[] {
  const judgements = judge(result);
  const summary = buildSummaryTable(result, judgements, fits);
  const held = listSections(result).flatMap((section) => listHeld(section, result.plan));
  const troubles = [...summarizeTroubles(result), ...summarizeIdling(listSections(result), result.plan)];
  return [
    ...buildHead(result),
    ...(summary.rows.length === 0 || summary.columns.length < 2 ? [] : [table(summary)]),
    ...list(held, mostLines.held),
    ...list(listChoices(judgements, result), mostLines.choices),
    ...(mostCauseLines < 1 ? [] : list(listCauses(judgements), mostCauseLines)),
    ...list([...troubles, ...listOpenQuestions(judgements, result)], mostLines.open),
  ].map(makePrintable);
}

function buildHead(result: Result): Block[] {
  return [heading(1, result.id), ...describeRun(result).map((text) => paragraph(text))];
}

/** What the marks and intervals of a verdict mean. */
function explainMarks(judgements: readonly Judgement[]): string {
  const among = hasLeagues(judgements) ? " of their league" : "";
  const where = judgements[0] === undefined ? "" : ` ${onCpus(judgements[0])}`;
  return `Marked figures are the best${among}${where}, or not clearly worse than the best. Brackets show a ratio's 95 % confidence interval, corrected for multiple comparisons; of equal contenders the 90 % interval, which is their test's. A lead is claimed only if the interval excludes 1, and equality only if it lies within the margin.`;
}

/** @param hasRoom for the table of all that decides, which repeats the phases' own */
function buildVerdict(result: Result, hasRoom: boolean): Block[] {
  const judgements = judge(result);
  if (judgements.length === 0) return [];
  const summary = buildSummaryTable(result, judgements, () => true);
  return [
    heading(2, "Verdict"),
    ...(summary.columns.length < 2 || !hasRoom ? [] : [table(summary)]),
    ...describeLeagues(listSections(result)[0]?.participants ?? []).map((text) => paragraph(text)),
    ...list(listVerdicts(judgements, result)),
    ...(judgements.some(({ pairs }) => pairs.some((pair) => "low" in pair))
      ? [paragraph(explainMarks(judgements))]
      : []),
  ];
}

function buildPhases(result: Result): Block[] {
  const judgements = judge(result);
  const sections = listSections(result);
  return sections.flatMap((section) =>
    buildPhase(
      section,
      { result, sections },
      judgements.filter(({ phaseIndex }) => phaseIndex === section.index),
    ),
  );
}

/** Messages that are sent at once can share a write, those that come one by one can't: nobody should mix the two up. */
const paces: Partial<Record<Section["kind"], string>> = {
  burst: "all at once",
  steady: "paced",
  endurance: "paced",
  capacity: "paced",
};

function buildPhase(
  section: Section,
  { result: { plan }, sections }: { readonly result: Result; readonly sections: readonly Section[] },
  judgements: readonly Judgement[],
): Block[] {
  const title = heading(2, [titleOf(section), paces[section.kind] ?? []].flat().join(", "));
  if (section.participants.length === 0) return [title, paragraph("Nobody took part.")];
  const account = buildAccount(section);
  return [
    title,
    table(buildPhaseTable(section, judgements)),
    ...list(listNotes(section, { plan, sections })),
    ...(account === null ? [] : [heading(3, "Deliveries, over all rounds"), table(account)]),
    ...buildAgents(section),
    ...buildCharts(section, plan, judgements),
    ...buildFaultBlocks(section),
  ];
}

const outcomeStyles = { holds: "good", "does not hold": "bad", undecided: "warning" } as const;

/** @param hasRoom for a table with sentences in it */
function buildClaims(result: Result, hasRoom: boolean): Block[] {
  const claims = retestArticle(result);
  if (claims === null || claims.length === 0) return [];
  const unfair = countUnfairly(result);
  return [
    heading(2, "The article's claims, re-tested"),
    paragraph(
      `"${article.title}" (${article.source}), with ${article.sides.elixir} and ${article.sides.go} for its two servers. Its figures are of another machine (${article.machine}).`,
    ),
    ...(hasRoom ? [table(tableOfClaims(claims))] : list(claims.map(listClaim))),
    ...(unfair.length === 0
      ? []
      : [
          paragraph(
            "The same bursts, counted as the article did: by messages sent, and by WebSocket frames received.",
          ),
          table({
            columns: [
              { header: "burst", align: "left" },
              ...["delivered", "sent", "frames"].map((header) => ({ header, align: "right" as const })),
            ],
            rows: unfair.map((texts) => ({ cells: texts.map((text) => ({ text })) })),
          }),
        ]),
  ];
}

function tableOfClaims(claims: readonly Claim[]): Table {
  return {
    columns: ["claim", "article", "measured", "outcome", "why"].map((header) => ({ header, align: "left" })),
    rows: claims.map(({ claim, article: figures, measured, outcome, why }) => ({
      cells: [
        { text: claim },
        { text: figures },
        { text: measured },
        { text: outcome, style: outcomeStyles[outcome] },
        { text: why },
      ],
    })),
  };
}

function listClaim({ claim, article: figures, measured, outcome }: Claim): Sentence {
  const text = `${claim} Article: ${figures}. Measured: ${measured}.`;
  return { lead: `${outcome}:`, text, style: outcomeStyles[outcome] };
}

function buildGlossary(sections: readonly Section[]): Block[] {
  if (sections.length === 0) return [];
  const isChaos = sections.some(({ kind }) => kind === "chaos");
  const meanings = new Map([
    ...listMeanings(sections),
    ...accountMeanings,
    ...(isChaos ? faultMeanings : []),
  ]);
  return [
    heading(2, "What the figures mean"),
    paragraph(
      "Figures are medians over the valid rounds, never the best of several. Invalid, failed and aborted phases have no figures. Counts of lost and damaged deliveries are sums over all rounds.",
    ),
    details("All columns", list([...meanings].map(([header, text]) => ({ lead: `${header}:`, text })))),
  ];
}
