import { loadSeconds } from "../../plan/attack/rate.ts";
import type { AttackResult } from "../../result/attack.ts";
import type { Quantiles } from "../../result/phase.ts";
import { isRefused } from "../../stats/histogram.ts";
import * as format from "../../text/format.ts";
import {
  type Block,
  type Cell,
  details,
  heading,
  list,
  makePrintable,
  paragraph,
  type Sentence,
  type Table,
  table,
} from "../document/block.ts";
import { describeFailures } from "../text/failure-text.ts";
import { describeWarning } from "../text/warning-text.ts";
import { buildAttackCharts } from "./charts.ts";
import { buildParts } from "./parts.ts";
import { buildScenarioTables, listScenarioRemarks, ownTimes } from "./scenario.ts";
import { listTroubles } from "./troubles.ts";
import { describeLoad, describeVerdict } from "./verdict.ts";

/** On one screen; each may take three lines. */
const mostTroubles = 9;
const mostParts = 8;
/** Measures and checks of a scenario, on one screen. */
const mostOwn = 4;
/** Beside these there is room for fewer. */
const mostScenarioTroubles = 5;

/** One screen: what was asked, what came of it, and whether the figures count. */
export function buildAttackSummary(result: AttackResult): Block[] {
  const troubles = listTroubles(result);
  // Parts, and what is wrong with them, take the room of troubles.
  const most =
    result.scenario === null ? Math.max(2, mostTroubles - result.parts.length) : mostScenarioTroubles;
  const shown = troubles.length > most ? troubles.slice(0, most - 1) : troubles;
  const more = troubles.length - shown.length;
  const rest: Sentence = { text: `and ${more} more in report.html and report.md`, style: "dim" };
  return [
    heading(1, result.id),
    ...buildFacts(result, mostOwn),
    ...buildParts(result, mostParts),
    ...list([...shown, ...(more > 0 ? [rest] : [])]),
  ].map(makePrintable);
}

/** Everything, with charts over time where the medium has them. */
export function buildAttackReport(result: AttackResult): Block[] {
  const { plan, warnings } = result;
  return [
    heading(1, result.id),
    ...buildFacts(result, Number.POSITIVE_INFINITY),
    ...list(listTroubles(result)),
    ...(result.parts.length === 0 ? [] : [heading(2, "Machines"), ...buildParts(result)]),
    ...(result.timeline.buckets.length < 2 ? [] : [heading(2, "Over time"), ...buildAttackCharts(result)]),
    heading(2, "What was done"),
    paragraph({ lead: "Command:", text: result.command.join(" ") }),
    paragraph({ lead: "Began:", text: `${result.startedAt}, on ${describeMachine(result)}.` }),
    ...list(
      warnings.map((warning) => ({ lead: "Warning:", text: describeWarning(warning), style: "warning" })),
    ),
    details("The plan", [
      { kind: "code", lines: JSON.stringify(plan, null, 2).split("\n"), language: "json" },
    ]),
    heading(2, "How to read this"),
    ...list(listRemarks(result)),
  ].map(makePrintable);
}

function describeMachine({ environment, parts }: AttackResult): string {
  const one = ({ cpuModel, cpuCount, os }: AttackResult["parts"][number]["machine"]) =>
    `${cpuModel}, ${format.plural(cpuCount, "CPU")}, ${os}`;
  const kinds = [...new Set(parts.map(({ machine }) => one(machine)))];
  const machines = kinds.length === 0 ? one(environment) : kinds.join("; ");
  return `${machines}, ${environment.tool}, Bun ${environment.bun}`;
}

/** What a trace came to. */
export function buildTraceEnd(result: AttackResult): Block[] {
  const { sent, answered } = result.messages;
  const text = `${format.plural(sent, "message")} sent, ${format.formatCount(answered)} answered.`;
  return [paragraph({ lead: "Trace:", text }), ...list(listTroubles(result))].map(makePrintable);
}

/** @param mostOwn measures and checks of a scenario each */
function buildFacts(result: AttackResult, mostOwn: number): Block[] {
  return [
    paragraph(describeLoad(result)),
    paragraph(describeVerdict(result)),
    table(connectionTable(result)),
    ...(result.connectionStages === null ? [] : [table(stageTable(result.connectionStages))]),
    ...(result.rate === null ? [] : [table(messageTable(result)), table(rateTable(result))]),
    ...buildScenarioTables(result, mostOwn),
    ...(result.compression === null ? [] : [table(compressionTable(result.compression))]),
    ...[latencyTable(result, mostOwn)].filter(({ rows }) => rows.length > 0).map(table),
  ];
}

