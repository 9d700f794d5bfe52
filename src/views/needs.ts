import { brokerTraffic, type Known, type LimitName, type Needs, usableShare } from "../machine/needs.ts";
import { perSecondWorthAWorker } from "../plan/attack/plan.ts";
import * as format from "../text/format.ts";
import { type Block, code, heading, list, makePrintable, paragraph, table } from "./document/block.ts";

const limitTexts: Readonly<Record<LimitName, string>> = {
  ports: "local ports",
  memory: "memory",
  cpu: "CPU",
  bandwidth: "bandwidth",
};

/** What an attack needs, each figure with what it rests on. */
export function buildNeeds(needs: Needs): Block[] {
  const { demand, agents } = needs;
  const { connections, ratePerSecond, receivers } = demand;
  const handed = receivers === 1 ? "" : `, each to ${format.plural(receivers, "receiver")}`;
  return [
    heading(
      2,
      `${format.plural(connections, "connection")}, ${format.plural(ratePerSecond, "message")} per second${handed}`,
    ),
    paragraph(describeAnswer(needs)),
    table({
      columns: ["", "needed", "rests on"].map((header) => ({ header, align: "left" as const })),
      rows: listFigures(needs).map((cells) => ({ cells: cells.map((text) => ({ text })) })),
    }),
    ...list(listRemarks(needs)),
    code(
      [
        `showdown agent --bus nats://BROKER:4222          # on each of ${format.plural(agents, "machine")}`,
        `showdown attack ${demand.tls ? "wss" : "ws"}://SERVER/ --fleet nats://BROKER:4222 --agents ${agents} \\`,
        `  --connections ${connections} --rate ${ratePerSecond} --connect-rate ${demand.connectRatePerSecond}`,
      ].join("\n"),
    ),
  ].map(makePrintable);
}

function describeAnswer({ agents, decidedBy, fits, limits }: Needs) {
  const asks = limits
    .filter((one) => one.isKnown)
    .map(({ limit, agents: needed }) =>
      needed === null
        ? `${limitTexts[limit]}: never enough`
        : `${limitTexts[limit]}: ${format.formatCount(needed)}`,
    );
  const each = `Agents that each limit asks for: ${asks.join(", ")}.`;
  if (!fits) {
    return {
      lead: `${format.plural(agents, "agent")}: not enough.`,
      text: each,
      style: "bad" as const,
    };
  }
  const why =
    decidedBy === null ? "" : `${limitTexts[decidedBy]} decide${decidedBy === "ports" ? "" : "s"}. `;
  return { lead: `${format.plural(agents, "agent")}:`, text: `${why}${each}`, style: "good" as const };
}

/** What it is, how much, and what that rests on in a few words: `listRemarks` has the rest. */
function listFigures(needs: Needs): string[][] {
  const { demand, agent, taken, perAgent, server, broker, openingSeconds, agents } = needs;
  const { formatBytes: bytes, formatCount: count, formatRate: rate } = format;
  return [
    ["connections per agent", count(perAgent.connections), "an even share"],
    [
      "messages per agent",
      rate(perAgent.ratePerSecond),
      `${count(perSecondWorthAWorker)}/s for each CPU; CPUs: ${tell(agent.cpus, count)}`,
    ],
    ["workers per agent", count(perAgent.workers), `descriptors of each: ${tell(agent.descriptors, count)}`],
    [
      "source addresses per agent",
      count(perAgent.sourceAddresses),
      `ports of each: ${tell(agent.ports, count)}`,
    ],
    [
      "memory per agent",
      bytes(perAgent.memoryBytes),
      `${bytes(taken.generator + taken.kernelEnd)} per connection, ${bytes(taken.worker)} per worker`,
    ],
    [
      "network per agent",
      `${bits(perAgent.sentBitsPerSecond)} out`,
      `${count(demand.messageBytes)} B of payload in a segment of its own`,
    ],
    ["", `${bits(perAgent.receivedBitsPerSecond)} in`, "the same, for each receiver"],
    ["server: descriptors", count(server.descriptors), "one for each connection"],
    [
      "server: memory",
      range(server.leastMemoryBytes, server.mostMemoryBytes),
      `${range(taken.serverLeast, taken.serverMost)} per connection`,
    ],
    ["server: network", `${bits(server.receivedBitsPerSecond)} in`, "as above, of all agents"],
    ["", `${bits(server.sentBitsPerSecond)} out`, ""],
    ["broker: connections", count(broker.connections), "each agent and the coordinator"],
    [
      "broker: traffic",
      `${range(broker.leastBytesPerSecond, broker.mostBytesPerSecond)}/s`,
      `a message a second, ${range(brokerTraffic.beatBytes.least, brokerTraffic.beatBytes.most)}, per agent`,
    ],
    [
      "broker: kept at the end",
      range(broker.leastStoredBytes, broker.mostStoredBytes),
      `${range(brokerTraffic.resultBytes.least, brokerTraffic.resultBytes.most)} per agent`,
    ],
    [
      "opening all connections",
      format.formatDuration(openingSeconds * 1000),
      `--connect-rate ${count(demand.connectRatePerSecond)}: ${rate(demand.connectRatePerSecond / agents)} per agent`,
    ],
  ];
}

