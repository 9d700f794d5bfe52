import { measureOf } from "../../measures/catalogue.ts";
import { formatMeasure, type Measure } from "../../measures/measure.ts";
import type { NotScanned, Scan, ScanCell, ScanFigure } from "../../result/scan.ts";
import * as format from "../../text/format.ts";
import {
  type Block,
  type Cell,
  heading,
  type LineChart,
  list,
  makePrintable,
  paragraph,
  type Sentence,
  type Table,
  table,
} from "../document/block.ts";
import { describePinning } from "../document/facts.ts";
import { type Texts, tell } from "../text/tell.ts";

/** How each contender's figures change with the scanned parameter: what was run, then a table and a plot of each. */
export function buildScan(scan: Scan): Block[] {
  const { id, parameter, values, figures, status } = scan;
  const shown = [...Map.groupBy(figures, ({ phase, measure }) => `${phase} ${measure}`).values()].filter(
    isTold,
  );
  const phases = Map.groupBy(shown, ([first]) => first?.phase ?? "");
  const finished = values.filter(({ notRun }) => notRun === null).length;
  const end =
    status === "running"
      ? ", and the scan goes on, or was cut off"
      : status === "aborted"
        ? ", and the scan was stopped early"
        : "";
  return [
    heading(1, id),
    paragraph(
      `--${parameter} over ${format.plural(values.length, "value")}, ${finished} of them finished${end}.`,
    ),
    ...list(values.map((value) => describeValue(parameter, value))),
    ...[...phases].flatMap(([phase, groups]) => [
      heading(2, phase),
      ...groups.map((group) => table(buildTable(scan, group))),
      ...groups.flatMap((group): Block[] => {
        const chart = buildChart(scan, group);
        return chart === null ? [] : [{ kind: "chart", chart }];
      }),
    ]),
    ...(shown.length === 0 ? [] : [heading(2, "How to read this"), ...list(listRemarks(scan))]),
  ].map(makePrintable);
}

/** Where everybody did all that was asked, under every value, there is nothing to see. */
function isTold(group: readonly ScanFigure[]): boolean {
  return group.some(({ cells }) =>
    cells.some((cell) => cell !== null && cell.standing !== "censored" && cell.standing !== "absent"),
  );
}

const notRunTexts: Texts<NotScanned> = {
  "too-few-cpus": ({ needed, available }) => `needs ${format.plural(needed, "CPU")}, has ${available}`,
  "stopped-by-user": () => "stopped by the user",
  "not-reached": () => "the scan did not come to it",
};

function describeValue(parameter: string, { value, run, notRun }: Scan["values"][number]): Sentence {
  const where = run === null ? null : `run ${run.id}, ${describePinning(run)}`;
  if (notRun === null) return { lead: `${parameter} ${value}:`, text: `${where}.` };
  const lead = `${parameter} ${value}: ${run === null ? "not run:" : "not finished:"}`;
  return {
    lead,
    text: `${[tell(notRunTexts, notRun), ...(where === null ? [] : [where])].join("; ")}.`,
    style: "warning",
  };
}

function buildTable({ parameter, values }: Scan, group: readonly ScanFigure[]): Table {
  const measure = measureOf(group[0]?.measure ?? "");
  return {
    columns: [
      { header: describeMeasure(measure), align: "left" },
      ...values.map((value) => ({ header: nameValue(value), align: "right" as const, title: parameter })),
    ],
    rows: group.map(({ contender, cells }) => ({
      cells: [{ text: contender }, ...cells.map((cell) => writeCell(cell, measure))],
    })),
  };
}

function describeMeasure({ header, better }: Measure): string {
  return `${header} (${better === "higher" ? "more" : "less"} is better)`;
}

function nameValue({ value, run }: Scan["values"][number]): string {
  return run?.sharesCpus === true ? `${value} (shared)` : value;
}

/** `58,210/s ×1.93 (1.71–2.11)`; in brackets where it is not ranked, and why in one word where it has no value. */
function writeCell(cell: ScanCell | null, measure: Measure): Cell {
  if (cell === null) return { text: format.unknown };
  const { value, standing, ratio } = cell;
  if (value === null)
    return standing === "absent" ? { text: format.unknown } : { text: standing, style: "warning" };
  const text = `${standing === "lower-bound" ? "≥ " : ""}${formatMeasure(measure, value)}`;
  if (!isComparable(standing)) return { text: `(${text})` };
  if (ratio === null) return { text };
  const { low, high } = ratio;
  const limits =
    low === null || high === null ? "" : ` (${format.formatFactor(low)}–${format.formatFactor(high)})`;
  return { text: `${text} ${format.formatRatio(ratio.ratio)}${limits}` };
}

/** Only ranked figures, from two values on; null where nobody has so many. */
function buildChart({ parameter, values, figures }: Scan, group: readonly ScanFigure[]): LineChart | null {
  const measure = measureOf(group[0]?.measure ?? "");
  const series = group
    .map(({ contender, cells }) => ({
      name: contender,
      points: cells.flatMap((cell, x) => {
        if (cell?.value == null || cell.standing !== "ranked") return [];
        const { low, high } = cell.interval ?? { low: cell.value, high: cell.value };
        return [{ x, middle: cell.value, low, high }];
      }),
    }))
    .filter(({ points }) => points.length > 1);
  if (series.length === 0) return null;
  return {
    kind: "lines",
    title: `${describeMeasure(measure)} by ${parameter}`,
    unit: measure.unit,
    contenders: [...new Set(figures.map(({ contender }) => contender))],
    x: values.map(nameValue),
    scale: "linear",
    series,
    level: null,
  };
}

function listRemarks({ parameter, values, figures }: Scan): string[] {
  const cells = figures.flatMap((figure) => figure.cells.filter((cell) => cell !== null));
  const ratios = cells.flatMap(({ ratio }) => ratio ?? []);
  const first = values.find(({ notRun }) => notRun === null)?.value;
  const hasLimits = ratios.some(({ low }) => low !== null);
  return [
    "Each column is a run of its own. The runs took place one after another: what the machine did in one of them does not cancel.",
    ...(ratios.length === 0 ? [] : [`× is the ratio to ${parameter} ${first}.`]),
    ...(ratios.length > 0 && hasLimits
      ? [
          "Brackets behind a ratio are its limits. They hold with 95 % confidence for all ratios of a table together.",
        ]
      : []),
    ...(ratios.length > 0 && !hasLimits
      ? ["One round says nothing of its spread, so these ratios have no limits."]
      : []),
    ...(cells.some(({ value, standing }) => value !== null && !isComparable(standing))
      ? ["Figures in brackets are not ranked in their run; its report says why."]
      : []),
    ...(values.some(({ run }) => run?.sharesCpus)
      ? [
          "Where a column says shared, server and generator share CPUs. Every figure there is of both together.",
        ]
      : []),
  ];
}

function isComparable(standing: ScanCell["standing"]): boolean {
  return standing === "ranked" || standing === "lower-bound";
}
