import { nextPhaseNumber } from "../src/engine/phase-number.ts";
import type { Target } from "../src/engine/target.ts";
import { WorkerPool } from "../src/engine/worker-pool.ts";
import type { PhaseOrder, PhaseReport, WorkerSetup } from "../src/engine/worker-protocol.ts";
import { nowUs } from "../src/machine/clock.ts";

/** As long as the presets' own. */
const warmupSeconds = 2;

export interface Sample {
  readonly roundTrips: number;
  readonly cpuUsPerRoundTrip: number;
  readonly bytesPerConnection: number;
}

interface ClosedLoop {
  readonly target: Target;
  readonly connections: number;
  readonly seconds: number;
  readonly messageBytes: number;
  /** The only one that the worker runs on. */
  readonly cpu: number;
}

/** The generator's closed loop of echoes, after a warm-up. @throws {Error} when a connection or a message is missing */
export async function measureShowdown({
  target,
  connections,
  seconds,
  messageBytes,
  cpu,
}: ClosedLoop): Promise<Sample> {
  let isDone = () => {};
  const pool = new WorkerPool({
    workers: 1,
    onConnectProgress: () => {},
    onPhaseProgress: (_, { finishedSending, delivered, expected }) => {
      if (finishedSending && delivered === expected) isDone();
    },
  });
  const epochUs = Math.floor(nowUs());
  const setup: WorkerSetup = {
    worker: 0,
    workers: 1,
    connections,
    machines: 1,
    joins: [],
    target,
    protocol: "chaos-chat",
    sourceAddresses: ["127.0.9.1"],
    messageBytes,
    framing: "single",
    seed: 1,
    epochUs,
    cpus: [cpu],
    pacing: "spin",
    connectTimeoutMs: 10_000,
  };

  let phase = 0;
  async function runLoop(loopSeconds: number): Promise<PhaseReport> {
    const done = new Promise<void>((resolve) => {
      isDone = resolve;
    });
    phase = nextPhaseNumber(phase);
    const order: PhaseOrder = {
      phase,
      workload: "echo",
      pattern: { kind: "closed", seconds: loopSeconds },
      echoSends: 0,
      rooms: null,
    };
    await pool.prepare([order]);
    pool.start(nowUs() - epochUs + 100_000);
    await done;
    const [report] = await pool.settle();
    if (report === undefined || report.delivered !== report.expected) throw new Error("messages were lost");
    return report;
  }

  try {
    await pool.setup([setup]);
    const [connected] = await pool.connect([100]);
    if (connected?.opened !== connections) throw new Error(`opened ${connected?.opened} of ${connections}`);
    await runLoop(warmupSeconds);
    const { delivered, usage } = await runLoop(seconds);
    // Not just ended: ten thousand bound ports in TIME_WAIT would be in the other clients' way.
    await pool.close();
    return {
      roundTrips: delivered,
      cpuUsPerRoundTrip: (usage.cpuMs * 1000) / delivered,
      bytesPerConnection: (usage.rssBytes - connected.idleRssBytes) / connections,
    };
  } finally {
    await pool.end();
  }
}
