import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { isShowdownError } from "../errors.ts";
import type { ServerCpus } from "../plan/server-cpus.ts";
import { type LogicalCpu, readTopology, splitCpus, type Topology } from "./cpus.ts";

/** `[id, core, node?, capacity?]` per CPU. */
function machine(...cpus: [number, number, number?, number?][]): Topology {
  return {
    canPin: true,
    cpus: cpus.map(
      ([id, core, node = 0, capacity = 1024]): LogicalCpu => ({ id, core: `${core}`, node, capacity }),
    ),
  };
}

const table: [string, Topology, number[] | null, number[] | null][] = [
  ["2 cores", machine([0, 0], [1, 1]), [0], [1]],
  ["3 cores: the odd one to the workers", machine([0, 0], [1, 1], [2, 2]), [0], [1, 2]],
  [
    "4 cores, 8 threads: siblings stay together",
    machine([0, 0], [1, 1], [2, 2], [3, 3], [4, 0], [5, 1], [6, 2], [7, 3]),
    [0, 1, 4, 5],
    [2, 3, 6, 7],
  ],
  ["2 cores, 4 threads numbered in pairs", machine([0, 0], [1, 0], [2, 1], [3, 1]), [0, 1], [2, 3]],
  [
    "hybrid: 4 fast with SMT, 4 slow",
    machine(
      ...([0, 1, 2, 3].flatMap((core) => [
        [2 * core, core, 0, 1024],
        [2 * core + 1, core, 0, 1024],
      ]) as [number, number, number, number][]),
      ...([8, 9, 10, 11].map((id) => [id, id, 0, 512]) as [number, number, number, number][]),
    ),
    [0, 1, 2, 3, 8, 9],
    [4, 5, 6, 7, 10, 11],
  ],
  ["1 fast, 1 slow", machine([0, 0, 0, 1024], [1, 1, 0, 512]), [1], [0]],
  [
    "favoured cores are the same kind",
    machine([0, 0, 0, 1024], [1, 1, 0, 1009], [2, 2, 0, 990], [3, 3, 0, 990]),
    [0, 1],
    [2, 3],
  ],
  [
    "3 fast, 3 slow: one odd core each",
    machine(
      [0, 0, 0, 1024],
      [1, 1, 0, 1024],
      [2, 2, 0, 1024],
      [3, 3, 0, 446],
      [4, 4, 0, 446],
      [5, 5, 0, 446],
    ),
    [0, 3, 4],
    [1, 2, 5],
  ],
  [
    "2 NUMA nodes with interleaved numbers",
    machine([0, 0, 0], [1, 1, 1], [2, 2, 0], [3, 3, 1]),
    [0, 2],
    [1, 3],
  ],
  ["a restricted mask", machine([5, 5], [9, 9]), [5], [9]],
  ["a mask with one thread of one core and both of another", machine([3, 1], [4, 2], [12, 2]), [3], [4, 12]],
  ["1 core", machine([0, 0]), null, null],
  ["1 core, 2 threads", machine([0, 0], [1, 0]), null, null],
];

test.each(table)("split: %s", (_, topology, serverCpus, workerCpus) => {
  const split = splitCpus(topology, { pin: true });
  expect(split).toMatchObject({ serverCpus, workerCpus });
  if (serverCpus === null) expect(split.reason).toContain("only one physical core");
});

test("nothing is pinned when it is switched off or impossible, and the reason says which", () => {
  const topology = machine([0, 0], [1, 1]);
  expect(splitCpus(topology, { pin: false }).reason).toBe("pinning is switched off");
  expect(splitCpus({ ...topology, canPin: false }, { pin: true }).reason).toContain("platform");
});

test("NUMA is noted", () => {
  const { reason } = splitCpus(machine([0, 0, 0], [1, 1, 1]), { pin: true });
  expect(reason).toBe("2 NUMA nodes: the server is on node 0, the workers on node 1");
});

