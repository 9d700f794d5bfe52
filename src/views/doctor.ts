import type { CheckState } from "../machine/doctor/check.ts";
import type { Diagnosis } from "../machine/doctor/diagnosis.ts";
import type { Plan } from "../plan/plan.ts";
import type { Environment } from "../result/schema.ts";
import { plural } from "../text/format.ts";
import { createPainter, type Style } from "../text/style.ts";
import { renderText } from "../text/table.ts";
import { describeCapacity, describeCheck } from "./text/check-text.ts";

const stateStyles = {
  ok: "good",
  tight: "warning",
  insufficient: "bad",
  unknown: "dim",
} as const satisfies Record<CheckState, Style>;

/** The whole diagnosis for a terminal: what stops first, all checks in a table, and what to type about the bad ones. */
export function renderDiagnosis(
  diagnosis: Diagnosis,
  plan: Plan,
  environment: Environment,
  { columns, color }: { readonly columns: number; readonly color: boolean },
): string {
  const paint = createPainter(color);
  const wrap = (text: string, indent: string) =>
    Bun.wrapAnsi(text, Math.max(40, columns - indent.length))
      .split("\n")
      .map((line) => `${indent}${line}`);
  const all = diagnosis.checks.map((result) => ({
    ...result,
    ...describeCheck(result.check, result.values),
  }));
  const rows = all.map(({ title, current, needed, state }) => ({
    cells: [{ text: title }, { text: state, style: stateStyles[state] }, { text: current }, { text: needed }],
  }));
  const headers = ["check", "state", "now", "needed"].map((header) => ({ header, align: "left" as const }));
  const bad = all.filter(({ state }) => state === "insufficient" || state === "tight");
  bad.sort((a, b) => Number(b.state === "insufficient") - Number(a.state === "insufficient"));
  const entrants = plural(plan.entrants.length, "entrant");
  const lines = [
    paint(
      `Plan ${plan.preset}: ${plural(plan.connections, "connection")}, ${plural(plan.workers, "worker")}, ${entrants} in ${plural(plan.rounds, "round")}`,
      "strong",
    ),
    `${environment.os}, ${environment.kernel}, ${plural(environment.cpuCount, "CPU")} (${environment.cpuModel})`,
    "",
    ...wrap(describeCapacity(diagnosis, plan), ""),
    "",
    ...renderText({ columns: headers, rows }, { width: columns, color }),
    ...bad.flatMap(({ title, state, explanation, commands }) => [
      "",
      `${paint(title, "strong")}: ${paint(state, stateStyles[state])}`,
      ...wrap(explanation, "  "),
      // Never broken, so that a command can be copied.
      ...commands.map((command) => `    ${command}`),
    ]),
    ...(bad.some(({ commands }) => commands.length > 0)
      ? ["", ...wrap("These commands last until the next boot. docs/tuning.md shows how to keep them.", "")]
      : []),
  ];
  return `${lines.join("\n")}\n`;
}
