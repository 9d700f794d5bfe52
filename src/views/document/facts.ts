import type { PhasePlan, Plan } from "../../plan/plan.ts";
import type { Environment, Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";

/** A line of a run's description. */
interface Fact {
  readonly label: string;
  readonly text: string;
}

/** What ran where, in a few lines. */
export function listFacts({ environment, plan, calibration }: Result): Fact[] {
  return [
    { label: "machine", text: describeMachine(environment) },
    { label: "system", text: describeSystem(environment) },
    { label: "pinned", text: describePinning(plan) },
    { label: "limits", text: describeLimits(environment) },
    { label: "plan", text: describePlan(plan) },
    { label: "phases", text: plan.phases.map((phase) => describePhase(phase, plan)).join(" → ") || "none" },
    { label: "precision", text: describeCalibration(calibration) },
  ];
}

/** What was run, in two lines. */
export function describeRun(result: Result): [string, string] {
  const { plan, environment, contenders } = result;
  const took = contenders.filter(({ notRun }) => notRun === null).length;
  return [
    `${format.plural(took, "contender")}, ${format.plural(plan.rounds, "round")} of the ${plan.preset} plan (${format.plural(plan.connections, "connection")}), ${describeStatus(result)}.`,
    `${environment.cpuModel}: ${describeCpus(plan)}.`,
  ];
}

/** `server on CPU 0, generator on CPU 1`: what every conclusion is true for. */
function describeCpus({ serverCpus, workerCpus }: Plan): string {
  const server = serverCpus === null ? "server not pinned" : `server on ${cpuList(serverCpus)}`;
  return `${server}, generator ${workerCpus === null ? "not pinned" : `on ${cpuList(workerCpus)}`}`;
}

/** How small a difference this machine can tell: without it a reader can't judge a "not decided". */
function describeCalibration(calibration: Result["calibration"]): string {
  if (calibration === null) return 'unknown; "showdown calibrate" measures it';
  const { at, preset, rounds, contender, resolvableShare, holds } = calibration;
  const how = `${contender}, ${preset}, ${format.plural(rounds, "round")}, ${at.slice(0, 10)}`;
  if (!holds.noFalseDifference) {
    return `unreliable. The last calibration (${how}) reported a difference between two identical servers`;
  }
  if (!holds.differenceFound) {
    return `unreliable. The last calibration (${how}) did not find a known difference`;
  }
  return resolvableShare === null
    ? `unknown. The last calibration (${how}) had too few rounds`
    : `differences in burst throughput of ${format.formatShare(resolvableShare)} or more are found in 9 of 10 runs (${how})`;
}

function describeMachine({ cpuModel, cpuCount, cpuGovernor, memoryBytes, arch }: Environment): string {
  const governor = cpuGovernor === null ? [] : [`governor ${cpuGovernor}`];
  return [cpuModel, format.plural(cpuCount, "CPU"), ...governor, format.formatBytes(memoryBytes), arch].join(
    ", ",
  );
}

function describeSystem({ os, kernel, bun, tool, commit }: Environment): string {
  const at = commit === null ? "" : ` (${commit.replace(/^([0-9a-f]{10})[0-9a-f]*/, "$1")})`;
  return `${os}, ${kernel}, Bun ${bun}, ${tool}${at}`;
}

function describePinning(plan: Plan): string {
  const how = plan.pacing === "spin" ? "sends timed by spinning" : "sends timed by timers";
  return `${describeCpus(plan)}; ${format.plural(plan.workers, "worker")}, ${how}`;
}

function cpuList(cpus: readonly number[]): string {
  return `CPU ${cpus.join(", ")}`;
}

function describeLimits({ descriptorLimit, portRange, sysctls }: Environment): string {
  const { soft } = descriptorLimit;
  const backlog = sysctls["net.core.somaxconn"] ?? sysctls["kern.ipc.somaxconn"];
  return [
    soft === null
      ? "descriptors unlimited or unknown"
      : `${format.formatCount(soft)} descriptors per process`,
    ...(portRange === null
      ? []
      : [`${format.formatCount(portRange[1] - portRange[0] + 1)} ports per source address`]),
    ...(backlog === undefined ? [] : [`accept queue ${format.formatCount(Number(backlog))}`]),
  ].join(", ");
}

function describePlan(plan: Plan): string {
  return [
    plan.preset,
    `${format.plural(plan.connections, "connection")} in batches of ${format.formatCount(plan.connectBatch)}`,
    `${format.formatCount(plan.messageBytes)}-byte messages`,
    format.plural(plan.rounds, "round"),
    `warm-up ${format.formatDuration(plan.warmupSeconds * 1000)}`,
    `at most ${format.formatCount(plan.errorThreshold)} errors per phase`,
    `seed ${plan.seed}`,
  ].join(", ");
}

function describePhase({ kind, workload }: PhasePlan, plan: Plan): string {
  const name = workload === undefined ? kind : `${kind} ${workload}`;
  switch (kind) {
    case "connect":
      return name;
    case "burst":
      return `${name} (×${format.formatCount(plan.messagesPerConnection)})`;
    case "endurance":
      return `${name} (${format.formatDuration(plan.enduranceSeconds * 1000)} at ${format.formatRate(plan.enduranceRatePerSecond)})`;
    case "capacity":
      return `${name} (${format.formatDuration(plan.capacityStepSeconds * 1000)} steps from ${format.formatRate(plan.capacityStartRatePerSecond)}, p99 limit ${format.formatLatency(plan.p99LimitMs * 1000)})`;
    case "chaos": {
      const { before, under, after } = plan.chaosSeconds;
      return `${name} (${plan.faults.join(", ")}; ${before} s before, ${under} s under and ${after} s after each, at ${format.formatRate(plan.enduranceRatePerSecond)})`;
    }
  }
}

/** The run's end in words. */
export function describeStatus({ status, startedAt, finishedAt }: Result): string {
  const lasted = finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt);
  const time = lasted === null || !Number.isFinite(lasted) ? "" : ` after ${format.formatDuration(lasted)}`;
  if (status === "finished") return `finished${time}`;
  return status === "aborted" ? `stopped early${time}` : "not finished, or cut off";
}
