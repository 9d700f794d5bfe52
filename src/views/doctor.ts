import type { CheckState } from "../machine/doctor/check.ts";
import type { Diagnosis } from "../machine/doctor/diagnosis.ts";
import type { Plan } from "../plan/plan.ts";
import type { Environment } from "../result/schema.ts";
import { plural } from "../text/format.ts";
import type { Style } from "../text/style.ts";
import { type Block, code, heading, makePrintable, paragraph, table } from "./document/block.ts";
import { describeCapacity, describeCheck } from "./text/check-text.ts";

const stateStyles = {
  ok: "good",
  tight: "warning",
  insufficient: "bad",
  unknown: "dim",
} as const satisfies Record<CheckState, Style>;

/** The whole diagnosis: what stops first, all checks in a table, and what to type about the bad ones. */
export function buildDiagnosis(diagnosis: Diagnosis, plan: Plan, environment: Environment): Block[] {
  const { preset, connections, workers, entrants, rounds } = plan;
  const { os, kernel, cpuCount, cpuModel } = environment;
  const all = diagnosis.checks.map((result) => ({
    ...result,
    ...describeCheck(result.check, result.values),
  }));
  const rows = all.map(({ title, current, needed, state }) => ({
    cells: [{ text: title }, { text: state, style: stateStyles[state] }, { text: current }, { text: needed }],
  }));
  const columns = ["check", "state", "now", "needed"].map((header) => ({ header, align: "left" as const }));
  const bad = [
    ...all.filter(({ state }) => state === "insufficient"),
    ...all.filter(({ state }) => state === "tight"),
  ];
  const blocks = [
    heading(
      2,
      `Plan ${preset}: ${plural(connections, "connection")}, ${plural(workers, "worker")}, ${plural(entrants.length, "entrant")} in ${plural(rounds, "round")}`,
    ),
    paragraph(`${os}, ${kernel}, ${plural(cpuCount, "CPU")} (${cpuModel})`),
    paragraph(describeCapacity(diagnosis, plan)),
    table({ columns, rows }),
    ...bad.flatMap(({ title, state, explanation, commands }) => [
      heading(3, `${title}: ${state}`),
      paragraph(explanation),
      ...(commands.length === 0 ? [] : [code(commands.join("\n"))]),
    ]),
    ...(bad.some(({ commands }) => commands.length > 0)
      ? [
          heading(3, "After the next boot"),
          paragraph("These commands last until then. docs/tuning.md shows how to keep them."),
        ]
      : []),
  ];
  return blocks.map(makePrintable);
}
