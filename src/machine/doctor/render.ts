import type { Plan } from "../../plan/plan.ts";
import type { Environment } from "../../result/schema.ts";
import { formatCount as count, formatSmallCount, plural } from "../../text/format.ts";
import { createPainter, type Painter, type Style } from "../../text/style.ts";
import { renderText } from "../../text/table.ts";
import type { Change } from "./changes.ts";
import type { Diagnosis } from "./diagnosis.ts";
import type { MachineFacts } from "./facts.ts";
import type { Finding, Verdict } from "./finding.ts";

export interface RenderOptions {
  readonly columns: number;
  readonly color: boolean;
}

const verdictStyles = {
  ok: "good",
  tight: "warning",
  stops: "bad",
  unknown: "dim",
} as const satisfies Record<Verdict, Style>;

/** The whole diagnosis for a terminal: what stops first, all findings in a table, and what to do about the bad ones. */
export function renderDiagnosis(
  diagnosis: Diagnosis,
  plan: Plan,
  environment: Environment,
  system: MachineFacts["system"],
  { columns, color }: RenderOptions,
): string {
  const paint = createPainter(color);
  const rows = diagnosis.findings.map(({ title, current, needed, verdict }) => ({
    cells: [
      { text: title },
      { text: verdict, style: verdictStyles[verdict] },
      { text: current },
      { text: needed },
    ],
  }));
  const headers = ["check", "verdict", "now", "needed"].map((header) => ({ header, align: "left" as const }));
  const bad = diagnosis.findings.filter(({ verdict }) => verdict === "stops" || verdict === "tight");
  bad.sort((a, b) => Number(b.verdict === "stops") - Number(a.verdict === "stops"));
  const entrants = plural(plan.entrants.length, "entrant");
  const lines = [
    paint(
      `Plan ${plan.preset}: ${plural(plan.connections, "connection")}, ${plural(plan.workers, "worker")}, ${entrants} in ${plural(plan.rounds, "round")}`,
      "strong",
    ),
    `${environment.os}, ${environment.kernel}, ${plural(environment.cpuCount, "CPU")} (${environment.cpuModel})`,
    "",
    ...wrap(describeCapacity(diagnosis, plan), columns, ""),
    "",
    ...renderText({ columns: headers, rows }, { width: columns, color }),
    ...bad.flatMap((finding) => ["", ...renderFinding(finding, system, columns, paint)]),
  ];
  return `${lines.join("\n")}\n`;
}

/** What this machine holds, what stops it, and whether that is enough. */
export function describeCapacity({ capacity, fits }: Diagnosis, plan: Plan): string {
  const asked = count(plan.connections);
  if (capacity === null) return `Nothing that can be read here stops the plan's ${asked} connections.`;
  if (capacity.connections >= plan.connections) {
    return `${capacity.text} The plan asks for ${asked}${fits ? ", which fits" : ""}.`;
  }
  const instead = capacity.connections > 0 ? `; --connections ${capacity.connections} would fit` : "";
  return `${capacity.text} The plan asks for ${asked}: a run opens what fits and names this limit${instead}.`;
}

function renderFinding(
  finding: Finding,
  system: MachineFacts["system"],
  columns: number,
  paint: Painter,
): string[] {
  const { title, verdict, explanation, commands, survivesReboot, permanently, needsPassword, changes } =
    finding;
  const here = system === "other" ? [] : (commands[system] ?? []);
  const keep = system === "other" ? undefined : permanently[system];
  const lines = [
    `${paint(title, "strong")}: ${paint(verdict, verdictStyles[verdict])}`,
    ...wrap(explanation, columns, "  "),
  ];
  if (here.length === 0) return lines;
  lines.push(...here.map((command) => `    ${command}`));
  if (survivesReboot === false)
    lines.push(`  Lost at the next start of the machine.${keep === undefined ? "" : " To keep it:"}`);
  // Never broken, so that a command can be copied.
  if (keep !== undefined) lines.push(`    ${keep}`);
  if (changes.length > 0 && !needsPassword)
    lines.push("  --apply sets what is a setting here, and --undo puts it back.");
  return lines;
}

/** What `--apply` or `--undo` did. */
export function renderChanges(changes: readonly Change[]): string {
  const line = ({ setting, before, wanted, outcome, reason }: Change) => {
    switch (outcome) {
      case "changed":
        return `  ${setting}: ${before} → ${wanted}`;
      case "kept":
        return `  ${setting}: left as it is, ${reason}`;
      case "refused":
        return `  ${setting}: refused, ${reason}; it should be ${wanted}`;
    }
  };
  const refused = changes.filter(({ outcome }) => outcome === "refused").length;
  return [
    ...changes.map(line),
    ...(refused > 0 ? [`  ${formatSmallCount(refused)} of ${changes.length} refused`] : []),
    "",
  ].join("\n");
}

function wrap(text: string, columns: number, indent: string): string[] {
  const width = Math.max(40, columns - indent.length);
  return Bun.wrapAnsi(text, width)
    .split("\n")
    .map((line) => `${indent}${line}`);
}
