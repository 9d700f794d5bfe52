import { cpus } from "node:os";
import { exitCodes, ShowdownError } from "../../errors.ts";
import { readFacts } from "../../machine/doctor/read-facts.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { type AgentMachine, computeNeeds } from "../../machine/needs.ts";
import { buildNeeds } from "../../views/needs.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { printBlocks } from "../report-files.ts";

/** `showdown plan`: the machines that an attack needs. Opens nothing. Returns the exit code. */
export async function plan(
  { needs: settings, values, positionals }: ParsedOptions,
  host: Host,
): Promise<number> {
  if (positionals.length > 0) {
    throw new ShowdownError("usage", `expected options only, got ${positionals.join(", ")}`, {
      hint: "showdown plan --connections 1000000 --rate 100000",
    });
  }
  const needs = computeNeeds(settings, await readAgentMachine());
  if (values.json) host.out(`${JSON.stringify(needs)}\n`);
  else printBlocks(buildNeeds(needs), host);
  return needs.fits ? exitCodes.ok.code : exitCodes.usage.code;
}

async function readAgentMachine(): Promise<AgentMachine> {
  const environment = await describeEnvironment();
  const { memory, cgroup, descriptorLimit, portRange } = await readFacts(
    { serverCpus: null, workerCpus: null },
    environment,
    0,
  );
  const group =
    cgroup.memory === null ? null : Math.max(0, cgroup.memory.limitBytes - cgroup.memory.usedBytes);
  const left = [memory.availableBytes, group].filter((bytes) => bytes !== null);
  return {
    cpus: Math.max(1, Math.floor(Math.min(cpus().length, cgroup.cpu?.cpus ?? Number.POSITIVE_INFINITY))),
    memoryBytes: left.length === 0 ? null : Math.min(...left),
    descriptors: descriptorLimit.soft,
    ports: portRange === null ? null : portRange[1] - portRange[0] + 1,
  };
}
