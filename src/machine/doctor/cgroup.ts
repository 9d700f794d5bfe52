import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { readText } from "../sources.ts";
import type { CgroupLimits } from "./facts.ts";

/**
 * This process's control group and all groups above it, as far as they can be seen; empty without version 2.
 *
 * @param proc whose `cgroup` has a line `0::path`, and whose `mountinfo` says where the tree is mounted
 */
function listGroups(proc: string): string[] {
  const path = /^0::(.*)$/m.exec(readText(`${proc}/cgroup`) ?? "")?.[1];
  const mount = (readText(`${proc}/mountinfo`) ?? "").split("\n").find((line) => / - cgroup2 /.test(line));
  const [, , , root, point] = mount?.split(" ") ?? [];
  if (path === undefined || root === undefined || point === undefined) return [];
  // In a container the mount can show only a part of the tree, from the container's own group down.
  const group = join(point, path.startsWith(root) ? path.slice(root.length) : path);
  const folders = [existsSync(group) ? group : point];
  for (let at = folders[0] ?? point; at !== point && at.startsWith(point); ) {
    at = dirname(at);
    folders.push(at);
  }
  return folders;
}

/** Every group above limits what is below it, so the tightest counts (cgroups(7), version 2). */
export function readCgroup(proc = "/proc/self"): CgroupLimits {
  let cpu: CgroupLimits["cpu"] = null;
  let memory: CgroupLimits["memory"] = null;
  for (const folder of listGroups(proc)) {
    const quota = readCpu(folder);
    if (quota !== null && (cpu === null || quota.cpus < cpu.cpus)) cpu = quota;
    const limit = readMemory(folder);
    const left = (one: NonNullable<CgroupLimits["memory"]>) => one.limitBytes - one.usedBytes;
    if (limit !== null && (memory === null || left(limit) < left(memory))) memory = limit;
  }
  return { cpu, memory };
}

function readCpu(folder: string): CgroupLimits["cpu"] {
  const path = `${folder}/cpu.max`;
  const [quotaUs = Number.NaN, periodUs = Number.NaN] = (readText(path) ?? "").split(" ").map(Number);
  return quotaUs > 0 && periodUs > 0 ? { cpus: quotaUs / periodUs, path } : null;
}

function readMemory(folder: string): CgroupLimits["memory"] {
  const path = `${folder}/memory.max`;
  const limitBytes = Number(readText(path) ?? Number.NaN);
  if (Number.isNaN(limitBytes)) return null;
  // Cached files count as used and are given back when memory is asked for.
  const cache = /^inactive_file (\d+)$/m.exec(readText(`${folder}/memory.stat`) ?? "")?.[1];
  const usedBytes = Number(readText(`${folder}/memory.current`) ?? 0) - Number(cache ?? 0);
  return { limitBytes, usedBytes: Math.max(0, usedBytes), path };
}