function count(value: number, style: Cell["style"] = null): Cell {
  return { text: format.formatCount(value), style: value === 0 ? null : style };
}

function columnsOf(label: string, headers: readonly string[]): Table["columns"] {
  return [
    { header: label, align: "left" },
    ...headers.map((header) => ({ header, align: "right" as const })),
  ];
}

function connectionTable({ connections, connectionStages }: AttackResult): Table {
  const { requested, opened, failed, died, released, reconnected, openAtEnd, perSecond } = connections;
  const isStaged = connectionStages !== null;
  return {
    columns: columnsOf("", [
      "asked",
      "opened",
      "failed",
      "closed",
      ...(isStaged ? ["released"] : []),
      "reopened",
      "open at end",
      "opened per second",
    ]),
    rows: [
      {
        cells: [
          { text: "connections" },
          count(requested),
          count(opened),
          count(failed, "bad"),
          count(died, "bad"),
          ...(isStaged ? [count(released)] : []),
          count(reconnected),
          count(openAtEnd),
          { text: format.formatRate(perSecond) },
        ],
      },
    ],
  };
}

/** Of a long list the last ones are left to the result file. */
const mostStages = 12;

function stageTable(stages: NonNullable<AttackResult["connectionStages"]>): Table {
  return {
    columns: columnsOf("", [
      "opened",
      "failed",
      "closed",
      "released",
      "open",
      "sent",
      "answered",
      "p50",
      "p99",
    ]),
    rows: stages.slice(0, mostStages).map(({ seconds, to, ...stage }) => ({
      cells: [
        { text: `to ${format.formatCount(to)} in ${format.formatDuration(seconds * 1000)}` },
        count(stage.opened),
        count(stage.failed, "bad"),
        count(stage.died, "bad"),
        count(stage.released),
        count(stage.open),
        count(stage.sent),
        count(stage.answered),
        { text: format.formatLatency(stage.latencyUs.p50) },
        { text: format.formatLatency(stage.latencyUs.p99) },
      ],
    })),
  };
}

function messageTable({ messages, plan }: AttackResult): Table {
  const { sent, unsent, answered, lost, duplicated, reordered, unmatched, received } = messages;
  const isAwaited = plan.reply.kind !== "none";
  const one = (value: Cell): Cell => (isAwaited ? value : { text: format.unknown });
  // A scenario takes what it expects, and nobody knows what else it might have.
  const audited = (value: Cell): Cell => (plan.scenario === null ? one(value) : { text: format.unknown });
  return {
    columns: columnsOf("", [
      "sent",
      "unsent",
      "answered",
      "lost",
      "duplicated",
      "out of order",
      "unmatched",
      "received",
    ]),
    rows: [
      {
        cells: [
          { text: "messages" },
          count(sent),
          count(unsent, "bad"),
          one(count(answered)),
          one(count(lost, "bad")),
          audited(count(duplicated, "bad")),
          audited(count(reordered, "bad")),
          audited(count(unmatched, "warning")),
          count(received),
        ],
      },
      ...partRows(messages),
    ],
  };
}

/** Replies and deliveries, where there are both. */
function partRows({ deliveries, expected, answered }: AttackResult["messages"]): Table["rows"] {
  if (deliveries === null) return [];
  const replies = { expected: expected - deliveries.expected, arrived: answered - deliveries.arrived };
  const none = { text: "" };
  return Object.entries({ replies, deliveries }).map(([name, { expected: owed, arrived }]) => ({
    cells: [
      { text: `  ${name}` },
      ...[none, none, count(arrived), count(Math.max(0, owed - arrived), "bad"), none, none, none, none],
    ],
  }));
}

function rateTable({ rate, messages, plan }: AttackResult): Table {
  const perSecond = (bytes: number) =>
    rate === null ? format.unknown : `${format.formatBytes(Math.round((bytes * 1000) / rate.spanMs))}/s`;
  // One way each: what the server sends of itself.
  const received = rate === null ? null : (messages.received * 1000) / rate.spanMs;
  const [back, backPerSecond] =
    plan.reply.kind === "none" ? ["received", received] : ["answered", rate?.answeredPerSecond ?? null];
  return {
    columns: columnsOf("", ["asked", "sent", back, "payload sent", "payload received"]),
    rows: [
      {
        cells: [
          { text: "per second" },
          { text: format.formatRate(rate?.askedPerSecond ?? null) },
          { text: format.formatRate(rate?.sentPerSecond ?? null) },
          { text: format.formatRate(backPerSecond) },
          { text: perSecond(messages.bytesSent) },
          { text: perSecond(messages.bytesReceived) },
        ],
      },
    ],
  };
}

