import { nameOfRound } from "../../measures/sections.ts";
import type { NotRun, Warning } from "../../result/reasons.ts";
import * as format from "../../text/format.ts";
import { summarizeCheck } from "./check-text.ts";
import { describeExit } from "./failure-text.ts";
import { describeReason } from "./reason-text.ts";
import { quote, type Texts, tell } from "./tell.ts";

const notRunTexts: Texts<NotRun> = {
  "toolchain-missing": ({ tools }) => {
    const names = tools.map(({ tool, minimum, found }) => {
      const wanted = minimum === null ? tool : `${tool} ${minimum} or later`;
      return quote(found === null ? wanted : `${wanted} (found ${found})`);
    });
    return `toolchain missing: ${format.joinNames(names)}`;
  },
  unreachable: ({ problem }) => `it does not answer: ${quote(problem)}`,
  "download-unreachable": ({ host }) => `${quote(host)} not reachable`,
  "build-failed": ({ problem }) => `build failed: ${quote(problem)}`,
  "breaks-contract": ({ checks, problem }) => {
    const names = checks.length === 0 ? "" : `: ${quote(checks.join(", "))}`;
    return `breaks the contract${names}${problem === null ? "" : ` (${quote(problem)})`}`;
  },
};

/** Why a contender takes no part: `toolchain missing: cargo 1.80 or later (found 1.63)`. */
export function describeNotRun(notRun: NotRun): string {
  return tell(notRunTexts, notRun);
}

const warningTexts: Texts<Warning> = {
  machine: ({ check, state, values }) => summarizeCheck(check, state, values).replace(/\.$/, ""),
  "not-pinned": ({ problem }) => `not pinned: ${quote(problem)}`,
  "not-warmed-up": ({ contender, variant, seconds }) =>
    `${quote(nameOfRound({ contender, variant }))} still got faster after a warm-up of ${format.formatDuration(seconds * 1000)} (--warmup-limit)`,
  "fleet-lost": ({ reason }) => `the run ended before its time: ${describeReason(reason)}`,
  "command-failed": ({ command, exit }) => `${quote(command)} ${describeExit(exit)}`,
  "cache-read-only": ({ folder, problem }) =>
    `cache folder ${quote(folder)} cannot be written: ${quote(problem)}`,
  "one-at-a-time": ({ cause }) => `contenders run one at a time: ${describeObstacle(cause)}`,
  "ended-by-error": ({ message }) => `the run was ended by an error: ${quote(message)}`,
};

/** What a reader should know of the run as a whole, without the final period. */
export function describeWarning(warning: Warning): string {
  return tell(warningTexts, warning);
}

function describeObstacle(cause: Extract<Warning, { kind: "one-at-a-time" }>["cause"]): string {
  return cause.kind === "port"
    ? `all of them use port ${cause.port}`
    : `all at once need ${format.formatBytes(cause.neededBytes)} of memory, ${format.formatBytes(cause.availableBytes)} are free`;
}
