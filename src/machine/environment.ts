import { ptr } from "bun:ffi";
import { existsSync, realpathSync } from "node:fs";
import { arch, cpus, type as kernelName, platform, release, totalmem } from "node:os";
import packageJson from "../../package.json" with { type: "json" };
import type { Environment, Machine } from "../result/schema.ts";
import { build, projectFolder } from "./installation.ts";
import { libc } from "./libc.ts";
import { readOutput, readText } from "./sources.ts";

const linuxSysctls = [
  "net.core.somaxconn",
  "net.core.netdev_max_backlog",
  "net.core.rmem_max",
  "net.core.wmem_max",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_max_syn_backlog",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.tcp_tw_reuse",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_max_tw_buckets",
  "net.ipv4.tcp_abort_on_overflow",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
  "net.ipv4.tcp_mem",
  "net.netfilter.nf_conntrack_max",
  "fs.file-max",
  "fs.nr_open",
] as const;

const macSysctls = [
  "kern.ipc.somaxconn",
  "kern.maxfiles",
  "kern.maxfilesperproc",
  "net.inet.tcp.msl",
  "net.inet.tcp.sendspace",
  "net.inet.tcp.recvspace",
  "net.inet.ip.portrange.first",
  "net.inet.ip.portrange.last",
] as const;

async function readSysctls(): Promise<Record<string, string>> {
  const settings: Record<string, string> = {};
  if (platform() === "linux") {
    for (const name of linuxSysctls) {
      const value = readText(`/proc/sys/${name.replaceAll(".", "/")}`);
      if (value !== null) settings[name] = value.replaceAll(/\s+/g, " ");
    }
  } else if (platform() === "darwin") {
    for (const line of ((await readOutput(["sysctl", ...macSysctls])) ?? "").split("\n")) {
      const [, name, value] = /^([\w.]+): (.*)$/.exec(line) ?? [];
      if (name !== undefined && value !== undefined) settings[name] = value;
    }
  }
  return settings;
}

/** Local ports that the kernel hands out to connections, first and last, or null where that is not known. */
function findPortRange(sysctls: Readonly<Record<string, string>>): [number, number] | null {
  const linux = sysctls["net.ipv4.ip_local_port_range"]?.split(" ").map(Number);
  const [first, last] = linux ?? [
    Number(sysctls["net.inet.ip.portrange.first"]),
    Number(sysctls["net.inet.ip.portrange.last"]),
  ];
  return Number.isInteger(first) && Number.isInteger(last) ? [Number(first), Number(last)] : null;
}

/** The same without all else that an environment holds; null where it would have to be asked for by a command. */
export function readPortRange(): readonly [number, number] | null {
  const value = readText("/proc/sys/net/ipv4/ip_local_port_range");
  return value === null
    ? null
    : findPortRange({ "net.ipv4.ip_local_port_range": value.replaceAll(/\s+/g, " ") });
}

const noFileLimit = process.platform === "darwin" ? 8 : 7; // RLIMIT_NOFILE

/**
 * Open descriptors this process, and what it starts, may have; null is "no limit" or "not known". Bun raises
 * its soft limit to the hard one when it starts, and its children inherit that.
 */
export function readDescriptorLimit(): { soft: number | null; hard: number | null } {
  const limit = new BigUint64Array(new ArrayBuffer(16)); // struct rlimit { rlim_cur, rlim_max }
  if (libc === null || libc.getrlimit(noFileLimit, ptr(limit)) !== 0) return { soft: null, hard: null };
  // RLIM_INFINITY is 2^64 - 1 on Linux and 2^63 - 1 on macOS.
  const number = (value: bigint | undefined) =>
    value === undefined || value >= 2n ** 62n ? null : Number(value);
  return { soft: number(limit[0]), hard: number(limit[1]) };
}

/** `name version` of the operating system as its makers say it. */
async function describeSystem(): Promise<string> {
  if (platform() === "darwin")
    return `macOS ${(await readOutput(["sw_vers", "-productVersion"])) ?? ""}`.trim();
  const pretty = /^PRETTY_NAME="?(.*?)"?$/m.exec(readText("/etc/os-release") ?? "")?.[1];
  return pretty ?? kernelName();
}

/** Bun reads /proc only when a property is asked for, and throws where that says nothing. */
function readCpuModel(): string | null {
  try {
    return cpus()[0]?.model.trim() ?? null;
  } catch {
    return null;
  }
}

async function findCpuModel(): Promise<string> {
  const model = readCpuModel();
  if (model !== null && model !== "" && model !== "unknown") return model;
  // ARM's /proc/cpuinfo has no model name; lscpu knows the part numbers.
  const lscpu = /^Model name:\s*(.*)$/m.exec((await readOutput(["lscpu"])) ?? "")?.[1];
  return lscpu ?? readText("/proc/device-tree/model")?.replaceAll("\0", "") ?? arch();
}

/** The commit that the files here are of, `+dirty` when some differ from it, null outside their own repository. */
export async function findCommit(folder: string): Promise<string | null> {
  const top = await readOutput(["git", "-C", folder, "rev-parse", "--show-toplevel"]);
  // Installed as a package inside somebody's repository, the commit would be theirs.
  if (top === null || !existsSync(top) || realpathSync(top) !== realpathSync(folder)) return null;
  const [commit, changes] = await Promise.all([
    readOutput(["git", "-C", folder, "rev-parse", "HEAD"]),
    readOutput(["git", "-C", folder, "status", "--porcelain"]),
  ]);
  return commit === null ? null : changes === "" ? commit : `${commit}+dirty`;
}

/** Name and version, as package.json has them. */
export function readToolVersion(): string {
  return `${packageJson.name} ${packageJson.version}`;
}

/** Takes tens of milliseconds; only reads. */
export async function describeMachine(): Promise<Machine> {
  const [os, cpuModel] = await Promise.all([describeSystem(), findCpuModel()]);
  return {
    os,
    kernel: `${kernelName()} ${release()}`,
    cpuModel,
    cpuCount: Math.max(1, cpus().length),
    memoryBytes: totalmem(),
  };
}

/** What has to be known of the machine to read a result. Takes tens of milliseconds; only reads. */
export async function describeEnvironment(): Promise<Environment> {
  const [sysctls, machine, commit] = await Promise.all([
    readSysctls(),
    describeMachine(),
    build === null ? findCommit(projectFolder) : build.commit,
  ]);
  return {
    tool: readToolVersion(),
    commit,
    bun: Bun.version,
    arch: arch(),
    ...machine,
    // Absent in virtual machines, whose host decides.
    cpuGovernor: readText("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
    descriptorLimit: readDescriptorLimit(),
    portRange: findPortRange(sysctls),
    sysctls,
  };
}
