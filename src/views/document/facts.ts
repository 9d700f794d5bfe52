import { countRounds } from "../../measures/sections.ts";
import { agentsElsewhere, type PhasePlan, type Places, type Plan, sharesCpus } from "../../plan/plan.ts";
import type { Environment, Looks, Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { describeFleet } from "./agents.ts";
import { describeToolchains } from "./toolchain-line.ts";

/** A line of a run's description. */
interface Fact {
  readonly label: string;
  readonly text: string;
}

/** What ran where, in a few lines. */
export function listFacts({ environment, plan, calibration, fleet }: Result): Fact[] {
  return [
    { label: "machine", text: describeMachine(environment) },
    { label: "system", text: describeSystem(environment) },
    { label: "pinned", text: describePinning(plan) },
    ...(fleet === undefined ? [] : [{ label: "fleet", text: describeFleet(fleet) }]),
    { label: "limits", text: describeLimits(environment) },
    { label: "plan", text: describePlan(plan) },
    { label: "phases", text: plan.phases.map((phase) => describePhase(phase, plan)).join(" → ") || "none" },
    { label: "precision", text: describeCalibration(calibration) },
  ];
}

/** What was run, on what, made with what, and why it took so many rounds: a line each. */
export function describeRun(result: Result): string[] {
  const { plan, environment, contenders } = result;
  const toolchains = describeToolchains(result);
  const took = contenders.filter(({ notRun }) => notRun === null).length;
  return [
    `${format.plural(took, "contender")}, ${format.plural(countRounds(result), "round")} of the ${plan.preset} plan (${format.plural(plan.connections, "connection")}), ${describeStatus(result)}.`,
    `${environment.cpuModel}: ${describeCpus(plan)}.`,
    ...(toolchains === null ? [] : [`${toolchains}.`]),
    ...(result.looks === null ? [] : [`${describeLooks(result.looks, plan)}.`]),
  ];
}

/** `Went on until every pair was decided to 5 %: 6 of at most 14 rounds, 18 pairs` */
function describeLooks(
  { planned, pairs, decided, ended }: Looks,
  { marginPercent, maxMinutes }: Plan,
): string {
  const most = planned.at(-1) ?? 1;
  const count = `${format.formatCount(decided)} of ${format.plural(pairs, "pair")}`;
  const time = `${format.formatDuration(maxMinutes * 60_000)} allowed ${format.plural(most, "round")}`;
  switch (ended) {
    case "decided":
      return `Ended when all ${format.plural(pairs, "pair")} were decided to ${marginPercent} % (${time})`;
    case "nothing-to-compare":
      return `Ended since there was nobody to compare (${time})`;
    case "time":
      return `Ended with the time: ${time}, and ${count} were decided to ${marginPercent} %`;
    case "stopped":
    case null:
      return `Not at its end: ${time}, and ${count} were decided to ${marginPercent} %`;
  }
}

/** `server on CPU 0, generator on CPU 1`: what every conclusion is true for. */
export function describeCpus(plan: Places): string {
  const { serverCpus, workerCpus } = plan;
  if (serverCpus !== null && sharesCpus(plan)) {
    return `server and generator share ${cpuList(serverCpus)}`;
  }
  const server = serverCpus === null ? "server not pinned" : `server on ${cpuList(serverCpus)}`;
  const agents = agentsElsewhere(plan);
  if (agents !== null) {
    return `${server}, generator: ${format.plural(agents.count, "agent")} with ${format.plural(agents.cpuCount, "CPU")}`;
  }
  return `${server}, generator ${workerCpus === null ? "not pinned" : `on ${cpuList(workerCpus)}`}`;
}

/** How small a difference this machine can tell: without it a reader can't judge a "not decided". */
function describeCalibration(calibration: Result["calibration"]): string {
  if (calibration === null) return 'unknown; "showdown calibrate" measures it';
  const { at, preset, rounds, durationMs, contender, resolvableShare, holds } = calibration;
  const took = format.formatDuration(durationMs);
  const how = `${contender}, ${preset}, ${format.plural(rounds, "round")} in ${took}, ${at.slice(0, 10)}`;
  if (!holds.noFalseDifference) {
    return `unreliable. The last calibration (${how}) reported a difference between two identical servers`;
  }
  if (!holds.differenceFound) {
    return `unreliable. The last calibration (${how}) did not find a known difference`;
  }
  return resolvableShare === null
    ? `unknown. The last calibration (${how}) had too few rounds`
    : `two contenders whose burst throughput differs by ${format.formatShare(resolvableShare)} or more are told apart in 9 of 10 runs (${how})`;
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

export function describePinning(plan: Pick<Plan, "workers" | "pacing"> & Places): string {
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
    `${format.plural(plan.connections, "connection")}, ${format.formatCount(plan.connectBatch)} opened at once`,
    `${format.formatCount(plan.messageBytes)}-byte messages`,
    describeRounds(plan),
    describeWarmUp(plan),
    `at most ${format.formatCount(plan.errorThreshold)} errors per phase`,
    `seed ${plan.seed}`,
  ].join(", ");
}

function describeWarmUp({ warmupSeconds, warmupLimitSeconds }: Plan): string {
  if (warmupSeconds === 0) return "no warm-up";
  const [least, most] = [warmupSeconds, warmupLimitSeconds].map((s) => format.formatDuration(s * 1000));
  return `warm-up ${least} to ${most}, until steady`;
}

function describeRounds({ rounds, untilPercent, maxMinutes }: Plan): string {
  const fewest = format.plural(rounds, "round");
  if (untilPercent === null) return fewest;
  return `${fewest} or more until decided to ${untilPercent} %, at most ${format.formatDuration(maxMinutes * 60_000)}`;
}

function describePhase({ kind, workload }: PhasePlan, plan: Plan): string {
  const name = workload === undefined ? kind : `${kind} ${workload}`;
  switch (kind) {
    case "connect":
      return name;
    case "burst":
      return plan.oneAtATime
        ? `${name} (×${format.formatCount(plan.messagesPerConnection)})`
        : `${name} (${describeSlices(plan)})`;
    case "steady":
      return `${name} (${describeSlices(plan)} at ${format.formatRate(plan.steadyRatePerSecond)})`;
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

function describeSlices({ slicedSeconds, sliceMs, oneAtATime }: Plan): string {
  const work = format.formatDuration(slicedSeconds * 1000);
  return oneAtATime ? work : `${work} in slices of ${sliceMs} ms`;
}

/** The run's end in words. */
export function describeStatus({ status, startedAt, finishedAt }: Result): string {
  const lasted = finishedAt === null ? null : Date.parse(finishedAt) - Date.parse(startedAt);
  const time = lasted === null || !Number.isFinite(lasted) ? "" : ` after ${format.formatDuration(lasted)}`;
  if (status === "finished") return `finished${time}`;
  return status === "aborted" ? `stopped early${time}` : "not finished, or cut off";
}
