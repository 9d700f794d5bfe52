import { okPhases, type Participant, type Section } from "../../measures/sections.ts";
import type { LoadPhase } from "../../result/phase.ts";
import type { RunFleet } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { type Block, heading, paragraph, type Sentence, table } from "./block.ts";

type AgentPart = NonNullable<LoadPhase["agents"]>[number];

/** Of hundreds of agents; the result file has all. */
const mostRows = 24;

/** `3 agents by nats://10.0.0.1:4222 (one/11 with 2 CPUs, …), servers at 10.0.0.1` */
export function describeFleet({ bus, agents, serverAddress }: RunFleet): string {
  const names = agents.map(({ name, cpuCount }) => `${name} with ${format.plural(cpuCount, "CPU")}`);
  const rest = names.length > 6 ? `, and ${names.length - 6} more` : "";
  return `${format.plural(agents.length, "agent")} by ${bus} (${names.slice(0, 6).join(", ")}${rest}), servers at ${serverAddress}`;
}

/** What each agent did of a phase, over all rounds that count; nothing where this machine made the load. */
export function buildAgents({ participants }: Section): Block[] {
  const rows = participants.flatMap(describeParts);
  if (rows.length === 0) return [];
  const shown = rows.length > mostRows ? rows.toSorted((a, b) => b.p99Us - a.p99Us).slice(0, mostRows) : rows;
  const more = rows.length - shown.length;
  return [
    heading(3, "By agent, sums and worst of all rounds"),
    table({
      columns: [
        { header: "contender", align: "left" },
        { header: "agent", align: "left" },
        ...["sent", "delivered", "p99", "send lag p99", "CPU used"].map((header) => ({
          header,
          align: "right" as const,
        })),
      ],
      rows: shown.map(({ texts }) => ({ cells: texts.map((text) => ({ text })) })),
    }),
    ...(more === 0
      ? []
      : [
          paragraph({
            text: `The slowest ${shown.length}; ${format.formatCount(more)} more in result.json.`,
            style: "dim",
          }),
        ]),
  ];
}

function describeParts(participant: Participant): { readonly p99Us: number; readonly texts: string[] }[] {
  const parts = okPhases(participant).flatMap((phase) => ("agents" in phase ? (phase.agents ?? []) : []));
  return [...Map.groupBy(parts, ({ agent }) => agent).values()].map((own) => {
    const p99Us = worstOf(own, ({ latencyUs }) => latencyUs.p99 ?? latencyUs.max);
    const [first] = own;
    return {
      p99Us: p99Us ?? 0,
      texts: [
        participant.name,
        `${first?.agent} ${first?.name}`,
        format.formatCount(own.reduce((all, { sent }) => all + sent, 0)),
        format.formatCount(own.reduce((all, { delivered }) => all + delivered, 0)),
        format.formatLatency(p99Us),
        format.formatLatency(worstOf(own, ({ sendLagUs }) => sendLagUs.p99 ?? sendLagUs.max)),
        format.formatShare(worstOf(own, ({ generator }) => generator.cpuShare)),
      ],
    };
  });
}

function worstOf(parts: readonly AgentPart[], pick: (part: AgentPart) => number | null): number | null {
  const known = parts.flatMap((part) => pick(part) ?? []);
  return known.length === 0 ? null : Math.max(...known);
}

/** Where deliveries went from one clock to another: what may be told of their latency. */
export function noteClocks({ participants }: Section): Sentence[] {
  const errors = participants
    .flatMap(okPhases)
    .flatMap((phase) => ("clockErrorUs" in phase ? (phase.clockErrorUs ?? []) : []));
  if (errors.length === 0) return [];
  const error = format.formatLatency(Math.max(...errors));
  return [
    {
      text: `Latency is from one agent to another: it is known to ${error}, the error of their clocks, and no figure below that is told.`,
    },
  ];
}
