import { countRounds } from "../../measures/sections.ts";
import type { Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import type { Style } from "../../text/style.ts";
import {
  type Block,
  heading,
  list,
  makePrintable,
  paragraph,
  type Sentence,
  type Table,
  table,
} from "../document/block.ts";
import { type Change, isClear, stepOf } from "./change.ts";
import { describeChange, explainChange, formatLimits, formatValues, nameChange } from "./change-text.ts";
import { type Comparison, listChanges, type PhaseComparison } from "./comparison.ts";
import { listRemarks, listWarnings } from "./comparison-text.ts";
import { describeOutcome, type GateOutcome } from "./gates.ts";

/** The comparison as a document, for every renderer. */
export function buildComparison(comparison: Comparison, outcomes: readonly GateOutcome[]): Block[] {
  const styled = (texts: readonly string[], style: Style) => list(texts.map((text) => ({ text, style })));
  const blocks = [
    heading(2, "Comparison of two showdowns"),
    ...list(describeRuns(comparison)),
    paragraph(summarize(comparison)),
    ...list(listWarnings(comparison).map((text) => ({ lead: "Warning:", text, style: "warning" }))),
    ...comparison.phases.flatMap((phase) => [heading(3, phase.name), table(buildTable(phase))]),
    heading(3, "How to read this"),
    ...list(describeContenders(comparison)),
    ...styled(listRemarks(comparison), "dim"),
    ...(outcomes.length === 0 ? [] : [heading(3, "Fail on")]),
    ...(["failed", "undecided", "passed"] as const).flatMap((which) =>
      styled(outcomes.filter(({ outcome }) => outcome === which).map(describeOutcome), outcomeStyles[which]),
    ),
  ];
  return blocks.map(makePrintable);
}

/** The comparison as data, every measure of it. */
export function toJson(comparison: Comparison, outcomes: readonly GateOutcome[]) {
  const { before, after, phases, otherMachine, otherSettings, contenders } = comparison;
  const describe = ({ id, startedAt, status }: Result) => ({ id, startedAt, status });
  return {
    a: describe(before),
    b: describe(after),
    otherMachine,
    otherSettings,
    contenders,
    warnings: listWarnings(comparison),
    remarks: listRemarks(comparison),
    phases: phases.map(({ name, otherWork, changes }) => ({
      name,
      otherWork,
      changes: changes.map(changeToJson),
    })),
    failOn: outcomes,
  };
}

/** One change as data: everything in the unit of its measure. */
function changeToJson(change: Change) {
  const { before, after, kind, ratio, limits } = change;
  return {
    contender: after.contender,
    measure: after.measure.name,
    unit: after.measure.unit,
    better: after.measure.better,
    kind,
    before: before.value,
    after: after.value,
    step: stepOf(change),
    rounds: [before, after].map(({ values, unreached }) => values.length + unreached),
    unreached: [before.unreached, after.unreached],
    ratio,
    limits,
    reason: explainChange(change),
  };
}

const outcomeStyles = { passed: "good", failed: "bad", undecided: "warning" } as const satisfies Record<
  GateOutcome["outcome"],
  Style
>;

function describeRuns({ before, after }: Comparison): string[] {
  const describe = ({ environment, ...result }: Result) =>
    `${result.id}: ${format.plural(countRounds(result), "round")}, ${environment.cpuModel}, ${format.plural(environment.cpuCount, "CPU")}`;
  return [`A: ${describe(before)}`, `B: ${describe(after)}`];
}

/** What has changed beyond doubt, or that nothing has, or that nothing can be said. */
function summarize(comparison: Comparison): Sentence {
  const shown = comparison.phases.flatMap((phase) =>
    phase.changes.filter((change) => isShown(phase, change)),
  );
  const clear = shown.filter(isClear);
  const gone = listChanges(comparison).filter(
    ({ before, after }) => before.value !== null && after.value === null,
  ).length;
  const are = gone === 1 ? "is" : "are";
  const losses = gone === 0 ? "" : `${format.plural(gone, "figure")} of A ${are} missing in B.`;
  if (shown.every((change) => change.limits === null && !isClear(change)))
    return { lead: "Nothing could be judged.", text: losses };
  if (clear.length === 0) return { lead: "No clear change in what could be judged.", text: losses };
  const told = clear.slice(0, 5);
  const names = told.map((change) => `${nameChange(change)} ${describeChange(change)} (${change.kind})`);
  const more = clear.length > told.length ? `, and ${clear.length - told.length} more` : "";
  const lead = `${format.plural(clear.length, "clear change")}:`;
  return { lead, text: `${names.join(", ")}${more}. ${losses}` };
}

const columns: Table["columns"] = [
  { header: "contender, measure", align: "left" },
  { header: "A", align: "right" },
  { header: "B", align: "right" },
  { header: "change", align: "right" },
  { header: "result", align: "left" },
  { header: "95 % CI", align: "right" },
];

function buildTable(phase: PhaseComparison): Table {
  const rows = phase.changes
    .filter((change) => isShown(phase, change))
    .map((change): Table["rows"][number] => {
      const { after, limits, kind } = change;
      const { text, style } = kinds[kind];
      const [a, b] = formatValues(change);
      return {
        cells: [
          { text: `${after.contender} ${after.measure.name}` },
          { text: a },
          { text: b },
          { text: describeChange(change), style },
          { text, style },
          { text: limits === null ? format.unknown : formatLimits(limits) },
        ],
      };
    });
  return { columns, rows };
}

/** What a phase is about, and whatever else of it changed or went missing. */
function isShown({ kind: phaseKind }: PhaseComparison, change: Change): boolean {
  const { kind, before, after } = change;
  if (after.measure.shown.includes(phaseKind)) return before.value !== null || after.value !== null;
  return (
    isClear(change) ||
    (kind === "no-ratio" && before.value !== after.value) ||
    (before.value === null) !== (after.value === null)
  );
}

const kinds: Readonly<Record<Change["kind"], { readonly text: string; readonly style: Style }>> = {
  better: { text: "better", style: "good" },
  worse: { text: "worse", style: "bad" },
  "no-clear-change": { text: "not decided", style: "dim" },
  "single-round": { text: "single round: no claim", style: "dim" },
  "not-comparable": { text: "not comparable", style: "warning" },
  "no-ratio": { text: "zero: no claim", style: "warning" },
  "not-reached": { text: "not reached in every round: no claim", style: "warning" },
  missing: { text: "no value", style: "warning" },
};

function describeContenders({ contenders }: Comparison): string[] {
  const same = contenders.filter(({ differences }) => differences.length === 0);
  return [
    ...contenders.flatMap(({ contender, differences }) =>
      differences.length === 0 ? [] : [`${contender}: ${differences.join("; ")}.`],
    ),
    ...(same.length === 0
      ? []
      : [
          `Same sources, toolchains and settings in both: ${format.joinNames(same.map(({ contender }) => contender))}.`,
        ]),
  ];
}
