import type { NotRun, Warning } from "../../result/reasons.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";
import { summarizeCheck } from "./check-text.ts";

const most = 240;

/** Why a contender takes no part: `toolchain missing: cargo 1.80 or later (found 1.63)`. */
export function describeNotRun(notRun: NotRun): string {
  switch (notRun.kind) {
    case "toolchain-missing": {
      const tools = notRun.tools.map(({ tool, minimum, found }) => {
        const wanted = minimum === null ? tool : `${tool} ${minimum} or later`;
        return printable(found === null ? wanted : `${wanted} (found ${found})`, { most });
      });
      return `toolchain missing: ${format.joinNames(tools)}`;
    }
    case "build-failed":
      return `build failed: ${printable(notRun.problem, { most })}`;
    case "breaks-contract": {
      const checks = notRun.checks.length === 0 ? "" : `: ${printable(notRun.checks.join(", "), { most })}`;
      const problem = notRun.problem === null ? "" : ` (${printable(notRun.problem, { most })})`;
      return `breaks the contract${checks}${problem}`;
    }
  }
}

/** What a reader should know of the run as a whole, without the final period. */
export function describeWarning(warning: Warning): string {
  switch (warning.kind) {
    case "machine":
      return summarizeCheck(warning.check, warning.state, warning.values).replace(/\.$/, "");
    case "not-pinned":
      return `not pinned: ${printable(warning.problem, { most })}`;
    case "cache-read-only":
      return `cache folder ${printable(warning.folder, { most })} cannot be written: ${printable(warning.problem, { most })}`;
    case "ended-by-error":
      return `the run was ended by an error: ${printable(warning.message, { most })}`;
  }
}
