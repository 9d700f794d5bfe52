import { countRounds, nameOf, nameOfRound } from "../../measures/sections.ts";
import { phaseName } from "../../plan/phases.ts";
import type { Result, Round } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import type { Style } from "../../text/style.ts";
import { describeReason } from "../text/reason-text.ts";
import { describeNotRun, describeWarning } from "../text/warning-text.ts";
import { type Block, code, heading, list } from "./block.ts";

/** So much of what a server printed. */
const mostLines = 12;

/** What went wrong beside the measuring: who did not run, whose round failed, what to be wary of. */
export function buildTroubles(result: Result): Block[] {
  const { contenders, rounds, warnings } = result;
  const part = (title: string, style: Style, texts: readonly string[]): Block[] =>
    texts.length === 0 ? [] : [heading(2, title), ...list(texts.map((text) => ({ text, style })))];
  const took = contenders.filter(({ notRun }) => notRun === null);
  const failed = rounds.filter(({ status }) => status !== "ok");
  return [
    ...part(
      "Not run",
      "warning",
      contenders.flatMap((facts) =>
        facts.notRun === null ? [] : [`${nameOf(facts)}: ${describeNotRun(facts.notRun)}.`],
      ),
    ),
    ...part(
      "Contract violations",
      "warning",
      took.flatMap((facts) =>
        (facts.verified?.failed ?? []).map(
          ({ rule, reference, grade }) =>
            `${nameOf(facts)}: ${rule.replace(/\.$/, "")} (${reference}, ${grade}).`,
        ),
      ),
    ),
    ...(failed.length === 0 ? [] : [heading(2, "Failed rounds")]),
    ...failed.flatMap((round) => describeFailedRound(round, result)),
    ...part("Warnings", "warning", [
      ...warnings.map((warning) => `${describeWarning(warning)}.`),
      ...took
        .filter(({ verified }) => verified === null)
        .map((facts) => `${nameOf(facts)} was not verified against the contract.`),
      ...rounds
        .filter(({ shutdown }) => shutdown !== null && !shutdown.graceful)
        .map(
          (round) =>
            `${nameOfRound(round)}${inRound(round, countRounds(result))}: the server did not end on SIGTERM and was killed.`,
        ),
    ]),
  ];
}

/** The same in a line each. */
export function summarizeTroubles({ contenders, rounds, warnings }: Result): string[] {
  const notRun = contenders.flatMap((facts) =>
    facts.notRun === null ? [] : [`${nameOf(facts)} (${describeNotRun(facts.notRun)})`],
  );
  const unstarted = rounds.filter(({ status, reasonPhase }) => status !== "ok" && reasonPhase === null);
  const failed = rounds.filter(({ status, reasonPhase }) => status !== "ok" && reasonPhase !== null);
  return [
    ...(notRun.length === 0 ? [] : [`Not run: ${notRun.join(", ")}.`]),
    ...[...Map.groupBy(unstarted, nameOfRound)].map(
      ([name, [round]]) =>
        `${name} was not measured: ${round?.reason == null ? "no reason given" : describeReason(round.reason)}.`,
    ),
    ...(failed.length === 0 ? [] : [`${format.plural(failed.length, "round")} failed or stopped early.`]),
    ...(warnings.length === 0 ? [] : [`${format.plural(warnings.length, "warning")}.`]),
  ];
}

function describeFailedRound(round: Round, result: Result): Block[] {
  const { plan } = result;
  const phase = round.reasonPhase === null ? undefined : plan.phases[round.reasonPhase];
  const where = phase === undefined ? "" : ` in ${phaseName(phase)}`;
  const why = round.reason === null ? "" : `: ${describeReason(round.reason, plan.phases)}`;
  const text = `${nameOfRound(round)}${inRound(round, countRounds(result))} ${round.status}${where}${why}.`;
  const lines = (round.output ?? "").split("\n").filter((line) => line.trim() !== "");
  return [
    ...list([{ text, style: round.status === "failed" ? "bad" : "warning" }]),
    ...(lines.length === 0 ? [] : [code(lines.slice(-mostLines).join("\n"))]),
  ];
}

function inRound({ round }: Round, planned: number): string {
  return planned > 1 ? ` (round ${round})` : "";
}
