import { printable } from "../text/printable.ts";
import type { Framing, Grade } from "./check.ts";
import type { Target } from "./http.ts";

/** What became of one check. Plain data, fit for JSON. */
export type CheckResult = {
  readonly id: string;
  readonly rule: string;
  /** RFC section or contract clause. */
  readonly reference: string;
  readonly grade: Grade;
  readonly elapsedMs: number;
} & (
  | { readonly state: "pass" }
  | { readonly state: "fail"; readonly expected: string; readonly came: string; readonly nextStep: string }
  | { readonly state: "skipped"; readonly why: string }
);

/** What became of all checks. Plain data, fit for JSON. */
export interface CheckReport {
  /** Its path with `…` for the values of secrets in the query. */
  readonly target: Omit<Target, "tls">;
  readonly url: string;
  readonly framing: Framing;
  /** In the order of the suite. */
  readonly results: readonly CheckResult[];
  readonly passed: number;
  readonly failedRequired: number;
  readonly failedStrict: number;
  readonly skipped: number;
  /** False when the run was stopped, or the server died for good before its end. */
  readonly complete: boolean;
  /** The run is complete and no required check failed. */
  readonly competes: boolean;
  readonly elapsedMs: number;
}

/** How many checks that were skipped for the same reason are named. */
const NAMED_SKIPS = 3;
/** Characters of what a server sent or said. */
const mostShown = 400;

/** Five lines per failure, one per reason to skip, and a summary. */
export function formatCheckReport(report: CheckReport): string {
  const { url } = report;
  const lines = [...report.results.flatMap(formatFailure), ...formatSkips(report.results)];
  const counts = [
    `${report.passed} passed`,
    `${report.failedRequired} required failed`,
    `${report.failedStrict} strict failed`,
    `${report.skipped} skipped`,
  ].join(", ");
  const seconds = (report.elapsedMs / 1_000).toFixed(1);
  return [...lines, `${url}: ${counts} in ${seconds} s`, formatVerdict(report)].join("\n");
}

function formatVerdict({ competes, complete }: CheckReport): string {
  if (competes) return "competes: no required check failed";
  return complete ? "does not compete: a required check failed" : "does not compete: not every check ran";
}

function formatFailure(result: CheckResult): string[] {
  if (result.state !== "fail") return [];
  return [
    `FAIL ${result.id} (${result.grade})`,
    `     rule      ${result.rule} [${result.reference}]`,
    `     expected  ${printable(result.expected, { most: mostShown })}`,
    `     got       ${printable(result.came, { most: mostShown })}`,
    `     next      ${result.nextStep}`,
  ];
}

function formatSkips(results: readonly CheckResult[]): string[] {
  const idsByReason = new Map<string, string[]>();
  for (const result of results)
    if (result.state === "skipped")
      idsByReason.set(result.why, [...(idsByReason.get(result.why) ?? []), result.id]);
  return [...idsByReason].map(([why, ids]) => {
    const named = ids.slice(0, NAMED_SKIPS).join(", ");
    const more = ids.length > NAMED_SKIPS ? ` and ${ids.length - NAMED_SKIPS} more` : "";
    return `SKIP ${named}${more}: ${printable(why, { most: mostShown })}`;
  });
}
