import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { readText } from "../sources.ts";
import type { CgroupLimits } from "./facts.ts";

/** A hierarchy of control groups: where it is mounted, and this process's group in it with all groups above. */
interface Hierarchy {
  readonly version: 1 | 2;
  readonly controllers: readonly string[];
  readonly folders: readonly string[];
}

/** `/proc/self/cgroup` has `id:controllers:path` lines, version 2 without controllers; `mountinfo` says where they are. */
function findHierarchies(proc: string): Hierarchy[] {
  const mounts = (readText(`${proc}/mountinfo`) ?? "").split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const [, , , root, point] = before.split(" ");
    const [type, , options = ""] = after.split(" ");
    return root === undefined || point === undefined || (type !== "cgroup" && type !== "cgroup2")
      ? []
      : [{ root, point, type, options: options.split(",") }];
  });
  return (readText(`${proc}/cgroup`) ?? "").split("\n").flatMap((line): Hierarchy[] => {
    const [, names = "", path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    const controllers = names.split(",").filter((name) => name !== "");
    const version = controllers.length === 0 ? 2 : 1;
    const mount = mounts.find(({ type, options }) =>
      version === 2
        ? type === "cgroup2"
        : type === "cgroup" && controllers.every((name) => options.includes(name)),
    );
    if (mount === undefined) return [];
    // In a container the mount can show only a part of the tree, from the container's own group down.
    const inside = path.startsWith(mount.root) ? path.slice(mount.root.length) : path;
    const group = join(mount.point, inside);
    return [{ version, controllers, folders: upwards(existsSync(group) ? group : mount.point, mount.point) }];
  });
}

function upwards(folder: string, top: string): string[] {
  const folders = [folder];
  for (let at = folder; at !== top && at.startsWith(top); ) {
    at = dirname(at);
    folders.push(at);
  }
  return folders;
}

/** Every group above limits what is below it, so the tightest counts (cgroups(7)). Version 1 and 2. */
export function readCgroup(proc = "/proc/self"): CgroupLimits {
  let cpu: CgroupLimits["cpu"] = null;
  let memory: CgroupLimits["memory"] = null;
  for (const { version, controllers, folders } of findHierarchies(proc)) {
    const has = (name: string) => version === 2 || controllers.includes(name);
    for (const folder of folders) {
      const quota = has("cpu") ? readCpu(folder, version) : null;
      if (quota !== null && (cpu === null || quota.cpus < cpu.cpus)) cpu = quota;
      const limit = has("memory") ? readMemory(folder, version) : null;
      const left = (one: NonNullable<CgroupLimits["memory"]>) => one.limitBytes - one.usedBytes;
      if (limit !== null && (memory === null || left(limit) < left(memory))) memory = limit;
    }
  }
  return { cpu, memory };
}

function readCpu(folder: string, version: 1 | 2): CgroupLimits["cpu"] {
  const path = `${folder}/${version === 2 ? "cpu.max" : "cpu.cfs_quota_us"}`;
  const text = readText(path);
  if (text === null) return null;
  const [quotaUs, periodUs] =
    version === 2
      ? text.split(" ").map(Number)
      : [Number(text), Number(readText(`${folder}/cpu.cfs_period_us`))];
  // "max" in version 2, -1 in version 1.
  return quotaUs !== undefined && periodUs !== undefined && quotaUs > 0 && periodUs > 0
    ? { cpus: quotaUs / periodUs, path }
    : null;
}

/** Version 1 writes "no limit" as the largest number of whole pages. */
const noLimitBytes = 2 ** 60;

function readMemory(folder: string, version: 1 | 2): CgroupLimits["memory"] {
  const [limit, used] =
    version === 2 ? ["memory.max", "memory.current"] : ["memory.limit_in_bytes", "memory.usage_in_bytes"];
  const path = `${folder}/${limit}`;
  const limitBytes = Number(readText(path) ?? Number.NaN);
  if (!(limitBytes < noLimitBytes)) return null;
  // Cached files count as used and are given back when memory is asked for.
  const cache = /^(?:total_)?inactive_file (\d+)$/m.exec(readText(`${folder}/memory.stat`) ?? "")?.[1];
  const usedBytes = Number(readText(`${folder}/${used}`) ?? 0) - Number(cache ?? 0);
  return { limitBytes, usedBytes: Math.max(0, usedBytes), path };
}
