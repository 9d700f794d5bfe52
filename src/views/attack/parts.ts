import { type AttackPart, type AttackResult, nameOfPart } from "../../result/attack.ts";
import * as format from "../../text/format.ts";
import { type Block, type Cell, list, paragraph, table } from "../document/block.ts";
import { describeAttackReason } from "./verdict.ts";

const headers = ["opened", "sent", "answered", "lost", "latency p99", "send lag p99", "CPU", "figures"];

/**
 * What each machine did of an attack that several did together; nothing where one did it all.
 *
 * @param most those beyond are counted only; what is wrong goes first then
 */
export function buildParts({ parts, plan }: AttackResult, most = Number.POSITIVE_INFINITY): Block[] {
  if (parts.length === 0) return [];
  const sorted = parts.length > most ? parts.toSorted((a, b) => rank(a) - rank(b)) : parts;
  const shown = sorted.slice(0, most);
  const more = parts.length - shown.length;
  const bad = shown.filter(({ status }) => status !== "ok");
  return [
    table({
      columns: [
        { header: "machine", align: "left" },
        ...headers.map((header) => ({ header, align: "right" as const })),
      ],
      rows: shown.map((part) => ({ cells: cellsOf(part, plan.reply.kind !== "none") })),
    }),
    ...(more === 0
      ? []
      : [paragraph({ text: `and ${more} more in report.html and report.md`, style: "dim" })]),
    ...list(
      bad.map((part) => ({
        lead: `${nameOfPart(part)}:`,
        text: `${describeAttackReason(part.reason)}.`,
        style: "bad" as const,
      })),
    ),
  ];
}

function rank({ status }: AttackPart): number {
  return status === "ok" ? 1 : 0;
}

function cellsOf(part: AttackPart, isAwaited: boolean): Cell[] {
  const { connections, messages, latencyUs, sendLagUs, generator, status } = part;
  const { opened, requested } = connections;
  const count = (value: number, style: Cell["style"] = null): Cell => ({
    text: format.formatCount(value),
    style: value === 0 ? null : style,
  });
  const unknown = { text: format.unknown };
  return [
    { text: nameOfPart(part) },
    opened === requested
      ? count(opened)
      : { text: `${format.formatCount(opened)} of ${format.formatCount(requested)}`, style: "bad" },
    count(messages.sent),
    isAwaited ? count(messages.answered) : unknown,
    isAwaited ? count(messages.lost, "bad") : unknown,
    { text: format.formatLatency(latencyUs.p99) },
    { text: format.formatLatency(sendLagUs.p99) },
    { text: format.formatShare(generator?.cpuShare ?? null) },
    status === "ok" ? { text: "count", style: "good" } : { text: status, style: "bad" },
  ];
}
