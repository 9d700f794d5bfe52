import type { FaultReport, Phase } from "../../result/schema.ts";
import { precision } from "../../run/phases/capacity-search.ts";
import { median } from "../../stats/intervals.ts";
import type { Measure } from "../../stats/ranking.ts";
import * as format from "../../text/format.ts";
import { okPhases, type Participant } from "./section.ts";

/** A figure of a phase: where it stands in the result, how it is written and what it means. */
export interface PhaseMeasure {
  readonly header: string;
  /** One sentence, for a reader who has not read the method. */
  readonly meaning: string;
  readonly better: Measure["better"];
  readonly pick: (phase: Phase) => number | null;
  readonly format: (value: number | null) => string;
  /** Over the rounds: the middle one, or the worst. */
  readonly over?: "worst";
  /** The step in which the value comes in this phase; 0 when it has none worth speaking of. */
  readonly step?: (phase: Phase) => number;
  /** The same as a share of the value. */
  readonly relativeStep?: number;
}

/** Processor time is read in nanoseconds (Linux), but a sample is taken up to about a millisecond beside the phase's ends. */
const cpuTickUs = 1000;
const pageBytes = 4096;

const microsecond = () => 1;

const listed = {
  opened: {
    header: "opened",
    meaning: "Connections that were open and had joined the room when the phase ended.",
    better: "higher",
    pick: ({ connections }) => connections.opened,
    format: format.formatCount,
    step: () => 1,
  },
  openedShare: {
    header: "of all",
    meaning: "Opened connections as a share of those the plan asks for.",
    better: "higher",
    pick: ({ connections: { opened, requested } }) => (requested === 0 ? null : opened / requested),
    format: format.formatShare,
  },
  failed: {
    header: "failed",
    meaning:
      "Connections of the plan that could not be opened; the limit that stopped them is named below the table.",
    better: "lower",
    pick: ({ connections }) => connections.failed,
    format: format.formatCount,
  },
  connectRate: {
    header: "connections",
    meaning: "Connections opened per second, from the first attempt to the last success.",
    better: "higher",
    pick: ({ connect }) => connect?.connectionsPerSecond ?? null,
    format: format.formatRate,
  },
  tcpP50: latency("TCP p50", "Time until the TCP connection stood.", ({ connect }) => connect?.tcpUs.p50),
  tcpP99: latency("TCP p99", "The same, for the slowest hundredth.", ({ connect }) => connect?.tcpUs.p99),
  upgradeP50: latency(
    "upgrade p50",
    "Time from the HTTP request to the answer that makes it a WebSocket.",
    ({ connect }) => connect?.upgradeUs.p50,
  ),
  upgradeP99: latency(
    "upgrade p99",
    "The same, for the slowest hundredth.",
    ({ connect }) => connect?.upgradeUs.p99,
  ),
  joinP99: latency(
    "join p99",
    "Time from asking to join the room to the answer, for the slowest hundredth.",
    ({ connect }) => connect?.joinUs.p99,
  ),
  throughput: {
    header: "deliveries",
    meaning:
      "Messages that arrived intact at a receiver, per second from the first send to the last delivery. Sends and frames are not counted.",
    better: "higher",
    pick: ({ throughput }) => throughput?.deliveriesPerSecond ?? null,
    format: format.formatRate,
  },
  offered: {
    header: "offered",
    meaning:
      "Deliveries per second that the generator asked for, at instants fixed beforehand, whatever the server does.",
    better: "higher",
    pick: ({ rate }) => rate?.offeredPerSecond ?? null,
    format: format.formatRate,
  },
  held: {
    header: "held",
    meaning: "Deliveries per second that arrived while the load lasted; what came afterwards was backlog.",
    better: "higher",
    pick: ({ rate }) => rate?.heldPerSecond ?? null,
    format: format.formatRate,
    // The clock cuts a delivery or two in flight off at the end.
    step: () => 1,
  },
  heldShare: {
    header: "of offer",
    meaning: "The rate held as a share of the rate offered.",
    better: "higher",
    pick: ({ rate }) => rate?.heldShare ?? null,
    format: format.formatShare,
  },
  capacity: {
    header: "capacity",
    meaning:
      "Deliveries per second: the highest offered rate that was held for a step, with p99 within the plan's limit and nothing lost. ≥ where something else than the server ended the search: a lower bound, which is not ranked.",
    better: "higher",
    pick: ({ capacity }) => (capacity === null || capacity.isLowerBound ? null : capacity.ratePerSecond),
    format: format.formatRate,
    relativeStep: precision,
  },
  capacityPerCore: {
    header: "per core",
    meaning: "The capacity divided by the processors that the server was given.",
    better: "higher",
    pick: ({ capacity }) => (capacity === null || capacity.isLowerBound ? null : capacity.perCore),
    format: format.formatRate,
    relativeStep: precision,
  },
  capacityPerCpuSecond: {
    header: "per CPU-second",
    meaning: "Deliveries at that rate per second of processor time that the server's process tree used.",
    better: "higher",
    pick: ({ capacity }) => capacity?.perCpuSecond ?? null,
    format: format.formatCount,
  },
  p50: latency(
    "p50",
    "Latency that half of the deliveries stayed below, from the instant at which the message was meant to be sent, so that a stall is not hidden.",
    ({ latencyUs }) => latencyUs?.p50,
  ),
  p90: latency("p90", "The same for 9 of 10 deliveries.", ({ latencyUs }) => latencyUs?.p90),
  p99: latency("p99", "The same for 99 of 100 deliveries.", ({ latencyUs }) => latencyUs?.p99),
  p999: latency(
    "p99.9",
    "The same for 999 of 1,000 deliveries; left out where fewer than ten lie beyond it.",
    ({ latencyUs }) => latencyUs?.p999,
  ),
  max: {
    ...latency("max", "The slowest delivery of all rounds.", ({ latencyUs }) => latencyUs?.max),
    over: "worst",
  },
  uncorrectedP99: latency(
    "uncorr. p99",
    "p99 from the instant at which the message was really sent, which is what most tools report.",
    ({ uncorrectedLatencyUs }) => uncorrectedLatencyUs?.p99,
  ),
  firstReceiver: latency(
    "first member",
    "Half of the broadcasts had reached their first receiver after this time.",
    ({ receiversUs }) => receiversUs?.first.p50,
  ),
  medianReceiver: latency(
    "median member",
    "Half of the broadcasts had reached half of the receivers after this time.",
    ({ receiversUs }) => receiversUs?.median.p50,
  ),
  lastReceiver: latency(
    "last member",
    "Half of the broadcasts had reached every receiver after this time.",
    ({ receiversUs }) => receiversUs?.last.p50,
  ),
  cpuPerDelivery: {
    header: "CPU/delivery",
    meaning: "Processor time of the server's whole process tree, user and system, per delivery.",
    better: "lower",
    pick: ({ server }) => server.cpuUsPerDelivery,
    format: format.formatCpu,
    step: ({ messages }) => cpuTickUs / Math.max(1, messages?.delivered ?? 0),
  },
  cpuPerConnection: {
    header: "CPU/connection",
    meaning: "Processor time of the server's whole process tree per connection opened.",
    better: "lower",
    pick: ({ server, connections }) =>
      server.cpuMs === null || connections.opened === 0 ? null : (server.cpuMs * 1000) / connections.opened,
    format: format.formatCpu,
    step: ({ connections }) => cpuTickUs / Math.max(1, connections.opened),
  },
  peakMemory: {
    header: "peak memory",
    meaning: "Most resident memory of the server's process tree, sampled all through the phase.",
    better: "lower",
    pick: ({ server }) => server.peakRssBytes,
    format: format.formatBytes,
    step: () => pageBytes,
  },
  memoryPerConnection: {
    header: "per conn.",
    meaning:
      "Peak memory less that of the idle server, per open connection. Kernel memory of the sockets is not in it.",
    better: "lower",
    pick: ({ server }) => server.rssBytesPerConnection,
    format: format.formatBytes,
    step: ({ connections }) => pageBytes / Math.max(1, connections.opened),
  },
  inTime: {
    header: "others in time",
    meaning:
      "Of the deliveries owed to the connections that a fault did not strike, from the strike on, the share that came, and no later than twice the p99 before. Over all faults but kill, which strikes everybody.",
    better: "higher",
    pick: ({ chaos }) => shareInTime(chaos?.faults ?? []),
    format: format.formatShare,
    // One delivery.
    step: ({ chaos }) =>
      1 /
      Math.max(
        1,
        neighbourly(chaos?.faults ?? []).reduce((all, { planned }) => all + planned, 0),
      ),
  },
  lostNeighbours: {
    header: "others lost",
    meaning: "Connections lost that the fault did not strike, over all faults but kill.",
    better: "lower",
    pick: ({ chaos }) =>
      chaos === null
        ? null
        : neighbourly(chaos.faults).reduce((all, { lostConnections }) => all + lostConnections, 0),
    format: format.formatCount,
  },
  backAfterKill: {
    header: "back after kill",
    meaning:
      "From the kill of the server's process until, restarted by the harness, it had all its connections back and served them as before.",
    better: "lower",
    pick: ({ chaos }) => {
      const ms = chaos?.faults.find(({ fault }) => fault === "kill")?.recoveredMs ?? null;
      return ms === null ? null : ms * 1000;
    },
    format: format.formatLatency,
    // Recovery is told in slots of 100 ms.
    step: () => 100_000,
  },
  messagesPerFrame: {
    header: "msgs/frame",
    meaning:
      "Messages per WebSocket message: more than 1 where a contender puts several into one, which it must declare.",
    better: "higher",
    pick: ({ messages }) =>
      messages === null || messages.frames === 0 ? null : messages.delivered / messages.frames,
    format: (value) => (value === null ? format.unknown : format.formatFactor(value)),
  },
  generatorShare: {
    header: "generator",
    meaning:
      "Processor time of the load generator as a share of the processors it has. With spin pacing it says little, since waiting for the next send takes processor time too: then the send lag tells whether it kept up.",
    better: "lower",
    pick: ({ generator }) => generator?.cpuShare ?? null,
    format: (value) => (value === null ? format.unknown : `${format.formatCount(Math.round(value * 100))} %`),
  },
  sendLagP99: latency(
    "send lag p99",
    "How late the generator itself was: from the instant at which a message was meant to be sent until it was.",
    ({ sendLagUs }) => sendLagUs?.p99,
  ),
} satisfies Record<string, PhaseMeasure>;

