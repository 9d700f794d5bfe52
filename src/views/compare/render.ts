import type { Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { createPainter, type Style } from "../../text/style.ts";
import {
  type Column,
  escapeMarkdown,
  type Row,
  renderMarkdown as renderTable,
  renderText,
  type Table,
} from "../../text/table.ts";
import type { Change } from "./change.ts";
import { type Comparison, formatChange, type PhaseComparison } from "./comparison.ts";
import { type FailOnOutcome, formatLimits } from "./fail-on.ts";
import { writeValue } from "./measures.ts";

export interface TerminalOptions {
  readonly columns: number;
  readonly color: boolean;
}

/** The comparison for a terminal. Ends with a line break. */
export function renderTerminal(
  comparison: Comparison,
  outcomes: readonly FailOnOutcome[],
  { columns, color }: TerminalOptions,
): string {
  const paint = createPainter(color);
  const lines = [
    ...describeRuns(comparison),
    "",
    paint(summarize(comparison), "strong"),
    ...comparison.warnings.map((text) => paint(`! ${text}`, "warning")),
    ...comparison.phases.flatMap((phase) => [
      "",
      paint(phase.name, "strong"),
      ...renderText(buildTable(phase), { width: columns, color }),
    ]),
    ...describeContenders(comparison).flatMap((text, at) => (at === 0 ? ["", text] : [text])),
    ...comparison.remarks.flatMap((text, at) => (at === 0 ? ["", paint(text, "dim")] : [paint(text, "dim")])),
    ...outcomes.flatMap((outcome, at) => [
      ...(at === 0 ? ["", paint("Fail on", "strong")] : []),
      paint(describeOutcome(outcome), outcomeStyles[outcome.outcome]),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

/** The comparison as a section of a page, such as a job summary. Ends with a line break. */
export function renderMarkdown(comparison: Comparison, outcomes: readonly FailOnOutcome[]): string {
  const bullets = (texts: readonly string[]) => texts.map((text) => `- ${escapeMarkdown(text)}`);
  const blocks = [
    ["## Comparison of two showdowns"],
    bullets(describeRuns(comparison)),
    [`**${escapeMarkdown(summarize(comparison))}**`],
    ...(outcomes.length === 0 ? [] : [["### Fail on"], bullets(outcomes.map(describeOutcome))]),
    ...(comparison.warnings.length === 0 ? [] : [bullets(comparison.warnings)]),
    ...comparison.phases.flatMap((phase) => [[`### ${phase.name}`], renderTable(buildTable(phase))]),
    ...(comparison.contenders.length === 0 ? [] : [bullets(describeContenders(comparison))]),
    ...comparison.remarks.map((text) => [escapeMarkdown(text)]),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** The comparison as data, every measure of it. */
export function toJson(comparison: Comparison, outcomes: readonly FailOnOutcome[]) {
  const { before, after, phases, warnings, remarks, otherMachine, otherSettings, contenders } = comparison;
  const describe = ({ id, startedAt, status }: Result) => ({ id, startedAt, status });
  return {
    a: describe(before),
    b: describe(after),
    otherMachine,
    otherSettings,
    contenders,
    warnings,
    remarks,
    phases: phases.map(({ name, otherWork, changes }) => ({
      name,
      otherWork,
      changes: changes.map(({ phase: _, measure, ...change }) => ({
        ...change,
        measure: measure.name,
        unit: measure.unit,
        better: measure.measure.better,
      })),
    })),
    failOn: outcomes,
  };
}

const outcomeStyles = { passed: "good", failed: "bad", undecided: "warning" } as const satisfies Record<
  FailOnOutcome["outcome"],
  Style
>;

export function describeOutcome({ outcome, expression, text }: FailOnOutcome): string {
  return `${outcome}: "${expression}": ${text}`;
}

function describeRuns({ before, after }: Comparison): string[] {
  const describe = ({ id, plan, environment }: Result) =>
    `${id}: ${format.plural(plan.rounds, "round")}, ${environment.cpuModel}, ${format.plural(environment.cpuCount, "CPU")}`;
  return [`A: ${describe(before)}`, `B: ${describe(after)}`];
}

/** What has changed beyond doubt, or that nothing has, or that nothing can be said. */
function summarize({ phases }: Comparison): string {
  const shown = phases.flatMap((phase) => phase.changes.filter((change) => isShown(phase, change)));
  const clear = shown.filter(({ kind }) => kind === "better" || kind === "worse");
  const gone = shown.filter(
    ({ kind, before, after }) => kind === "missing" && before !== null && after === null,
  );
  const losses =
    gone.length === 0
      ? ""
      : ` ${format.plural(gone.length, "figure")} of A ${gone.length === 1 ? "is" : "are"} missing in B.`;
  if (shown.every(({ limits }) => limits === null)) return `Nothing could be judged.${losses}`;
  if (clear.length === 0) return `No clear change in what could be judged.${losses}`;
  const list = clear.slice(0, 5).map(({ contender, phase, measure, ratio, kind }) => {
    return `${contender} ${phase} ${measure.name} ${formatChange(ratio)} (${kind})`;
  });
  const more = clear.length > list.length ? `, and ${clear.length - list.length} more` : "";
  return `${format.plural(clear.length, "clear change")}: ${list.join(", ")}${more}.${losses}`;
}

const columns: readonly Column[] = [
  { header: "contender, measure", align: "left" },
  { header: "A", align: "right" },
  { header: "B", align: "right" },
  { header: "change", align: "right" },
  { header: "verdict", align: "left" },
  { header: "95 % limits", align: "right" },
];

function buildTable(phase: PhaseComparison): Table {
  const rows = phase.changes
    .filter((change) => isShown(phase, change))
    .map((change): Row => {
      const { contender, measure, before, after, step, ratio, limits, kind } = change;
      return {
        cells: [
          { text: `${contender} ${measure.name}` },
          { text: writeValue(measure, before, step) },
          { text: writeValue(measure, after, step) },
          { text: formatChange(ratio), style: styles[kind] },
          { text: verdicts[kind], style: styles[kind] },
          { text: limits === null ? format.unknown : formatLimits(limits) },
        ],
      };
    });
  return { columns, rows };
}

/** What a phase is about, and whatever else of it changed or went missing. */
function isShown({ kind: phaseKind }: PhaseComparison, { measure, kind, before, after }: Change): boolean {
  if (measure.shown.includes(phaseKind)) return before !== null || after !== null;
  return (
    kind === "better" ||
    kind === "worse" ||
    (kind === "no-ratio" && before !== after) ||
    (kind === "missing" && (before === null) !== (after === null))
  );
}

const verdicts = {
  better: "better",
  worse: "worse",
  "no-clear-change": "no clear change",
  "single-round": "single round: no claim",
  "not-comparable": "not comparable",
  "no-ratio": "zero: no claim",
  missing: "no value",
} as const satisfies Record<Change["kind"], string>;

const styles: Readonly<Record<Change["kind"], Style | null>> = {
  better: "good",
  worse: "bad",
  "no-clear-change": "dim",
  "single-round": "dim",
  "not-comparable": "warning",
  "no-ratio": "warning",
  missing: "warning",
};

function describeContenders({ contenders }: Comparison): string[] {
  const same = contenders.filter(({ differences }) => differences.length === 0);
  const changed = contenders.filter(({ differences }) => differences.length > 0);
  return [
    ...changed.map(({ contender, differences }) => `${contender}: ${differences.join("; ")}.`),
    ...(same.length === 0
      ? []
      : [
          `The same sources, toolchains and settings in both: ${format.joinNames(same.map(({ contender }) => contender))}.`,
        ]),
  ];
}
