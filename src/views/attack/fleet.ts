import type { AttackResult, FleetFacts } from "../../result/attack.ts";
import * as format from "../../text/format.ts";
import { type Block, type Cell, paragraph, type Table, table } from "../document/block.ts";
import { describeAttackReason } from "./verdict.ts";

type FleetAgent = FleetFacts["agents"][number];

/** On one screen; all of them in the other reports. */
const mostAgents = 8;

/** Who attacked together: each one's part, and how far apart they began. Nothing where one machine attacked. */
export function buildFleet({ fleet, oneWay }: AttackResult, isShort: boolean): Block[] {
  if (fleet === undefined) return [];
  const { agents, start } = fleet;
  const shown = isShort
    ? agents
        .toSorted(byTrouble)
        .slice(0, mostAgents)
        .sort((a, b) => a.agent - b.agent)
    : agents;
  const more = agents.length - shown.length;
  const rest = `The worst ${shown.length}; ${format.formatCount(more)} more in report.html and report.md.`;
  return [
    paragraph({ lead: "Fleet:", text: `${describeFleet(agents, start)}${describeOneWay(oneWay)}` }),
    table(agentTable(shown)),
    ...(more === 0 ? [] : [paragraph({ text: rest, style: "dim" })]),
  ];
}

/** Those that are not well are named however many there are, and then the slowest. */
function byTrouble(a: FleetAgent, b: FleetAgent): number {
  const p99 = ({ figures }: FleetAgent) => figures?.latencyUs.p99 ?? 0;
  return Number(a.status === "ok") - Number(b.status === "ok") || p99(b) - p99(a);
}

function describeFleet(agents: readonly FleetAgent[], start: FleetFacts["start"]): string {
  const many = `${format.plural(agents.length, "agent")}`;
  if (start === null) return `${many}; the load did not begin.`;
  const { skewUs, errorUs } = start;
  if (errorUs === 0) return `${many} began at one moment of one clock.`;
  return `${many} began within ${format.formatLatency(skewUs)} of each other, known to ${format.formatLatency(errorUs)}. Latency is by each agent's own clock.`;
}

function describeOneWay(oneWay: AttackResult["oneWay"]): string {
  if (oneWay === null) return "";
  const { clockErrorUs } = oneWay;
  if (clockErrorUs === null)
    return " From agent to agent it is not told: how far apart their clocks are is not known.";
  const error = format.formatLatency(clockErrorUs);
  return ` From agent to agent it is known to ${error}, and not told below that error of the clocks.`;
}

function agentTable(agents: readonly FleetAgent[]): Table {
  const right = (header: string) => ({ header, align: "right" as const });
  return {
    columns: [
      { header: "agent", align: "left" },
      ...["opened", "sent", "answered", "p50", "p99", "send lag p99", "CPU used"].map(right),
      { header: "", align: "left" },
    ],
    rows: agents.map(({ agent, name, figures, status, reason }) => ({
      cells: [
        { text: `${agent} ${name}` },
        ...describeFigures(figures),
        status === "ok"
          ? { text: "" }
          : { text: `${status ?? "unknown"}: ${describeAttackReason(reason)}`, style: "bad" as const },
      ],
    })),
  };
}

function describeFigures(figures: FleetAgent["figures"]): Cell[] {
  if (figures === null) return Array.from({ length: 7 }, () => ({ text: format.unknown }));
  const { opened, sent, answered, latencyUs, sendLagUs, generator } = figures;
  return [
    ...[opened, sent, answered].map((count) => ({ text: format.formatCount(count) })),
    ...[latencyUs.p50, latencyUs.p99, sendLagUs.p99].map((us) => ({ text: format.formatLatency(us) })),
    { text: format.formatShare(generator?.cpuShare ?? null) },
  ];
}
