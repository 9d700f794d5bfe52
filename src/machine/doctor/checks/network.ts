import { agentsElsewhere } from "../../../plan/plan.ts";
import { connectionsPerAddress } from "../../source-addresses.ts";
import { type Check, readNumber, setSysctls } from "../check.ts";

/** Well above what services listen on, and 55,536 ports. */
const firstPort = 10_000;
const lowestPort = 1024;
const lastPort = 65_535;

/** Every connection has a local port of its own at its source address. This is what stopped the article at 16,3xx. */
export const checkPorts: Check = (machine, plan) => {
  if (agentsElsewhere(plan) !== null) return [];
  const { connections, workers } = plan;
  const isLinux = machine.system === "linux";
  const perWorker = isLinux ? Math.ceil(connections / workers / connectionsPerAddress) : 0;
  const addresses = perWorker === 0 ? 1 : perWorker * workers;
  const needed = Math.ceil(connections / addresses);
  const [start, end] = machine.portRange ?? [null, null];
  const ports = start === null || end === null ? null : end - start + 1;
  const first = needed <= lastPort - firstPort + 1 ? firstPort : lowestPort;
  // Linux gets another address for every so many connections, so a range of that size is no limit.
  const isLimit = ports !== null && (!isLinux || ports < connectionsPerAddress);
  return {
    check: "port-range",
    state: ports === null ? "unknown" : ports < needed ? "insufficient" : "ok",
    values: { first: start, last: end, ports, needed, addresses },
    holds: isLimit ? ports * addresses : null,
    commands: setSysctls(machine, {
      linux: { "net.ipv4.ip_local_port_range": `${first} ${lastPort}` },
      macos: { "net.inet.ip.portrange.first": first, "net.inet.ip.portrange.last": lastPort },
    }),
  };
};

/** Connection tracking of the packet filter, which follows loopback connections too once any rule asks for it. */
export const checkConntrack: Check = (machine, { connections, rounds, entrants }) => {
  const setting = "net.netfilter.nf_conntrack_max";
  const limit = readNumber(machine, setting);
  if (limit === null) return [];
  const tracked = machine.trackedConnections;
  // An entry outlives its connection by two minutes, so two rounds can be in the table at once.
  const needed = connections * (rounds * entrants.length > 1 ? 2 : 1);
  const free = Math.max(0, limit - (tracked ?? 0));
  // The module may be loaded without a rule that uses it.
  const isIdle = tracked === 0;
  return {
    check: "conntrack",
    state: isIdle || free >= needed ? "ok" : free < connections ? "insufficient" : "tight",
    values: { tracked, limit, needed },
    holds: isIdle ? null : free,
    commands: setSysctls(machine, { linux: { [setting]: Math.max(limit, (tracked ?? 0) + needed) } }),
  };
};

/** The article's value, and Linux's own since 5.4. */
const roomyQueue = 4096;

/** Connections that wait to be accepted. Too few slow the opening down by whole seconds and stop nothing. */
export const checkBacklog: Check = (machine, plan) => {
  const needed = Math.max(plan.connectBatch, plan.workers);
  const wanted = Math.max(roomyQueue, 2 ** Math.ceil(Math.log2(needed)));
  const setting = { linux: "net.core.somaxconn", macos: "kern.ipc.somaxconn", other: null }[machine.system];
  const length = readNumber(machine, setting);
  return {
    check: "backlog",
    state: length === null ? "unknown" : length < needed ? "tight" : "ok",
    values: { length, needed, setting },
    commands: setSysctls(machine, {
      linux: { "net.core.somaxconn": Math.max(wanted, length ?? 0) },
      // A 16-bit number there.
      macos: { "kern.ipc.somaxconn": Math.min(32_767, Math.max(wanted, length ?? 0)) },
    }),
  };
};

/** A socket with anything unread is charged a page, however short the message (measured on Linux 6.18); one each way. */
const pagesPerConnection = 2;

/** What all sockets of the machine may hold in their buffers (tcp_mem: low, pressure and high, in pages). */
export const checkTcpMemory: Check = (machine, { connections }) => {
  const pages = machine.sysctls["net.ipv4.tcp_mem"]?.trim().split(/\s+/).map(Number) ?? [];
  const [, pressure, high] = pages;
  if (pressure === undefined || high === undefined) return [];
  const { pageBytes } = machine.memory;
  const needed = connections * pagesPerConnection;
  // Twice the need under pressure, in the proportions of the kernel's own defaults (3 : 4 : 6).
  const wanted = [1.5, 2, 3].map((times, at) => Math.max(pages[at] ?? 0, Math.ceil(needed * times)));
  return {
    check: "tcp-memory",
    state: needed > pressure ? "tight" : "ok",
    values: {
      pressureBytes: pressure * pageBytes,
      limitBytes: high * pageBytes,
      neededBytes: needed * pageBytes,
    },
    commands: setSysctls(machine, { linux: { "net.ipv4.tcp_mem": wanted.join(" ") } }),
  };
};

/** The article's value: TIME_WAIT lasts twice that. */
const articleMslMs = 1000;

/** What closed connections leave behind on macOS; on Linux every round takes other addresses, so nothing waits for it. */
export const checkTimeWait: Check = (machine, { connections, rounds, entrants }) => {
  if (machine.system !== "macos") return [];
  const mslMs = readNumber(machine, "net.inet.tcp.msl");
  const [first, last] = machine.portRange ?? [0, Number.POSITIVE_INFINITY];
  // One source address only: two rounds share its ports.
  const isCrowded = rounds * entrants.length > 1 && 2 * connections > last - first + 1;
  return {
    check: "time-wait",
    state: mslMs === null ? "unknown" : isCrowded && mslMs > articleMslMs ? "tight" : "ok",
    values: {
      seconds: mslMs === null ? null : (2 * mslMs) / 1000,
      neededSeconds: isCrowded ? (2 * articleMslMs) / 1000 : null,
    },
    commands: setSysctls(machine, {
      macos: { "net.inet.tcp.msl": Math.min(articleMslMs, mslMs ?? articleMslMs) },
    }),
  };
};
