import { agentsElsewhere, type Plan } from "../../../plan/plan.ts";
import type { Check, CheckState, Finding } from "../check.ts";

/** What memory is estimated by, in bytes. */
export const memoryBytes = {
  /** Both sockets of a loopback connection, in the kernel: 7.7 KiB of slab measured on Linux 6.18; no RSS shows it. */
  kernel: 8 * 1024,
  /** The generator's share, at most (bench/generator.ts). */
  generator: 2 * 1024,
  /** The server's: what lean ones need, and what go-gorilla's default reserves, the heaviest here (its README). */
  leanServer: 2 * 1024,
  heavyServer: 56 * 1024,
  /** A server and a worker without connections; of each further process most is shared with the first. */
  serverBase: 150e6,
  workerBase: 60e6,
  further: 25e6,
} as const;

/** Of a load from elsewhere one of the two sockets is here. */
const perConnection = (serverBytes: number, isElsewhere: boolean) =>
  serverBytes + (isElsewhere ? memoryBytes.kernel / 2 : memoryBytes.kernel + memoryBytes.generator);

/** Memory of the machine, and of the group this process is in, against an estimate of the whole run's. */
export const checkMemory: Check = (machine, plan) => {
  const { availableBytes } = machine.memory;
  const group = machine.cgroup.memory;
  const results: Finding[] = [{ check: "memory", ...judge(availableBytes, plan) }];
  if (group !== null) {
    const { limitBytes, usedBytes, path } = group;
    const { values, ...judged } = judge(Math.max(0, limitBytes - usedBytes), plan);
    results.push({
      check: "memory-limit",
      ...judged,
      values: { ...values, limitBytes, path },
      commands: [`echo ${Math.ceil(values.mostBytes + usedBytes)} | sudo tee ${path}`],
    });
  }
  return results;
};

/** What the plan's contenders take while they are alive together, server and generator, at their leanest and heaviest. */
export function estimateMemory(plan: Plan) {
  const { connections, workers, oneAtATime, port, entrants } = plan;
  const contenders = oneAtATime || port !== 0 ? 1 : Math.max(1, entrants.length);
  const processes = Math.max(1, ...entrants.map((one) => one.processes ?? 1));
  const { serverBase, workerBase, further } = memoryBytes;
  const isElsewhere = agentsElsewhere(plan) !== null;
  const workersBytes = isElsewhere ? 0 : workerBase + (workers - 1) * further;
  const baseBytes = serverBase + (processes - 1) * further + workersBytes;
  const each = (serverBytes: number) => baseBytes + connections * perConnection(serverBytes, isElsewhere);
  return {
    contenders,
    baseBytes,
    /** One contender at its leanest: without this much the plan can't be carried out at all. */
    oneBytes: each(memoryBytes.leanServer),
    leastBytes: contenders * each(memoryBytes.leanServer),
    mostBytes: contenders * each(memoryBytes.heavyServer),
  };
}

function judge(availableBytes: number | null, plan: Plan) {
  const { contenders, baseBytes, oneBytes, leastBytes, mostBytes } = estimateMemory(plan);
  const values = { availableBytes, leastBytes, mostBytes, contenders };
  if (availableBytes === null) return { state: "unknown" as CheckState, values, holds: null };
  // Contenders that don't fit together run one at a time.
  const state: CheckState =
    availableBytes < oneBytes ? "insufficient" : availableBytes < mostBytes ? "tight" : "ok";
  const left = availableBytes - baseBytes;
  const each = perConnection(memoryBytes.leanServer, agentsElsewhere(plan) !== null);
  return { state, values, holds: Math.max(0, Math.floor(left / each)) };
}
