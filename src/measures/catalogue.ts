import type { PhaseKind } from "../plan/plan.ts";
import type { CapacityPhase, ChaosPhase, LoadPhase } from "../result/phase.ts";
import { define, type Measure } from "./measure.ts";
import { microsecond, quantiles } from "./quantile-measures.ts";

const connect = ["connect"] as const;
const burst = ["burst"] as const;
const endurance = ["endurance"] as const;
/** At a rate that was asked for. */
const paced = ["steady", "endurance"] as const;
const loaded = ["burst", "steady", "endurance"] as const;
const audited = ["burst", "steady", "endurance", "capacity"] as const;
const capacity = ["capacity"] as const;
const chaos = ["chaos"] as const;
const all = ["connect", "burst", "steady", "endurance", "capacity", "chaos"] as const;

/** CPU time is read in nanoseconds (Linux), but a sample is taken up to about a millisecond beside the phase's ends. */
const cpuTickUs = 1000;
const pageBytes = 4096;
/** Those that the server's figures are of: in a phase of slices, the deliveries of slices that count. */
const countedOf = ({ messages, ...phase }: LoadPhase): number =>
  "slices" in phase && phase.slices !== undefined
    ? phase.slices.reduce((all, { delivered }) => all + delivered, 0)
    : messages.delivered;
/** The parts of CPU time are known by the kernel's clock tick. */
const cpuPartTickUs = 10_000;

