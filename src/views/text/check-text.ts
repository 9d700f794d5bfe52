import type { CheckId, CheckState, CheckValues } from "../../machine/doctor/check.ts";
import type { Diagnosis } from "../../machine/doctor/diagnosis.ts";
import * as format from "../../text/format.ts";
import { quote } from "./tell.ts";

/** A check of the machine in words. */
interface CheckText {
  readonly title: string;
  readonly current: string;
  readonly needed: string;
  /** Why it matters, and what follows. */
  readonly explanation: string;
}

/** Values as a result file holds them: from another version, any may be missing. */
function readerOf(values: CheckValues) {
  const number = (name: string) => {
    const value = values[name];
    return typeof value === "number" ? value : null;
  };
  const text = (name: string) => {
    const value = values[name];
    return typeof value === "string" ? quote(value, 200) : null;
  };
  const count = (name: string) => format.formatCount(number(name));
  return { number, text, count, bytes: (name: string) => format.formatBytes(number(name)) };
}

type Values = ReturnType<typeof readerOf>;

const notKnown = "not known";

const orUnknown = (known: boolean, text: string) => (known ? text : notKnown);

const memoryNeed = (v: Values) => {
  const contenders = v.number("contenders") ?? 1;
  const whose = contenders < 2 ? "" : `, ${format.formatSmallCount(contenders)} contenders at once`;
  return `${v.bytes("leastBytes")} to ${v.bytes("mostBytes")}${whose}`;
};

const memoryAdvice = (v: Values) =>
  (v.number("contenders") ?? 1) < 2 ? "" : " With `--one-at-a-time` only one contender is alive.";

const memoryPerConnection =
  "A connection takes 8 KiB in the kernel, up to 2 KiB in the generator and 2–56 KiB in the servers known here. Queued messages come on top.";

const coreProblems: Readonly<Record<string, string>> = {
  "cannot-pin":
    "This system cannot pin processes to CPUs, so server and generator compete. Trust ratios between contenders, not absolute numbers.",
  "one-core":
    "Only one core may be used, so server and generator share it. Every figure is of both together.",
  shared:
    "The server was given all CPUs, so the generator shares them. Every figure is of both together. Use fewer `--server-cpus`.",
  siblings:
    "Server and generator run on threads of the same cores, so each slows the other. Use fewer `--server-cpus`.",
  "not-pinned": "Nothing is pinned, so server and generator compete for CPUs. Leave out `--no-pin`.",
};

