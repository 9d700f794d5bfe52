import type { WorkerSetup } from "../engine/worker-protocol.ts";
import { sourceAddresses } from "../machine/source-addresses.ts";
import { agentsElsewhere, type Plan, roomGroup } from "../plan/plan.ts";
import type { RoundOptions } from "./live-round.ts";
import type { RunTarget } from "./target.ts";

/** What each worker of a round gets to know. @param plan of the round, or of its warm-up */
export function workerSetups(
  plan: Plan,
  options: RoundOptions,
  { address: target, protocol }: RunTarget,
): WorkerSetup[] {
  // Elsewhere than on loopback, the system knows the one address to connect from.
  const addresses = target.host.startsWith("127.") ? sourceAddresses(plan, options.position) : [];
  const joins = [...new Set(plan.phases.flatMap(({ workload }) => workload ?? []))]
    .map((workload) => roomGroup(plan, workload))
    .filter((group) => group !== null);
  return Array.from({ length: plan.workers }, (_, worker) => ({
    worker,
    workers: plan.workers,
    machines: agentsElsewhere(plan)?.count ?? 1,
    connections: plan.connections,
    joins,
    target,
    protocol,
    sourceAddresses: addresses[worker] ?? [],
    messageBytes: plan.messageBytes,
    framing: options.framing,
    seed: plan.seed,
    epochUs: options.epochUs,
    cpus: plan.workerCpus,
    pacing: plan.pacing,
    connectTimeoutMs: plan.timeouts.connectMs,
  }));
}
