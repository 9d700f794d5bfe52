import { listFolder, readText } from "./sources.ts";

/** One logical CPU that this process may use. */
export interface LogicalCpu {
  readonly id: number;
  /** The physical core; SMT siblings share it. Unique in the machine. */
  readonly core: string;
  /** NUMA node; 0 where the machine has no such thing. */
  readonly node: number;
  /** Relative speed of the core: differs only on hybrid machines, higher is faster. */
  readonly capacity: number;
}

export interface Topology {
  /** The CPUs this process may run on, ascending; empty where that cannot be known. */
  readonly cpus: readonly LogicalCpu[];
  /** Whether this platform can pin a process to CPUs. */
  readonly canPin: boolean;
}

interface CpuSplit {
  readonly serverCpus: number[] | null;
  readonly workerCpus: number[] | null;
  /** Why nothing is pinned, or what to know about the split; null when there is nothing to say. */
  readonly reason: string | null;
}

/** Reads a kernel CPU list such as `0-3,8,10-11`. */
export function parseCpuList(list: string): number[] {
  const cpus: number[] = [];
  for (const range of list.trim().split(",")) {
    const bounds = /^(\d+)(?:-(\d+))?$/.exec(range);
    if (bounds === null) continue;
    const first = Number(bounds[1]);
    const last = Number(bounds[2] ?? bounds[1]);
    for (let cpu = first; cpu <= last; cpu++) cpus.push(cpu);
  }
  return cpus;
}

/** Writes a CPU list as `taskset -c` and people read it: `0-3,8`. */
export function formatCpuList(cpus: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const cpu of [...new Set(cpus)].sort((a, b) => a - b)) {
    const range = ranges.at(-1);
    if (range !== undefined && range[1] === cpu - 1) range[1] = cpu;
    else ranges.push([cpu, cpu]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}

function readNodes(sysfs: string): Map<number, number> {
  const nodeOfCpu = new Map<number, number>();
  // A kernel without NUMA has no such folder.
  for (const entry of listFolder(`${sysfs}/node`)) {
    const node = /^node(\d+)$/.exec(entry);
    if (node === null) continue;
    for (const cpu of parseCpuList(readText(`${sysfs}/node/${entry}/cpulist`) ?? "")) {
      nodeOfCpu.set(cpu, Number(node[1]));
    }
  }
  return nodeOfCpu;
}

/**
 * Relative speeds by CPU. ARM says them as `cpu_capacity`; Intel's hybrids list their efficiency cores under
 * `cpu_atom`; both are absent on machines whose cores are all alike.
 */
function readCapacity(sysfs: string, cpu: number, efficiencyCpus: readonly number[]): number {
  const capacity = Number(readText(`${sysfs}/cpu/cpu${cpu}/cpu_capacity`) ?? Number.NaN);
  if (capacity > 0) return capacity;
  return efficiencyCpus.includes(cpu) ? 512 : 1024;
}

/** What this process may run on, from sysfs and its own affinity mask. Linux; elsewhere CPUs cannot be pinned. */
export function readTopology(
  { system, process: proc } = { system: "/sys/devices", process: "/proc/self" },
): Topology {
  const status = readText(`${proc}/status`);
  const allowed = parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status ?? "")?.[1] ?? "");
  if (allowed.length === 0) return { cpus: [], canPin: false };
  const sysfs = `${system}/system`;
  const nodes = readNodes(sysfs);
  const efficiencyCpus = parseCpuList(readText(`${system}/cpu_atom/cpus`) ?? "");
  const online = readText(`${sysfs}/cpu/online`);
  const usable = online === null ? allowed : allowed.filter((cpu) => parseCpuList(online).includes(cpu));
  const cpus = usable.map((id): LogicalCpu => {
    const folder = `${sysfs}/cpu/cpu${id}/topology`;
    // Older kernels know only the second name. A CPU without either is a core of its own.
    const siblings =
      readText(`${folder}/core_cpus_list`) ?? readText(`${folder}/thread_siblings_list`) ?? `${id}`;
    return {
      id,
      core: siblings,
      node: nodes.get(id) ?? 0,
      capacity: readCapacity(sysfs, id, efficiencyCpus),
    };
  });
  return { cpus, canPin: process.platform === "linux" };
}

interface Core {
  readonly cpus: number[];
  readonly node: number;
  readonly capacity: number;
}

function groupByCore(cpus: readonly LogicalCpu[]): Core[] {
  const cores = new Map<string, Core>();
  for (const { id, core, node, capacity } of cpus) {
    const known = cores.get(core);
    if (known === undefined) cores.set(core, { cpus: [id], node, capacity });
    else known.cpus.push(id);
  }
  return [...cores.values()];
}

/** Cores of about the same speed, fastest kind first. Firmware rates its favourite cores a few per cent higher. */
function groupByKind(cores: readonly Core[]): Core[][] {
  const kinds: Core[][] = [];
  for (const core of [...cores].sort((a, b) => b.capacity - a.capacity)) {
    const kind = kinds.at(-1);
    if (kind?.[0] !== undefined && core.capacity >= kind[0].capacity * 0.8) kind.push(core);
    else kinds.push([core]);
  }
  return kinds;
}

/**
 * Splits the machine into one half for the server and one for the workers, by physical core, so that no server
 * shares a core's execution units with the load. Each kind of core of a hybrid machine is halved on its own.
 * The first core left over goes to the workers, for a server is honest on any number of cores but a crowded
 * generator is not. In order of NUMA nodes, so that on two nodes each half has its own memory.
 */
export function splitCpus(topology: Topology, options: { readonly pin: boolean }): CpuSplit {
  const unpinned = (reason: string): CpuSplit => ({ serverCpus: null, workerCpus: null, reason });
  if (!options.pin) return unpinned("pinning is switched off");
  if (!topology.canPin) return unpinned("this platform cannot pin a process to CPUs");
  const cores = groupByCore(topology.cpus);
  if (cores.length < 2) {
    const list = formatCpuList(topology.cpus.map(({ id }) => id));
    return unpinned(`only one physical core may be used (CPU ${list}), so server and workers share it`);
  }
  const server: Core[] = [];
  const workers: Core[] = [];
  for (const kind of groupByKind(cores)) {
    kind.sort((a, b) => a.node - b.node || (a.cpus[0] ?? 0) - (b.cpus[0] ?? 0));
    // Rounded up for the server only where the workers are ahead from a faster kind.
    const half = workers.length > server.length ? Math.ceil(kind.length / 2) : Math.floor(kind.length / 2);
    server.push(...kind.slice(0, half));
    workers.push(...kind.slice(half));
  }
  const ids = (half: readonly Core[]) => half.flatMap(({ cpus }) => cpus).sort((a, b) => a - b);
  const nodesOf = (half: readonly Core[]) => [...new Set(half.map(({ node }) => node))].sort((a, b) => a - b);
  const nodes = nodesOf(cores).length;
  return {
    serverCpus: ids(server),
    workerCpus: ids(workers),
    reason:
      nodes > 1
        ? `${nodes} NUMA nodes: the server is on node ${nodesOf(server).join(", ")}, the workers on node ${nodesOf(workers).join(", ")}`
        : null,
  };
}