export type MeasureName = keyof typeof listed;

export const measures: Readonly<Record<MeasureName, PhaseMeasure>> = listed;

/** Faults that leave the server's process to itself: what the others suffer is the server's doing. */
function neighbourly(faults: readonly FaultReport[]): FaultReport[] {
  return faults.filter(({ fault }) => fault !== "kill");
}

function shareInTime(faults: readonly FaultReport[]): number | null {
  const sum = (pick: (fault: FaultReport) => number) =>
    neighbourly(faults).reduce((all, fault) => all + pick(fault), 0);
  const planned = sum((fault) => fault.planned);
  return planned === 0 ? null : 1 - sum(({ lost, late }) => lost + late) / planned;
}

function latency(
  header: string,
  meaning: string,
  pick: (phase: Phase) => number | null | undefined,
): PhaseMeasure {
  return {
    header,
    meaning,
    better: "lower",
    pick: (phase) => pick(phase) ?? null,
    format: format.formatLatency,
    step: microsecond,
  };
}

/** One value per round, at the round's place; null where the round has none that counts. */
export function valuesOf(participant: Participant, measure: PhaseMeasure): (number | null)[] {
  return participant.phases.map((phase) => (phase?.status === "ok" ? measure.pick(phase) : null));
}

/** The value that stands for all rounds: the median, or the worst where the measure says so. */
export function overRounds(participant: Participant, measure: PhaseMeasure): number | null {
  const values = valuesOf(participant, measure).filter((value) => value !== null);
  if (values.length === 0) return null;
  return measure.over === "worst" ? Math.max(...values) : median(values);
}

/** The step for comparing: the coarsest of those that took part. */
export function stepOf(participants: readonly Participant[], measure: PhaseMeasure): number {
  const { step, relativeStep = 0, pick } = measure;
  if (relativeStep > 0) {
    const values = participants.flatMap(okPhases).flatMap((phase) => pick(phase) ?? []);
    return relativeStep * Math.max(0, ...values);
  }
  return step === undefined ? 0 : Math.max(0, ...participants.flatMap(okPhases).map(step));
}