const texts: Readonly<Record<CheckId, (v: Values) => CheckText>> = {
  "server-descriptors": (v) => ({
    title: "Server's descriptors",
    current: describeLimit(v),
    needed: v.count("needed"),
    explanation:
      v.number("limit") === null
        ? "Every connection is an open file of the server."
        : `A server of one process can hold ${format.formatCount(Math.max(0, (v.number("limit") ?? 0) - (v.number("reserve") ?? 0)))} connections${v.number("processes") === null ? "" : `, and each here is ${v.count("processes")} or more`}. Every connection is an open file, and it keeps ${v.count("reserve")} for itself. \`ulimit\` counts for one shell and what it starts.`,
  }),
  "generator-descriptors": (v) => ({
    title: "Generator's descriptors",
    current: describeLimit(v),
    needed: `${v.count("needed")} per worker`,
    explanation: `Each worker opens ${v.count("connectionsPerWorker")} connections. More workers need fewer each: leave out \`--workers\`, or raise it.`,
  }),
  "system-descriptors": (v) => ({
    title: "Machine's open files",
    // Linux says 2^63 - 1 where there is none.
    current: (v.number("limit") ?? 0) >= 1e15 ? "no limit" : `${v.count("limit")}, ${v.count("open")} in use`,
    needed: `${v.count("needed")} more`,
    explanation: `${v.text("setting") ?? "The system"} limits the open files of all processes together. Both ends of each connection are on this machine.`,
  }),
  "port-range": (v) => ({
    title: "Local ports",
    current: orUnknown(
      v.number("ports") !== null,
      `${v.count("ports")} (${v.number("first")}–${v.number("last")})`,
    ),
    needed: `${v.count("needed")} per source address`,
    explanation:
      v.number("addresses") === 1
        ? "Every connection takes a local port of its source address. 16,384 ports stopped the article's servers at 16,3xx connections."
        : "Every connection takes a local port of its source address. Each worker uses several addresses of 127.0.0.0/8, and every round uses others.",
  }),
  memory: (v) => ({
    title: "Memory",
    current: orUnknown(v.number("availableBytes") !== null, `${v.bytes("availableBytes")} available`),
    needed: memoryNeed(v),
    explanation: `${memoryPerConnection} Stop other programs, or use fewer \`--connections\`.${memoryAdvice(v)}`,
  }),
  "memory-limit": (v) => ({
    title: "Group's memory limit",
    current: `${v.bytes("availableBytes")} of ${v.bytes("limitBytes")} left`,
    needed: memoryNeed(v),
    explanation: `A container or service limits memory (${v.text("path")}). Past the limit the kernel kills a process of the group. ${memoryPerConnection}${memoryAdvice(v)}`,
  }),
  conntrack: (v) => ({
    title: "Connection tracking",
    current:
      v.number("tracked") === 0
        ? `idle, at most ${v.count("limit")}`
        : `${v.count("tracked")} of ${v.count("limit")}`,
    needed: `${v.count("needed")} entries`,
    explanation:
      v.number("tracked") === 0
        ? "The packet filter tracks no connection now, so its table is no limit."
        : "The packet filter tracks every connection, also on loopback. A full table drops packets of new connections. An entry stays for two minutes, so rounds add up.",
  }),
  backlog: (v) => ({
    title: "Accept queue",
    current: orUnknown(v.number("length") !== null, v.count("length")),
    needed: `${v.count("needed")} at once`,
    explanation: `${v.text("setting") ?? "The system"} bounds every listener's queue. A full queue drops the SYN, and the client retries after 1 s. Connect times of 1,000 or 3,000 ms are then not the server's.`,
  }),
  "tcp-memory": (v) => ({
    title: "Socket buffers",
    current: `${v.bytes("pressureBytes")}, at most ${v.bytes("limitBytes")}`,
    needed: `${v.bytes("neededBytes")} at worst`,
    explanation:
      "A message waiting at each end of a connection holds two pages. Past the second value of net.ipv4.tcp_mem the kernel shrinks all windows, past the third it drops data. That looks like a slow server.",
  }),
  "time-wait": (v) => ({
    title: "TIME_WAIT",
    current: orUnknown(v.number("seconds") !== null, `${v.count("seconds")} s each`),
    needed: v.number("neededSeconds") === null ? "any" : `${v.count("neededSeconds")} s each`,
    explanation:
      "A closed connection keeps its port for twice net.inet.tcp.msl. There is one source address, so the next round can find its ports still taken.",
  }),
  cores: (v) => {
    const problem = v.text("problem");
    return {
      title: "CPU cores",
      current: describeCores(v),
      needed: `${format.formatCount((v.number("workers") ?? 0) + 1)}, one per process`,
      explanation:
        problem === "crowded"
          ? `${v.count("workers")} workers share ${format.plural(v.number("workerCpus") ?? 0, "CPU")}, so sends can be tens of microseconds late. Use \`--workers ${v.number("workerCpus")}\` for tighter timing.`
          : ((problem === null ? undefined : coreProblems[problem]) ??
            "Server and generator have cores of their own, the same for every contender."),
    };
  },
  "cpu-quota": (v) => ({
    title: "Group's CPU quota",
    current: `${v.count("cpus")} CPUs`,
    needed: `${v.count("needed")} CPUs`,
    explanation: `A container or service limits CPU time (${v.text("path")}). When a period's share is used up, its processes pause for tens of milliseconds. That looks like the server's latency.`,
  }),
  governor: (v) => ({
    title: "CPU governor",
    current: v.text("governor") ?? notKnown,
    needed: "performance",
    explanation: "Any other governor lowers the clock of an idle CPU, so latency at low load grows.",
  }),
  load: (v) => ({
    title: "Load average",
    current: `${v.number("load") ?? format.unknown} over the last minute`,
    needed: `below ${v.count("most")}`,
    explanation:
      "Other programs compete for the CPUs being measured. Stop them or wait until the load drops.",
  }),
  noise: (v) => {
    const cpu = v.number("cpu") === null ? "any CPU" : `CPU ${v.number("cpu")}`;
    const role = v.text("role");
    const isQuiet =
      (v.number("lostShare") ?? 0) <= (v.number("quietLostShare") ?? 1) &&
      (v.number("p99GapUs") ?? 0) <= (v.number("quietGapUs") ?? 1e9);
    return {
      title: role === "server" ? "Noise, server's CPU" : role === "worker" ? "Noise, worker's CPU" : "Noise",
      current: `${format.formatShare(v.number("lostShare"))} lost, p99 gap ${format.formatLatency(v.number("p99GapUs"))}`,
      needed: `≤ ${format.formatShare(v.number("quietLostShare"))}, ≤ ${format.formatLatency(v.number("quietGapUs"))}`,
      explanation: `A ${Math.round(v.number("durationMs") ?? 0)} ms spin test on ${cpu} lost ${format.formatShare(v.number("lostShare"))} of its time to other work (longest gap ${format.formatLatency(v.number("maxGapUs"))}). ${isQuiet ? "That is quiet." : "Latencies below that are noise."}`,
    };
  },
};

