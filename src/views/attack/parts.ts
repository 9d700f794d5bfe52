import { type AttackPart, type AttackResult, type FleetFacts, nameOfPart } from "../../result/attack.ts";
import * as format from "../../text/format.ts";
import { type Block, type Cell, list, paragraph, type Sentence, table } from "../document/block.ts";
import { describeAttackReason, nounOfPart } from "./verdict.ts";

const headers = ["opened", "sent", "answered", "lost", "latency p99", "send lag p99", "CPU", "figures"];
/** On one screen, of why parts are not well. */
const mostLines = 6;

/** Those that are not well are named however many there are, and then the slowest. */
function byTrouble(a: AttackPart, b: AttackPart): number {
  const p99 = ({ figures }: AttackPart) => figures?.latencyUs.p99 ?? 0;
  return Number(a.status === "ok") - Number(b.status === "ok") || p99(b) - p99(a);
}

/**
 * What each machine did of an attack that several did together; nothing where one did it all.
 *
 * @param most those beyond are counted only; what is wrong goes first then
 */
export function buildParts(result: AttackResult, most = Number.POSITIVE_INFINITY): Block[] {
  const { parts, plan, fleet } = result;
  if (parts.length === 0) return [];
  const first = parts.toSorted(byTrouble).slice(0, most);
  const shown = parts.filter((part) => first.includes(part));
  const more = parts.length - shown.length;
  // That of the whole is told by its verdict.
  const bad = shown.filter(({ reason }) => reason !== null && !Bun.deepEquals(reason, result.reason));
  return [
    ...(fleet === undefined ? [] : [paragraph(describeFleet(result, fleet))]),
    table({
      columns: [
        { header: nounOfPart(result), align: "left" },
        ...headers.map((header) => ({ header, align: "right" as const })),
      ],
      rows: shown.map((part) => ({ cells: cellsOf(part, plan.reply.kind !== "none") })),
    }),
    ...(more === 0
      ? []
      : [
          paragraph({
            text: `The worst ${shown.length}; ${format.formatCount(more)} more in report.html and report.md.`,
            style: "dim",
          }),
        ]),
    ...list(
      bad.map((part) => describeBad(part)),
      mostLines,
    ),
  ];
}

function describeBad(part: AttackPart): Sentence {
  const { reason } = part;
  const namesIt = reason !== null && "agent" in reason;
  return {
    ...(namesIt ? {} : { lead: `${nameOfPart(part)}:` }),
    text: `${describeAttackReason(reason)}.`,
    style: "bad",
  };
}

function describeFleet({ parts, oneWay }: AttackResult, { start }: FleetFacts): Sentence {
  const many = format.plural(parts.length, "agent");
  if (start === null) return { lead: "Fleet:", text: `${many}; the load did not begin.` };
  const { skewUs, errorUs } = start;
  const [skew, error] = [format.formatLatency(skewUs), format.formatLatency(errorUs)];
  const begun =
    errorUs === 0
      ? `${many} began at one moment of one clock.`
      : `${many} began within ${skew} of each other, known to ${error}. Latency is by each agent's own clock.`;
  return { lead: "Fleet:", text: `${begun}${describeOneWay(oneWay)}` };
}

function describeOneWay(oneWay: AttackResult["oneWay"]): string {
  if (oneWay === null || oneWay.clockErrorUs === 0) return "";
  const { clockErrorUs } = oneWay;
  if (clockErrorUs === null)
    return " From agent to agent it is not told: how far apart their clocks are is not known.";
  const error = format.formatLatency(clockErrorUs);
  return ` From agent to agent it is known to ${error}, and not told below that error of the clocks.`;
}

function cellsOf(part: AttackPart, isAwaited: boolean): Cell[] {
  const { figures } = part;
  const name = { text: nameOfPart(part) };
  const unknown = { text: format.unknown };
  if (figures === null) return [name, ...headers.slice(1).map(() => unknown), standingOf(part)];
  const { connections, messages, latencyUs, sendLagUs, generator } = figures;
  const { opened, requested } = connections;
  const count = (value: number, style: Cell["style"] = null): Cell => ({
    text: format.formatCount(value),
    style: value === 0 ? null : style,
  });
  return [
    name,
    opened === requested
      ? count(opened)
      : { text: `${format.formatCount(opened)} of ${format.formatCount(requested)}`, style: "bad" },
    count(messages.sent),
    isAwaited ? count(messages.answered) : unknown,
    isAwaited ? count(messages.lost, "bad") : unknown,
    { text: format.formatLatency(latencyUs.p99) },
    { text: format.formatLatency(sendLagUs.p99) },
    { text: format.formatShare(generator?.cpuShare ?? null) },
    standingOf(part),
  ];
}

function standingOf({ status }: AttackPart): Cell {
  return status === "ok"
    ? { text: "count", style: "good" }
    : { text: status ?? format.unknown, style: "bad" };
}
