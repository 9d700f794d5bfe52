import { ShowdownError } from "../errors.ts";
import { type ServerCpus, serverCpusType } from "../plan/server-cpus.ts";
import { formatCpuList, parseCpuList } from "../text/cpu-list.ts";
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

interface SplitOptions {
  readonly pin: boolean;
  /** What the server is to have; its half where absent or null. */
  readonly serverCpus?: ServerCpus | null | undefined;
}

/**
 * Splits the machine into one half for the server and one for the workers, by physical core, so that no server
 * shares a core's execution units with the load. Each kind of core of a hybrid machine is halved on its own.
 * The first core left over goes to the workers, for a server is honest on any number of cores but a crowded
 * generator is not. In order of NUMA nodes, so that on two nodes each half has its own memory.
 *
 * @throws {ShowdownError} `usage` where the server can't have the CPUs that it is to have
 */
export function splitCpus(topology: Topology, options: SplitOptions): CpuSplit {
  if (options.serverCpus != null) return placeServer(topology, options.pin, options.serverCpus);
  const unpinned = (reason: string): CpuSplit => ({ serverCpus: null, workerCpus: null, reason });
  if (!options.pin) return unpinned("pinning is switched off");
  if (!topology.canPin) return unpinned("this platform cannot pin a process to CPUs");
  const cores = groupByCore(topology.cpus);
  if (cores.length < 2) {
    const list = formatCpuList(topology.cpus.map(({ id }) => id));
    return unpinned(`only one physical core may be used (CPU ${list}), so server and workers share it`);
  }
  const { server, workers } = halve(cores);
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

function halve(cores: readonly Core[]): { readonly server: Core[]; readonly workers: Core[] } {
  const server: Core[] = [];
  const workers: Core[] = [];
  for (const kind of groupByKind(cores)) {
    kind.sort((a, b) => a.node - b.node || (a.cpus[0] ?? 0) - (b.cpus[0] ?? 0));
    // Rounded up for the server only where the workers are ahead from a faster kind.
    const half = workers.length > server.length ? Math.ceil(kind.length / 2) : Math.floor(kind.length / 2);
    server.push(...kind.slice(0, half));
    workers.push(...kind.slice(half));
  }
  return { server, workers };
}

/**
 * The server's CPUs as they are asked for. The workers have the cores that it has nothing of; without such a core the
 * other threads of its cores; without those they share all CPUs with it.
 */
function placeServer({ cpus, canPin }: Topology, pin: boolean, asked: ServerCpus): CpuSplit {
  const refuse = (problem: string, hint?: string) =>
    new ShowdownError("usage", `--server-cpus ${serverCpusType.write(asked)}: ${problem}`, { hint });
  if (!pin) throw refuse("--no-pin pins nothing", "give one of the two");
  if (!canPin) throw refuse("this platform cannot pin a process to CPUs", "leave it out");
  const usable = `${cpus.length} (${formatCpuList(cpus.map(({ id }) => id))})`;
  const isFew = typeof asked === "number";
  if (isFew && asked > cpus.length) throw refuse(`needs ${asked} CPUs, and this process may use ${usable}`);
  const server = isFew ? inOrder(groupByCore(cpus)).slice(0, asked) : asked;
  const unknown = server.filter((id) => cpus.every((cpu) => cpu.id !== id));
  if (unknown.length > 0) {
    throw refuse(
      `there is no CPU ${formatCpuList(unknown)} among those that this process may use, ${usable}`,
    );
  }
  const others = cpus.filter(({ id }) => !server.includes(id));
  const taken = new Set(cpus.filter(({ id }) => server.includes(id)).map(({ core }) => core));
  const apart = others.filter(({ core }) => !taken.has(core));
  const workers = [apart, others].find(({ length }) => length > 0) ?? cpus;
  return {
    serverCpus: server.toSorted((a, b) => a - b),
    workerCpus: workers.map(({ id }) => id),
    reason: null,
  };
}

/** The server's half first, a thread of each core before the other threads; then the workers' cores, one by one. */
function inOrder(cores: readonly Core[]): number[] {
  const { server, workers } = halve(cores);
  const threads = Math.max(0, ...server.map(({ cpus }) => cpus.length));
  return [
    ...Array.from({ length: threads }, (_, thread) =>
      server.flatMap(({ cpus }) => cpus[thread] ?? []),
    ).flat(),
    ...workers.flatMap(({ cpus }) => cpus),
  ];
}
