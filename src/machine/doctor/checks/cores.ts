import { formatCount as count, plural } from "../../../text/format.ts";
import { formatCpuList } from "../../cpus.ts";
import type { Check } from "../finding.ts";
import { noRemedy } from "../remedy.ts";

/** Whether server and generator have processors of their own. */
export const checkCores: Check = (machine, plan) => {
  const { cpus, canPin } = machine.topology;
  const cores = new Set(cpus.map(({ core }) => core)).size;
  const current =
    cpus.length === 0
      ? `${plural(machine.cpuCount, "CPU")}, not pinned`
      : `${plural(cores, "core")}${cpus.length > cores ? ` with ${count(cpus.length)} threads` : ""}, ${
          plan.serverCpus === null || plan.workerCpus === null
            ? "not pinned"
            : `server ${formatCpuList(plan.serverCpus)}, generator ${formatCpuList(plan.workerCpus)}`
        }`;
  const crowded = plan.workerCpus !== null && plan.workers > plan.workerCpus.length;
  const problem =
    !canPin || cpus.length === 0
      ? "This system can't pin a process to CPUs, so server and generator get in each other's way: trust ratios between contenders more than absolute numbers, and use Linux for those."
      : cores < 2
        ? "Only one core may be used, so server and generator share it: what one takes the other lacks, and every figure is of both together."
        : plan.serverCpus === null
          ? "Nothing is pinned, so server and generator get in each other's way; leave --no-pin out."
          : crowded
            ? "More workers than CPUs for them, so they wait for each other and keep time by timers, some tens of microseconds late; fewer --workers would be more exact."
            : null;
  return [
    {
      ...noRemedy,
      id: "cores",
      title: "Cores",
      current,
      needed: `one for each of ${plan.workers + 1} processes`,
      verdict: problem === null ? "ok" : "tight",
      explanation:
        problem ??
        "Server and generator run on cores of their own, SMT siblings kept together, the same for every contender.",
      holds: null,
    },
  ];
};
