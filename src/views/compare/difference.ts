import { nameOf, participantsOf } from "../../measures/sections.ts";
import type { PhasePlan, Plan } from "../../plan/plan.ts";
import { differingParameters } from "../../plan/same-work.ts";
import type { ContenderFacts, Environment, Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";

/** Where the two plans ask another thing of this phase: `connections 1,000 → 5,000`. */
export function planDifferences(before: Plan, after: Plan, phase: PhasePlan): string[] {
  return differingParameters(before, after, phase).flatMap((name) =>
    differ(words(name), before[name], after[name]),
  );
}

/** Where the machines themselves differ: then a change may be the machine's. */
export function machineDifferences(before: Environment, after: Environment): string[] {
  // A kernel update takes a little of the memory.
  const isOtherMemory = Math.abs(before.memoryBytes / after.memoryBytes - 1) > 0.05;
  return [
    ...differ("CPU", before.cpuModel, after.cpuModel),
    ...differ("CPUs", before.cpuCount, after.cpuCount),
    ...differ("architecture", before.arch, after.arch),
    ...(isOtherMemory
      ? [`memory ${format.formatBytes(before.memoryBytes)} → ${format.formatBytes(after.memoryBytes)}`]
      : []),
  ];
}

/** Where the same machine was set up otherwise, or another version of the tool measured. */
export function settingDifferences(before: Environment, after: Environment): string[] {
  const sysctls = new Set([...Object.keys(before.sysctls), ...Object.keys(after.sysctls)]);
  return [
    ...differ("CPU governor", before.cpuGovernor, after.cpuGovernor),
    ...differ("system", before.os, after.os),
    ...differ("kernel", before.kernel, after.kernel),
    ...differ("tool", before.tool, after.tool),
    ...differ("commit of the tool", before.commit?.slice(0, 10) ?? null, after.commit?.slice(0, 10) ?? null),
    ...differ("Bun", before.bun, after.bun),
    ...differ("descriptor limit", before.descriptorLimit.soft, after.descriptorLimit.soft),
    ...differ("port range", before.portRange, after.portRange),
    ...[...sysctls].flatMap((name) =>
      name === "net.ipv4.ip_local_port_range"
        ? []
        : differ(name, before.sysctls[name] ?? null, after.sysctls[name] ?? null),
    ),
  ];
}

/** One contender in two runs. */
export interface ContenderDifference {
  readonly contender: string;
  /** Empty for one that is the same in both: what changes of it is not its own doing. */
  readonly differences: readonly string[];
}

/** For every contender that took part in both runs, in the order of the second. */
export function contenderDifferences(before: Result, after: Result): ContenderDifference[] {
  return participantsOf(after).flatMap((facts) => {
    const earlier = participantsOf(before).find((other) => nameOf(other) === nameOf(facts));
    return earlier === undefined
      ? []
      : [{ contender: nameOf(facts), differences: factDifferences(earlier, facts) }];
  });
}

function factDifferences(before: ContenderFacts, after: ContenderFacts): string[] {
  const tools = new Set([...Object.keys(before.toolchains), ...Object.keys(after.toolchains)]);
  return [
    ...(before.sourceDigest === after.sourceDigest ? [] : ["different sources"]),
    ...[...tools].flatMap((tool) =>
      differ(tool, before.toolchains[tool] ?? null, after.toolchains[tool] ?? null),
    ),
    ...differ("start", before.start, after.start),
    ...differ("environment", formatEnv(before.env), formatEnv(after.env)),
  ];
}

function formatEnv(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join(" ");
}

/** `name a → b`, or nothing when the two are alike. */
function differ(name: string, before: unknown, after: unknown): string[] {
  return Bun.deepEquals(before, after) ? [] : [`${name} ${write(before)} → ${write(after)}`];
}

function write(value: unknown): string {
  if (value === null || value === undefined || value === "") return "none";
  if (Array.isArray(value)) return write(value.join(" "));
  if (typeof value === "object")
    return Object.entries(value)
      .map((pair) => write(pair))
      .join(", ");
  return typeof value === "number" ? value.toLocaleString("en") : printable(String(value), { most: 120 });
}

/** `enduranceRatePerSecond` as words. */
function words(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
