import type { PhasePlan, Plan } from "../../plan/plan.ts";
import type { Environment, Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";

/** A line of a run's description. */
export interface Fact {
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
    { label: "resolves", text: describeCalibration(calibration) },
  ];
}

/** How small a difference this machine can tell: without it a reader can't judge a "no clear difference". */
function describeCalibration(calibration: Result["calibration"]): string {
  if (calibration === null) return 'unknown: "showdown calibrate" has not been run on this machine';
  const { at, preset, rounds, contender, resolvableShare, holds } = calibration;
  const how = `calibrated ${at.slice(0, 10)} with ${contender}, ${preset}, ${format.plural(rounds, "round")}`;
  const failures = [
    ...(holds.noFalseDifference ? [] : ["found a difference where there was none"]),
    ...(holds.differenceFound ? [] : ["missed the handicap"]),
  ];
  if (failures.length > 0) return `in doubt: ${how}, which ${format.joinNames(failures)}`;
  return resolvableShare === null
    ? `unknown: ${how}`
    : `differences in burst throughput from about ${format.formatShare(resolvableShare)} on, in nine of ten runs (${how})`;
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

function describePinning({ serverCpus, workerCpus, workers, pacing }: Plan): string {
  const server = serverCpus === null ? "server on any CPU" : `server on ${cpuList(serverCpus)}`;
  const generator = workerCpus === null ? "any CPU" : cpuList(workerCpus);
  const how = pacing === "spin" ? "spinning until a send is due" : "paced by a timer";
  return `${server}; load generator on ${generator}: ${format.plural(workers, "worker")}, ${how}`;
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

/** The plan in one line. */
export function describePlan(plan: Plan): string {
  return [
    plan.preset,
    `${format.plural(plan.connections, "connection")} in batches of ${format.formatCount(plan.connectBatch)}`,
    `messages of ${format.formatCount(plan.messageBytes)} bytes`,
    format.plural(plan.rounds, "round"),
    `warm-up ${format.formatDuration(plan.warmupSeconds * 1000)}`,
    `at most ${format.formatCount(plan.errorThreshold)} errors a phase`,
    `seed ${plan.seed}`,
  ].join(", ");
}

function describePhase({ kind, workload }: PhasePlan, plan: Plan): string {
  const name = workload === undefined ? kind : `${kind} ${workload}`;
  if (kind === "burst") return `${name} (×${format.formatCount(plan.messagesPerConnection)})`;
  if (kind === "connect") return name;
  if (kind === "capacity") {
    return `${name} (steps of ${format.formatDuration(plan.capacityStepSeconds * 1000)} from ${format.formatRate(plan.capacityStartRatePerSecond)} on, p99 up to ${format.formatLatency(plan.p99LimitMs * 1000)})`;
  }
  if (kind === "chaos") {
    const { before, strike, after } = plan.chaosSeconds;
    return `${name} (${plan.faults.join(", ")}: ${before}, ${strike} and ${after} s before, under and after each, at ${format.formatRate(plan.enduranceRatePerSecond)})`;
  }
  return `${name} (${format.formatDuration(plan.enduranceSeconds * 1000)} at ${format.formatRate(plan.enduranceRatePerSecond)})`;
}

/** The run's end in words. */
export function describeStatus({ status, startedAt, finishedAt }: Result): string {
  const lasted = finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt);
  const time = lasted === null || !Number.isFinite(lasted) ? "" : ` after ${format.formatDuration(lasted)}`;
  if (status === "finished") return `finished${time}`;
  return status === "aborted" ? `stopped before its end${time}` : "not ended, or cut off";
}