function describeLimit(v: Values): string {
  const hard = v.number("hard");
  return orUnknown(
    v.number("limit") !== null,
    `${v.count("limit")}, hard ${hard === null ? "none" : format.formatCount(hard)}`,
  );
}

function describeCores(v: Values): string {
  const [cores, cpus] = [v.number("cores"), v.number("cpus") ?? 0];
  const pins =
    v.text("server") === null || v.text("generator") === null
      ? "not pinned"
      : `server ${v.text("server")}, generator ${v.text("generator")}`;
  if (cores === null) return `${format.plural(cpus, "CPU")}, ${pins}`;
  const threads = cpus > cores ? ` with ${format.formatCount(cpus)} threads` : "";
  return `${format.plural(cores, "core")}${threads}, ${pins}`;
}

/** A check in words, from its facts. One that this version does not know is shown by its name and values. */
export function describeCheck(check: string, values: CheckValues): CheckText {
  const describe = Object.hasOwn(texts, check) ? texts[check as CheckId] : undefined;
  if (describe !== undefined) return describe(readerOf(values));
  const list = Object.entries(values).map(([name, value]) => `${name} ${value ?? format.unknown}`);
  return {
    title: quote(check, 60),
    current: quote(list.join(", "), 200),
    needed: format.unknown,
    explanation: "Another version of showdown made this check.",
  };
}

/** A check that is not ok in one line: `Accept queue: 128; better 256 at once. …` */
export function summarizeCheck(check: string, state: CheckState, values: CheckValues): string {
  const { title, current, needed, explanation } = describeCheck(check, values);
  return `${title}: ${current}; ${state === "insufficient" ? "the plan needs" : "better"} ${needed}. ${explanation}`;
}

const limitNames: Readonly<Partial<Record<CheckId, string>>> = {
  "server-descriptors": "the server's descriptor limit",
  "system-descriptors": "the machine's limit on open files",
  "port-range": "the range of local ports",
  memory: "available memory",
  "memory-limit": "the group's memory limit",
  conntrack: "the connection tracking table",
};

/** What this machine holds, what stops it, and whether that is enough for the plan. */
export function describeCapacity(
  { capacity, checks, fits }: Diagnosis,
  { connections }: { readonly connections: number },
): string {
  const asked = format.formatCount(connections);
  if (capacity === null) return `Nothing that can be read here limits the plan's ${asked} connections.`;
  const { stoppedBy } = capacity;
  const found = checks.find(({ check }) => check === stoppedBy);
  const current = found === undefined ? "" : ` (${describeCheck(stoppedBy, found.values).current})`;
  const holds = `This machine can hold ${format.formatCount(capacity.connections)} connections to a single-process server. The limit is ${limitNames[stoppedBy] ?? stoppedBy}${current}.`;
  if (capacity.connections >= connections)
    return `${holds} The plan's ${asked} ${fits ? "fit" : "do not fit for another reason"}.`;
  const instead = capacity.connections > 0 ? `: use \`--connections ${capacity.connections}\`` : "";
  return `${holds} The plan's ${asked} do not fit${instead}. A run opens what fits and names the limit.`;
}