const two = machine([0, 0], [1, 1]);
const threads = machine([0, 0], [1, 1], [2, 2], [3, 3], [4, 0], [5, 1], [6, 2], [7, 3]);

test.each<[string, Topology, ServerCpus, number[], number[]]>([
  ["1 of 2", two, 1, [0], [1]],
  ["CPU 1 of 2", two, [1], [1], [0]],
  ["2 of 2, which the generator shares", two, 2, [0, 1], [0, 1]],
  ["1 of 1, which the generator shares", machine([3, 0]), 1, [3], [3]],
  ["1 of 8 threads: nobody has the other thread of its core", threads, 1, [0], [1, 2, 3, 5, 6, 7]],
  ["2 of 8 threads: a core each", threads, 2, [0, 1], [2, 3, 6, 7]],
  ["4 of 8 threads: the server's half", threads, 4, [0, 1, 4, 5], [2, 3, 6, 7]],
  ["5 of 8 threads: the generator keeps a whole core", threads, 5, [0, 1, 2, 4, 5], [3, 7]],
  ["7 of 8 threads: the generator has the last thread", threads, 7, [0, 1, 2, 3, 4, 5, 6], [7]],
  ["8 of 8 threads", threads, 8, [0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 6, 7]],
  ["some of a restricted mask", machine([3, 1], [4, 2], [12, 2]), [4, 12], [4, 12], [3]],
])("the server has what it is to have: %s", (_, topology, asked, serverCpus, workerCpus) => {
  expect(splitCpus(topology, { pin: true, serverCpus: asked })).toEqual({
    serverCpus,
    workerCpus,
    reason: null,
  });
});

test.each<[Topology, boolean, ServerCpus, string]>([
  [two, true, 4, "--server-cpus 4: needs 4 CPUs, and this process may use 2 (0-1)"],
  [
    two,
    true,
    [0, 7, 8],
    "--server-cpus 0,7-8: there is no CPU 7-8 among those that this process may use, 2 (0-1)",
  ],
  [two, false, [1], "--server-cpus 1-1: --no-pin pins nothing"],
  [{ ...two, canPin: false }, true, 1, "--server-cpus 1: this platform cannot pin a process to CPUs"],
])("a server can't have what is not there", (topology, pin, serverCpus, says) => {
  try {
    splitCpus(topology, { pin, serverCpus });
    expect.unreachable();
  } catch (error) {
    if (!isShowdownError(error, "usage")) throw error;
    expect(error.message).toBe(says);
  }
});

test("the topology is read from sysfs, within the allowed mask and what is online", () => {
  const root = mkdtempSync(join(tmpdir(), "topology-"));
  const put = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  };
  put("self/status", "Name:\tx\nCpus_allowed_list:\t1-3,6");
  put("sys/system/cpu/online", "0-5");
  put("sys/system/cpu/cpu1/topology/core_cpus_list", "1,3");
  put("sys/system/cpu/cpu2/topology/thread_siblings_list", "2");
  put("sys/system/cpu/cpu3/topology/core_cpus_list", "1,3");
  put("sys/system/node/node0/cpulist", "0-1,3");
  put("sys/system/node/node1/cpulist", "2");
  put("sys/cpu_atom/cpus", "2");
  const { cpus } = readTopology({ system: join(root, "sys"), process: join(root, "self") });
  rmSync(root, { recursive: true });
  expect(cpus).toEqual([
    { id: 1, core: "1,3", node: 0, capacity: 1024 },
    { id: 2, core: "2", node: 1, capacity: 512 },
    { id: 3, core: "1,3", node: 0, capacity: 1024 },
  ]);
});

test.if(process.platform === "linux")("this machine's topology has the CPUs that nproc counts", () => {
  const count = Number(Bun.spawnSync(["nproc"]).stdout.toString());
  expect(readTopology().cpus).toHaveLength(count);
});

test("a machine without sysfs and /proc has no topology", () => {
  expect(readTopology({ system: "/nowhere", process: "/nowhere" })).toEqual({ cpus: [], canPin: false });
});
