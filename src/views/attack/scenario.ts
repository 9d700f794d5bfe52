import { basename } from "node:path";
import type { AttackResult } from "../../result/attack.ts";
import type { Quantiles } from "../../result/phase.ts";
import * as format from "../../text/format.ts";
import { type Block, type Sentence, type Table, table } from "../document/block.ts";
import { describeFailures } from "../text/failure-text.ts";
import { quote } from "../text/tell.ts";

const mostMessage = 120;

/** What the users did, and their checks; nothing without a scenario. @param most checks, those that failed first */
export function buildScenarioTables({ scenario }: AttackResult, most: number): Block[] {
  if (scenario === null) return [];
  const { iterations, checks } = scenario;
  return [iterationTable(iterations), ...(checks.length === 0 ? [] : [checkTable(checks, most)])].map(table);
}

/** Times of the scenario's own, for the table of latencies. @param most measures */
export function ownTimes({ scenario }: AttackResult, most: number): [string, Quantiles][] {
  if (scenario === null) return [];
  return [
    ["iteration", scenario.iterationUs],
    ...scenario.measures
      .slice(0, most)
      .map(({ name, valueUs }): [string, Quantiles] => [`measure ${name}`, valueUs]),
  ];
}

/** What it threw, what never ended, and which checks failed, each with its line. */
export function listScenarioTroubles({ scenario, plan }: AttackResult): Sentence[] {
  if (scenario === null) return [];
  const at = (place: string | null) => `${basename(plan.scenario ?? "")}${place === null ? "" : `:${place}`}`;
  const { failures, otherFailures, checks } = scenario;
  return [
    ...failures.map(({ kind, message, place, count }): Sentence => {
      const what =
        kind === "thrown"
          ? `${quote(message, mostMessage)} (${at(place)})`
          : `${message === "" ? "before it called anything" : `last in ${quote(message, mostMessage)}`} (${at(place)})`;
      return {
        lead: kind === "thrown" ? "Failed:" : "Not ended:",
        text: `${format.formatCount(count)} × ${what}`,
        style: kind === "thrown" ? "bad" : "warning",
      };
    }),
    ...(otherFailures === 0
      ? []
      : [
          {
            lead: "Failed:",
            text: `${format.formatCount(otherFailures)} × for other reasons`,
            style: "bad",
          } as const,
        ]),
    ...checks
      .filter(({ failed }) => failed > 0)
      .map(({ name, failed, place }): Sentence => {
        const text = `${format.formatCount(failed)} × "${quote(name)}" was not true, first at ${at(place)}`;
        return { lead: "Check:", text, style: "bad" };
      }),
  ];
}

export function listScenarioRemarks({ plan, connections }: AttackResult): string[] {
  return [
    plan.load.kind === "open"
      ? "Iterations were started at their times, as long as a user was free. What found none is counted as not started."
      : "Each user began again when it was through. A slow server is asked less often, so latency hides its stalls.",
    "Latency is that of messages that were expected: from the last message that was sent on the connection, or from when it was expected.",
    "A quantile that fewer than 10 values lie beyond is not shown.",
    ...(connections.deaths.length === 0 ? [] : [`Closed: ${describeFailures(connections.deaths)}.`]),
    `What still went on ${format.formatDuration(plan.replyTimeoutMs)} after the time was over was ended, and is counted as not ended.`,
  ];
}

function iterationTable(iterations: NonNullable<AttackResult["scenario"]>["iterations"]): Table {
  const { started, finished, failed, unended, unstarted } = iterations;
  const cell = (value: number, style: "bad" | "warning" | null = null) => ({
    text: format.formatCount(value),
    style: value === 0 ? null : style,
  });
  return {
    columns: columnsOf(["started", "finished", "failed", "not ended", "not started"]),
    rows: [
      {
        cells: [
          { text: "iterations" },
          cell(started),
          cell(finished),
          cell(failed, "bad"),
          cell(unended, "warning"),
          cell(unstarted, "bad"),
        ],
      },
    ],
  };
}

function checkTable(checks: NonNullable<AttackResult["scenario"]>["checks"], most: number): Table {
  const worstFirst = checks.toSorted((a, b) => b.failed - a.failed);
  return {
    columns: columnsOf(["passed", "failed", "share"]),
    rows: worstFirst.slice(0, most).map(({ name, passed, failed }) => ({
      cells: [
        { text: `check ${name}` },
        { text: format.formatCount(passed) },
        { text: format.formatCount(failed), style: failed === 0 ? null : "bad" },
        { text: format.formatShare(passed / (passed + failed)) },
      ],
    })),
  };
}

function columnsOf(headers: readonly string[]): Table["columns"] {
  return [{ header: "", align: "left" }, ...headers.map((header) => ({ header, align: "right" as const }))];
}