/** Every measure that can be named, in the order in which tables show them. */
export const catalogue: readonly Measure[] = [
  define(connect, {
    name: "connections",
    header: "connections",
    meaning: "Connections that were open and had joined when the phase ended.",
    unit: "count",
    better: "higher",
    pick: ({ connections }) => connections.open,
    step: () => 1,
    shown: connect,
    acrossMachines: true,
  }),
  define(connect, {
    name: "connections.share",
    header: "% of plan",
    meaning: "Open connections as a share of those that the plan asks for.",
    unit: "share",
    better: "higher",
    pick: ({ connections: { open, requested } }) => (requested === 0 ? null : open / requested),
    acrossMachines: true,
  }),
  define(connect, {
    name: "connections.failed",
    header: "failed",
    meaning: "Connections that did not open.",
    unit: "count",
    better: "lower",
    pick: ({ connections }) => connections.failed,
    step: () => 1,
    over: "worst",
    acrossMachines: true,
  }),
  define(connect, {
    name: "connections.rate",
    header: "connect rate",
    meaning: "Connections opened per second, from the first attempt to the last success.",
    unit: "perSecond",
    better: "higher",
    pick: (phase) => phase.connectionsPerSecond,
    shown: connect,
  }),
  ...quantiles(
    connect,
    "tcp",
    "TCP",
    "time to open the TCP connection",
    ["p50", "p99"],
    (phase) => phase.tcpUs,
  ),
  ...quantiles(
    connect,
    "tls",
    "TLS",
    "time of the TLS handshake, once TCP is established",
    ["p50", "p99"],
    (phase) => phase.tlsUs,
  ),
  ...quantiles(
    connect,
    "upgrade",
    "upgrade",
    "time from the HTTP request to the answer that makes it a WebSocket",
    ["p50", "p99"],
    (phase) => phase.upgradeUs,
    { p99: connect },
  ),
  ...quantiles(connect, "join", "join", "time to join the room", ["p99"], (phase) => phase.joinUs),
  define(loaded, {
    name: "throughput",
    header: "throughput",
    meaning: "Messages delivered intact per second, from the first send to the last delivery.",
    unit: "perSecond",
    better: "higher",
    pick: ({ throughput }) => throughput?.deliveriesPerSecond,
    shown: burst,
  }),
  define(paced, {
    name: "offered",
    header: "target",
    meaning: "Deliveries per second that the generator asked for, on a fixed schedule.",
    unit: "perSecond",
    better: "higher",
    pick: ({ rate }) => rate?.offeredPerSecond,
  }),
  define(paced, {
    name: "sustained",
    header: "sustained",
    meaning: "Deliveries per second that arrived while the load lasted. Later arrivals are backlog.",
    unit: "perSecond",
    better: "higher",
    pick: ({ rate }) => rate?.sustainedPerSecond,
    // The clock cuts a delivery or two in flight off at the end.
    step: () => 1,
    shown: endurance,
  }),
  define(paced, {
    name: "sustained.share",
    header: "% of target",
    meaning: "The sustained rate as a share of the target rate.",
    unit: "share",
    better: "higher",
    pick: ({ rate }) => rate?.sustainedShare,
  }),
  define(capacity, {
    name: "capacity",
    header: "capacity",
    meaning:
      "The highest rate that was sustained for one step, with p99 within the plan's limit and nothing lost.",
    unit: "perSecond",
    better: "higher",
    pick: (phase) => (phase.capacity.isLowerBound ? null : phase.capacity.ratePerSecond),
    step: capacityStep,
    shown: capacity,
  }),
  define(capacity, {
    name: "capacity.per-core",
    header: "per core",
    meaning: "Capacity divided by the number of CPU cores that the server was given.",
    unit: "perSecond",
    better: "higher",
    pick: (phase) => (phase.capacity.isLowerBound ? null : phase.capacity.perCpu),
    step: (phase) => {
      const { ratePerSecond, perCpu } = phase.capacity;
      return ratePerSecond === null || perCpu === null || ratePerSecond === 0
        ? 0
        : (capacityStep(phase) * perCpu) / ratePerSecond;
    },
  }),
  define(capacity, {
    name: "capacity.per-cpu-second",
    header: "per CPU-second",
    meaning: "Deliveries at that rate per second of the server's CPU time.",
    unit: "count",
    better: "higher",
    pick: (phase) => phase.capacity.perCpuSecond,
  }),
  define(chaos, {
    name: "unaffected.in-time",
    header: "in time",
    meaning:
      "Share of deliveries to unaffected clients, from the fault on, that came within twice the p99 before it (all faults but kill).",
    unit: "share",
    better: "higher",
    pick: shareInTime,
    // One delivery.
    step: (phase) =>
      1 /
      Math.max(
        1,
        sum(contained(phase), ({ planned }) => planned),
      ),
    shown: chaos,
  }),
  define(chaos, {
    name: "unaffected.lost",
    header: "lost conns",
    meaning: "Connections of unaffected clients that were lost (all faults but kill).",
    unit: "count",
    better: "lower",
    pick: (phase) => sum(contained(phase), ({ lostConnections }) => lostConnections),
    step: () => 1,
    over: "worst",
    shown: chaos,
  }),
  define(chaos, {
    name: "back-after-kill",
    header: "back after kill",
    meaning:
      "Time from killing the server's process until, restarted, it had all its connections back and served them as before.",
    unit: "latency",
    better: "lower",
    pick: ({ faults }) => {
      const recoveredMs = faults.find(({ fault }) => fault === "kill")?.recoveredMs ?? null;
      return recoveredMs === null ? null : recoveredMs * 1000;
    },
    // Recovery is measured in slots of 100 ms.
    step: () => 100_000,
    shown: chaos,
  }),
  ...quantiles(
    loaded,
    "latency",
    "",
    "latency from the intended send time, so that a stall is not hidden",
    ["p50", "p90", "p99", "p999", "max"],
    (phase) => phase.latencyUs,
    { p50: paced, p99: loaded },
  ),
  ...quantiles(
    loaded,
    "uncorrected-latency",
    "uncorrected",
    "latency from the actual send time, as most tools report it",
    ["p99"],
    (phase) => phase.uncorrectedLatencyUs,
  ),
  ...(["first", "median", "last"] as const).map((which) =>
    define(burst, {
      name: `receiver.${which}`,
      header: `${which} receiver`,
      meaning: `Median time until the ${which === "median" ? "middle" : which} receiver of a broadcast had it.`,
      unit: "latency",
      better: "lower",
      pick: ({ receiversUs }) => receiversUs?.[which].p50,
      step: microsecond,
    }),
  ),
  define(connect, {
    name: "cpu-per-connection",
    header: "CPU/connection",
    meaning: "CPU time of the server's process tree per opened connection.",
    unit: "cpu",
    better: "lower",
    pick: ({ server, connections }) =>
      server.cpuMs === null || connections.opened === 0 ? null : (server.cpuMs * 1000) / connections.opened,
    step: ({ connections }) => cpuTickUs / Math.max(1, connections.opened),
  }),
  define(loaded, {
    name: "cpu-per-delivery",
    header: "CPU/delivery",
    meaning: "CPU time of the server's process tree, user and system, per delivery.",
    unit: "cpu",
    better: "lower",
    pick: ({ server }) => server.cpuUsPerDelivery,
    step: (phase) => cpuTickUs / Math.max(1, countedOf(phase)),
    shown: loaded,
  }),
  ...(["user", "system"] as const).map((part) =>
    define(loaded, {
      name: `cpu-per-delivery.${part}`,
      header: `${part} CPU`,
      meaning:
        part === "user"
          ? "The part of CPU/delivery that the server's own code took."
          : "The part of CPU/delivery that the kernel took for the server, mostly in reads and writes.",
      unit: "cpu",
      better: "lower",
      pick: (phase) => {
        const cpuMs = part === "user" ? phase.server.cpuUserMs : phase.server.cpuSystemMs;
        const counted = countedOf(phase);
        return cpuMs === null || counted === 0 ? null : (cpuMs * 1000) / counted;
      },
      step: (phase) => cpuPartTickUs / Math.max(1, countedOf(phase)),
    }),
  ),
  define(loaded, {
    name: "cpu-per-delivery.collector",
    header: "collector CPU",
    meaning: "The part of CPU/delivery that the garbage collector took, as the server's runtime tells it.",
    unit: "cpu",
    better: "lower",
    pick: ({ server: { cpuUsPerDelivery, collectorCpuShare } }) =>
      cpuUsPerDelivery === null || collectorCpuShare === undefined
        ? null
        : cpuUsPerDelivery * collectorCpuShare,
    step: (phase) => cpuTickUs / Math.max(1, countedOf(phase)),
  }),
  ...(["voluntary", "involuntary"] as const).map((which) =>
    define(loaded, {
      name: `context-switches.${which}`,
      header: `${which === "voluntary" ? "vol." : "invol."} switches/1,000`,
      meaning: `Times that a thread of the server gave up its CPU ${
        which === "voluntary" ? "to wait" : "because others wanted it"
      }, per 1,000 deliveries.`,
      unit: "ratio",
      better: "lower",
      pick: (phase) => {
        const { contextSwitches } = phase.server;
        const counted = countedOf(phase);
        return contextSwitches === null || counted === 0 ? null : (contextSwitches[which] * 1000) / counted;
      },
      step: (phase) => 1000 / Math.max(1, countedOf(phase)),
    }),
  ),
  define(all, {
    name: "peak-memory",
    header: "peak memory",
    meaning: "Highest resident memory (RSS) of the server's process tree during the phase.",
    unit: "bytes",
    better: "lower",
    pick: ({ server }) => server.peakRssBytes,
    step: () => pageBytes,
    shown: loaded,
  }),
  define(connect, {
    name: "memory-per-connection",
    header: "memory/conn",
    meaning:
      "Resident memory that each connection added to the server while they opened (slope). Kernel memory is not included.",
    unit: "bytes",
    better: "lower",
    pick: ({ memory }) => (memory.rss.kind === "resolved" ? memory.rss.bytesPerConnection : null),
    step: (phase) => pageBytes / Math.max(1, phase.connections.open),
    shown: connect,
  }),
  define(connect, {
    name: "memory-per-connection.kernel",
    header: "kernel mem/conn",
    meaning:
      "Kernel memory that each connection added to this machine while they opened (slope). Over loopback that is both ends.",
    unit: "bytes",
    better: "lower",
    pick: ({ memory }) => (memory.kernel.kind === "resolved" ? memory.kernel.bytesPerConnection : null),
    step: (phase) => pageBytes / Math.max(1, phase.connections.open),
  }),
  define(connect, {
    name: "generator.memory-per-connection",
    header: "generator mem/conn",
    meaning: "Resident memory that each open connection added to the load generator's own processes.",
    unit: "bytes",
    better: "lower",
    pick: ({ memory: { generator }, connections: { opened } }) =>
      generator === undefined || opened === 0
        ? null
        : Math.max(0, generator.rssBytes - generator.idleRssBytes) / opened,
    step: (phase) => pageBytes / Math.max(1, phase.connections.opened),
  }),
  define(connect, {
    name: "held",
    header: "held",
    meaning: "Connections that an echo proved alive after a time without messages (--hold-seconds).",
    unit: "count",
    better: "higher",
    pick: ({ hold }) => hold?.sweeps[1]?.answered,
    step: () => 1,
    acrossMachines: true,
  }),
  ...quantiles(
    connect,
    "held",
    "held",
    "latency of the echoes after that time",
    ["p50", "p99"],
    (phase) => phase.hold?.sweeps[1]?.latencyUs,
  ),
  define(connect, {
    name: "held.cpu-per-delivery",
    header: "held CPU/delivery",
    meaning: "CPU time of the server per echo with all connections open, before that time.",
    unit: "cpu",
    better: "lower",
    pick: ({ hold }) => hold?.sweeps[0]?.serverCpuUsPerEcho,
  }),
  define(audited, {
    name: "reach",
    header: "reach",
    meaning:
      "Deliveries that arrived, as a share of those owed. Latency quantiles beyond it are not reached.",
    unit: "share",
    better: "higher",
    pick: ({ messages }) => (messages.expected === 0 ? null : messages.delivered / messages.expected),
    over: "worst",
    acrossMachines: true,
  }),
  faultCount("lost", "Deliveries that never arrived.", ({ messages }) => messages.lost),
  define(loaded, {
    name: "lost.share",
    header: "lost %",
    meaning: "Deliveries that never arrived, as a share of those owed.",
    unit: "share",
    better: "lower",
    pick: ({ messages }) => (messages.expected === 0 ? null : messages.lost / messages.expected),
    over: "worst",
    acrossMachines: true,
  }),
  faultCount("duplicated", "Deliveries that came twice.", ({ messages }) => messages.duplicated),
  faultCount(
    "reordered",
    "Deliveries that came behind a later one of the same sender.",
    ({ messages }) => messages.reordered,
  ),
  faultCount("corrupted", "Arrivals with other bytes than were sent.", ({ messages }) => messages.corrupted),
  define(audited, {
    name: "messages-per-frame",
    header: "msgs/frame",
    meaning: "Chat messages per WebSocket message. More than 1 is batching, which a contender must declare.",
    unit: "ratio",
    better: "higher",
    pick: ({ messages }) => (messages.frames === 0 ? null : messages.delivered / messages.frames),
  }),
  define(audited, {
    name: "messages-per-segment",
    header: "msgs/segment",
    meaning:
      "Deliveries per TCP segment, on a sample of the connections. More than 1 is coalescing, by the server or by a full socket.",
    unit: "ratio",
    better: "higher",
    pick: ({ segments }) =>
      segments === null || segments.segments === 0 ? null : segments.deliveries / segments.segments,
  }),
  define(all, {
    name: "generator.cpu-share",
    header: "generator CPU",
    meaning:
      "Share of its own CPUs' time that the load generator used. With spin pacing, waiting counts too.",
    unit: "share",
    better: "lower",
    pick: ({ generator }) => generator.cpuShare,
  }),
  define(["burst", "steady", "endurance", "capacity", "chaos"], {
    name: "send-lag.p99",
    header: "send lag p99",
    meaning: "How late the generator itself sent (p99).",
    unit: "latency",
    better: "lower",
    pick: ({ sendLagUs }) => sendLagUs.p99,
    step: microsecond,
  }),
];

