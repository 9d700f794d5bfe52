import { agentsElsewhere, sharesCpus } from "../../../plan/plan.ts";
import { formatCpuList } from "../../../text/cpu-list.ts";
import type { Topology } from "../../cpus.ts";
import type { Check } from "../check.ts";

/** Whether server and generator have CPU cores of their own; `problem` says why not. */
export const checkCores: Check = ({ topology, cpuCount }, plan) => {
  const { cpus, canPin } = topology;
  const cores = new Set(cpus.map(({ core }) => core)).size;
  const { serverCpus, workerCpus, workers } = plan;
  const problem =
    !canPin || cpus.length === 0
      ? "cannot-pin"
      : cores < 2
        ? "one-core"
        : serverCpus === null || workerCpus === null
          ? "not-pinned"
          : sharesCpus(plan)
            ? "shared"
            : shareCore(topology, serverCpus, workerCpus)
              ? "siblings"
              : agentsElsewhere(plan) === null && workers > workerCpus.length
                ? "crowded"
                : null;
  return {
    check: "cores",
    state: problem === null ? "ok" : "tight",
    values: {
      problem,
      cores: cpus.length === 0 ? null : cores,
      cpus: cpus.length || cpuCount,
      server: serverCpus === null ? null : formatCpuList(serverCpus),
      generator: workerCpus === null ? null : formatCpuList(workerCpus),
      workers,
      workerCpus: workerCpus?.length ?? null,
    },
  };
};

function shareCore({ cpus }: Topology, some: readonly number[], others: readonly number[]): boolean {
  const coresOf = (ids: readonly number[]) =>
    new Set(cpus.filter(({ id }) => ids.includes(id)).map(({ core }) => core));
  return !coresOf(some).isDisjointFrom(coresOf(others));
}

/** CPU time that a container or service may use. */
export const checkCpuQuota: Check = ({ cgroup: { cpu }, cpuCount }, { serverCpus, workerCpus }) => {
  if (cpu === null) return [];
  const needed =
    serverCpus === null || workerCpus === null ? cpuCount : new Set([...serverCpus, ...workerCpus]).size;
  return {
    check: "cpu-quota",
    state: cpu.cpus < needed ? "tight" : "ok",
    values: { cpus: cpu.cpus, needed, path: cpu.path },
    commands: [`echo max | sudo tee ${cpu.path}`],
  };
};

const governorFiles = "/sys/devices/system/cpu/cpu*/cpufreq/scaling_governor";

/** Any other governor than `performance` lowers the clock of a CPU that waits. */
export const checkGovernor: Check = ({ governor }) => {
  if (governor === null) return [];
  return {
    check: "governor",
    state: governor === "performance" ? "ok" : "tight",
    values: { governor },
    commands: [`echo performance | sudo tee ${governorFiles}`],
  };
};

/** Of the CPUs' time that other processes may take before it shows in the figures. */
const quietShare = 0.25;

/** What else ran on this machine over the last minute. */
export const checkLoad: Check = ({ loadAverage, cpuCount }) => {
  if (loadAverage === null) return [];
  const most = cpuCount * quietShare;
  const load = Math.round(loadAverage * 100) / 100;
  return { check: "load", state: load > most ? "tight" : "ok", values: { load, most } };
};

/** More than a timer's interrupt takes, and less than what anybody would call an answer of a server. */
const quietGapUs = 100;
/** A lost hundredth is a hundredth of error in every figure of CPU and throughput. */
const quietLostShare = 0.01;

/** A process that only looks at the clock misses the time that others took from its CPU: host, interrupts, programs. */
export const checkNoise: Check = ({ noise }) =>
  (noise ?? []).map(({ role, cpu, durationMs, p99GapUs, maxGapUs, lostShare }) => ({
    check: "noise",
    state: lostShare > quietLostShare || p99GapUs > quietGapUs ? "tight" : "ok",
    values: { role, cpu, durationMs, p99GapUs, maxGapUs, lostShare, quietGapUs, quietLostShare },
  }));