function compressionTable({
  agreed,
  declined,
  sentPayloadBytes,
  sentWireBytes,
  receivedPayloadBytes,
  receivedWireBytes,
}: NonNullable<AttackResult["compression"]>): Table {
  const bytes = [sentPayloadBytes, sentWireBytes, receivedPayloadBytes, receivedWireBytes];
  return {
    columns: columnsOf("", [
      "agreed",
      "declined",
      "payload sent",
      "on the wire",
      "payload received",
      "on the wire",
    ]),
    rows: [
      {
        cells: [
          { text: "compression" },
          count(agreed),
          count(declined, "warning"),
          ...bytes.map((value) => ({ text: format.formatBytes(value) })),
        ],
      },
    ],
  };
}

const oneWayRow = "latency, from agent to agent";

/** Of what lies below the clocks' error, only that is known. */
function describeRefused(clockErrorUs: number | null): string {
  return clockErrorUs === null ? format.unknown : `< ${format.formatLatency(clockErrorUs)}`;
}

function latencyTable(result: AttackResult, mostOwn: number): Table {
  const { plan, connections, latencyUs, uncorrectedLatencyUs, sendLagUs, oneWay } = result;
  const isOpen = plan.load.kind === "open" && plan.scenario === null;
  const rows: [string, Quantiles][] = [
    ...ownTimes(result, mostOwn),
    [isOpen ? "latency, from the intended time" : "latency", latencyUs],
    ...(isOpen ? ([["latency, from the actual send", uncorrectedLatencyUs]] as [string, Quantiles][]) : []),
    ...(oneWay === null ? [] : ([[oneWayRow, oneWay.latencyUs]] as [string, Quantiles][])),
    ...(isOpen ? ([["generator's send lag", sendLagUs]] as [string, Quantiles][]) : []),
    ["TCP handshake", connections.tcpUs],
    ...(connections.tlsUs === null ? [] : ([["TLS handshake", connections.tlsUs]] as [string, Quantiles][])),
    ["upgrade", connections.upgradeUs],
    ...(plan.adapter === null ? [] : ([["join", connections.joinUs]] as [string, Quantiles][])),
  ];
  return {
    columns: columnsOf("", ["p50", "p90", "p99", "p99.9", "max"]),
    rows: rows
      .filter(([, quantiles]) => quantiles.count > 0)
      .map(([name, quantiles]) => ({
        cells: [
          { text: name },
          ...(["p50", "p90", "p99", "p999", "max"] as const).map((quantile) => ({
            text:
              quantiles === oneWay?.latencyUs && isRefused(quantiles, quantile)
                ? describeRefused(oneWay.clockErrorUs)
                : format.formatLatency(quantiles[quantile]),
          })),
        ],
      })),
  };
}

function listRemarks(result: AttackResult): (string | Sentence)[] {
  const { plan, connections, connectionStages } = result;
  if (plan.scenario !== null) return listScenarioRemarks(result);
  const isOpen = plan.load.kind === "open";
  return [
    isOpen
      ? "Every message had its time, however late the replies were. Latency counts from that time, so a stall of the server is in it."
      : "Each connection sent again when a reply came. A slow server is asked less often, so latency hides its stalls.",
    "A quantile that fewer than 10 messages lie beyond is not shown, nor one beyond what was answered.",
    ...(plan.reply.kind === "order"
      ? ["Replies were taken in order: which message a reply answers is not proved, nor are duplicates told."]
      : []),
    ...(plan.compression === "none"
      ? []
      : [
          plan.compression === "takeover"
            ? "With takeover each compressed connection keeps 110 to 310 kB of windows here, and a server about as much. CPU and memory of the generator include compression."
            : "Each message was compressed by itself: nothing is kept between two. CPU of the generator includes compression.",
        ]),
    ...(plan.connectionStages === null
      ? []
      : [
          "Released connections are those that a stage closed, each when its replies had come. Of a stage, open ones are those at its end, and latencies those of the seconds that begin in it.",
          ...((connectionStages?.length ?? 0) > mostStages
            ? [`The first ${mostStages} stages are shown; result.json has all.`]
            : []),
        ]),
    ...(connections.deaths.length === 0 ? [] : [`Closed: ${describeFailures(connections.deaths)}.`]),
    `Messages were sent for ${format.formatDuration(loadSeconds(plan.load) * 1000)}; after it, ${format.formatDuration(plan.replyTimeoutMs)} without an answer end the attack.`,
  ];
}
