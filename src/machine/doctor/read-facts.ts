import type { Plan } from "../../plan/plan.ts";
import type { Environment } from "../../result/schema.ts";
import type { MachineFacts } from "./facts.ts";
import { readLinux } from "./linux-facts.ts";
import { readMac, readMacOutputs } from "./macos-facts.ts";
import { measureNoise } from "./noise.ts";

/**
 * What the checks ask for. Only reads, and never fails: what this machine does not say is null.
 *
 * @param noiseMs how long to spin for the noise; 0 leaves it out
 */
export async function readFacts(
  plan: Pick<Plan, "serverCpus" | "workerCpus">,
  environment: Environment,
  noiseMs: number,
): Promise<MachineFacts> {
  const system: MachineFacts["system"] =
    process.platform === "linux" ? "linux" : process.platform === "darwin" ? "macos" : "other";
  // Before the noise is measured, which would be in the load. Without /proc and /sys nothing is known.
  const facts = system === "macos" ? readMac(await readMacOutputs()) : readLinux();
  const { sysctls, descriptorLimit, portRange, cpuCount, cpuGovernor: governor } = environment;
  const noise = noiseMs === 0 ? null : await measureNoise(plan, noiseMs).catch(() => null);
  return { ...facts, system, sysctls, descriptorLimit, portRange, cpuCount, governor, noise };
}
