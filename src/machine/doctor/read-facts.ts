import type { Plan } from "../../plan/plan.ts";
import type { Environment } from "../../result/schema.ts";
import type { MachineFacts } from "./facts.ts";
import { readLinux, type SystemFacts } from "./linux-facts.ts";
import { readMac, readMacOutputs } from "./macos-facts.ts";
import { measureNoise } from "./noise.ts";

export interface ReadOptions {
  /** How long to spin for the noise; 0 leaves it out. */
  readonly noiseMs: number;
  /** Whether to ask sudo if it works without a password. */
  readonly trySudo: boolean;
}

const unknownSystem: SystemFacts = {
  systemDescriptors: null,
  timeWaits: null,
  tcpSockets: null,
  trackedConnections: null,
  memory: { pageBytes: 4096, availableBytes: null, swapTotalBytes: null, swapUsedBytes: null },
  cgroup: { cpu: null, memory: null },
  topology: { cpus: [], canPin: false },
  governors: [],
  turbo: null,
  clockSource: null,
  loadAverage: null,
  onBattery: null,
  throttles: null,
  speedLimitPercent: null,
};

/** What the checks ask for. Only reads, and never fails: what this machine does not say is null. */
export async function readFacts(
  plan: Pick<Plan, "serverCpus" | "workerCpus">,
  environment: Environment,
  { noiseMs, trySudo }: ReadOptions,
): Promise<MachineFacts> {
  // Before the noise is measured, which would be in the load.
  const system: MachineFacts["system"] =
    process.platform === "linux" ? "linux" : process.platform === "darwin" ? "macos" : "other";
  const facts =
    system === "linux" ? readLinux() : system === "macos" ? readMac(await readMacOutputs()) : unknownSystem;
  const privilege = findPrivilege(trySudo);
  return {
    ...facts,
    system,
    sysctls: environment.sysctls,
    privilege,
    descriptorLimit: environment.descriptorLimit,
    portRange: environment.portRange,
    cpuCount: environment.cpuCount,
    noise: noiseMs === 0 ? null : await measureNoise(plan, noiseMs).catch(() => null),
  };
}

function findPrivilege(trySudo: boolean): MachineFacts["privilege"] {
  if (process.geteuid?.() === 0) return "root";
  if (!trySudo || Bun.which("sudo") === null) return "none";
  const { exitCode } = Bun.spawnSync(["sudo", "-n", "true"], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  return exitCode === 0 ? "sudo" : "none";
}
