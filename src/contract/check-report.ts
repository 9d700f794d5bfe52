import type { Framing, Grade } from "./check.ts";
import type { Target } from "./raw-connection.ts";

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
  readonly target: Target;
  readonly framing: Framing;
  /** In the order of the suite. */
  readonly results: readonly CheckResult[];
  readonly passed: number;
  readonly failedRequired: number;
  readonly failedStrict: number;
  readonly skipped: number;
  /** Everything required passed, and was run. */
  readonly competes: boolean;
  readonly elapsedMs: number;
}

/** One line per check that did not pass, with four more for a failure, and a summary. */
export function formatCheckReport(report: CheckReport): string {
  const { host, port, path } = report.target;
  const lines = report.results.flatMap(formatResult);
  const counts = [
    `${report.passed} passed`,
    `${report.failedRequired} required failed`,
    `${report.failedStrict} strict failed`,
    `${report.skipped} skipped`,
  ].join(", ");
  const seconds = (report.elapsedMs / 1_000).toFixed(1);
  return [
    ...lines,
    `ws://${host}:${port}${path}: ${counts} in ${seconds} s`,
    report.competes
      ? "competes: every required check passed"
      : "does not compete: not every required check passed",
  ].join("\n");
}

function formatResult(result: CheckResult): string[] {
  switch (result.state) {
    case "pass":
      return [];
    case "skipped":
      return [`SKIP ${result.id}: ${result.why}`];
    case "fail":
      return [
        `FAIL ${result.id} (${result.grade})`,
        `     rule      ${result.rule} [${result.reference}]`,
        `     expected  ${result.expected}`,
        `     came      ${result.came}`,
        `     next      ${result.nextStep}`,
      ];
  }
}
