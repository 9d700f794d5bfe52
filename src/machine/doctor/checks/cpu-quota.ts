import { formatCount as count } from "../../../text/format.ts";
import type { Check } from "../finding.ts";
import { noRemedy } from "../remedy.ts";

/** CPU time that a container or service may use. */
export const checkCpuQuota: Check = (machine, plan) => {
  const quota = machine.cgroup.cpu;
  if (quota === null) return [];
  const used =
    plan.serverCpus === null || plan.workerCpus === null
      ? machine.cpuCount
      : plan.serverCpus.length + plan.workerCpus.length;
  return [
    {
      ...noRemedy,
      id: "cpu-quota",
      title: "Group's CPU quota",
      current: `${count(quota.cpus)} CPUs' worth`,
      needed: `${count(used)} CPUs' worth`,
      verdict: quota.cpus < used ? "tight" : "ok",
      explanation: `A container or service limits CPU time (${quota.path}). Once a period's share is used up, all of its processes stand still until the next, mostly for tens of milliseconds: pauses that look like the server's.`,
      commands: {
        linux: [
          quota.path.endsWith("cpu.max")
            ? `echo max | sudo tee ${quota.path}`
            : `echo -1 | sudo tee ${quota.path}`,
        ],
      },
      survivesReboot: false,
      permanently: { linux: "no --cpus for the container, no CPUQuota= in the systemd unit" },
      needsPassword: machine.privilege === "none",
      holds: null,
    },
  ];
};
