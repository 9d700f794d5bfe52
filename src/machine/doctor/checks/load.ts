import { formatCount as count } from "../../../text/format.ts";
import type { Check } from "../finding.ts";
import { noRemedy } from "../remedy.ts";

/** Of the CPUs' time that others may take before it shows in the figures. */
const quietShare = 0.25;

/** What else ran on this machine over the last minute. */
export const checkLoad: Check = (machine) => {
  if (machine.loadAverage === null) return [];
  const most = machine.cpuCount * quietShare;
  const load = Math.round(machine.loadAverage * 100) / 100;
  return [
    {
      ...noRemedy,
      id: "load",
      title: "Load average",
      current: `${load} over the last minute`,
      needed: `below ${count(most)}`,
      verdict: load > most ? "tight" : "ok",
      explanation:
        "So many tasks ran or waited for a CPU. Other programs take turns on the CPUs that are measured: end them (see top), or wait until the average has come down.",
      holds: null,
    },
  ];
};