/** The measures that decide in a phase of a kind; all others explain. The first is what the phase is about. */
export const decidingMeasures: Readonly<Record<PhaseKind, readonly string[]>> = {
  connect: ["connections", "connections.rate", "memory-per-connection"],
  burst: ["throughput", "latency.p99", "cpu-per-delivery"],
  steady: ["latency.p99", "cpu-per-delivery"],
  endurance: ["sustained", "latency.p99", "cpu-per-delivery"],
  capacity: ["capacity"],
  chaos: ["unaffected.in-time", "back-after-kill"],
};

/** @throws RangeError for a name that is not of the catalogue */
export function measureOf(name: string): Measure {
  const measure = catalogue.find((one) => one.name === name);
  if (measure === undefined) throw new RangeError(`measure "${name}": expected one of the catalogue`);
  return measure;
}

function faultCount(name: string, meaning: string, pick: (phase: LoadPhase) => number): Measure {
  return define(loaded, {
    name,
    header: name,
    meaning,
    unit: "count",
    better: "lower",
    pick,
    step: () => 1,
    over: "worst",
    acrossMachines: true,
  });
}

/** How far the search left it open: from the highest rate sustained to the lowest that failed. */
function capacityStep({ capacity: { ratePerSecond, steps } }: CapacityPhase): number {
  if (ratePerSecond === null) return 0;
  const failed = steps.filter((step) => step.outcome !== "sustained" && step.ratePerSecond > ratePerSecond);
  return failed.length === 0 ? 0 : Math.min(...failed.map((step) => step.ratePerSecond)) - ratePerSecond;
}

/** Faults that leave the server's process to itself: what unaffected clients suffer is the server's doing. */
function contained({ faults }: ChaosPhase): ChaosPhase["faults"] {
  return faults.filter(({ fault }) => fault !== "kill");
}

function shareInTime(phase: ChaosPhase): number | null {
  const planned = sum(contained(phase), (fault) => fault.planned);
  return planned === 0 ? null : 1 - sum(contained(phase), ({ lost, late }) => lost + late) / planned;
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((total, item) => total + pick(item), 0);
}