/** Bytes. */
function range(least: number, most: number): string {
  const [from, to] = [format.formatBytes(least), format.formatBytes(most)];
  return from === to ? from : `${from} to ${to}`;
}

/** A value, and where it is from. */
function tell({ value, from }: Known, write: (value: number) => string): string {
  if (value === null) return "unknown";
  return `${write(value)} (${{ option: "given", machine: "read here", default: "default" }[from]})`;
}

function bits(perSecond: number): string {
  const [unit, size] =
    perSecond >= 1e9 ? ["Gbit/s", 1e9] : perSecond >= 1e6 ? ["Mbit/s", 1e6] : ["kbit/s", 1e3];
  return `${format.formatCount(Number((perSecond / Number(size)).toPrecision(3)))} ${unit}`;
}

function listRemarks(needs: Needs): string[] {
  const { agent, taken, decidedBy, limits, perAgent, openingSeconds, demand } = needs;
  const { formatBytes: bytes } = format;
  const usable = `${usableShare * 100} %`;
  const others = limits.flatMap(({ limit, agents }) => (limit === "ports" ? [] : (agents ?? [])));
  const without = Math.max(1, ...others);
  const ports = agent.ports.value;
  return [
    `An agent has ${tell(agent.addresses, (value) => (value === 1 ? "one source address" : `${format.formatCount(value)} source addresses`))}, memory: ${tell(agent.memoryBytes, bytes)}, bandwidth: ${tell(agent.bitsPerSecond, bits)}. Of memory and bandwidth ${usable} are planned with.`,
    `Measured: ${bytes(taken.generator)} per connection in an agent's processes at most, ${bytes(taken.kernelEnd)} in the kernel at each end (Linux 6.18), ${bytes(taken.worker)} per worker.`,
    taken.serverLeast === taken.serverMost
      ? "The server's memory per connection is --server-bytes, and the kernel's end."
      : "The server's memory per connection is that of the leanest and of the heaviest contender, and the kernel's end.",
    "The broker's least was measured in a load of 10 s; the most is of 20 minutes with widely spread latencies.",
    "Acknowledgements of TCP are not counted, nor retransmissions.",
    ...(decidedBy === "ports" && ports !== null && without < needs.agents
      ? [
          `With more source addresses ${format.plural(without, "agent")} would do: --agent-addresses ${Math.ceil(Math.ceil(demand.connections / without) / ports)}.`,
        ]
      : []),
    ...(agent.descriptors.value === null ? ["Descriptors are unknown here: give --agent-descriptors."] : []),
    ...(perAgent.workers > (agent.cpus.value ?? perAgent.workers)
      ? ["An agent has more workers than CPUs: they have to be quiet, or give --agent-descriptors."]
      : []),
    ...(openingSeconds > 600
      ? ["Opening takes long: raise --connect-rate as far as the server accepts."]
      : []),
    "An estimate. Try a tenth of it on one agent first, and look at its memory and its send lag.",
  ];
}
