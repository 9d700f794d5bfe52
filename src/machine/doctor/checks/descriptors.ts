import { agentsElsewhere } from "../../../plan/plan.ts";
import { serverReserve } from "../../../plan/server-processes.ts";
import { type Check, type Finding, readNumber, setSysctls } from "../check.ts";
import type { MachineFacts } from "../facts.ts";

/** What a worker needs beyond its connections (plan/resolve.ts). */
const workerReserve = 100;
/** What the rest of a machine may still open. */
const systemReserve = 2000;

// The article's values, which are enough for its 25,000 connections.
const articleLimit = 100_000;
const articleFilesPerProcess = 50_000;

/** A descriptor for every connection at each end. The limit counts per process, so workers share, and few servers can. */
export const checkDescriptors: Check = (machine, plan) => {
  const { connections, workers, entrants } = plan;
  const isElsewhere = agentsElsewhere(plan) !== null;
  /** Of each connection, on this machine. */
  const ends = isElsewhere ? 1 : 2;
  const limit = limitPerProcess(machine);
  const { hard } = machine.descriptorLimit;
  // Whoever has the fewest processes is stopped first.
  const processes = entrants.reduce((least, one) => Math.min(least, one.processes ?? 1), Infinity);
  const shared = Number.isFinite(processes) ? processes : 1;
  const server = Math.ceil(connections / shared) + serverReserve;
  const share = Math.ceil(connections / workers);
  const worker = share + workerReserve;
  const commands = raiseLimit(
    machine,
    isElsewhere ? server : Math.max(server, worker),
    ends * connections + systemReserve,
  );
  const holds = limit === null ? null : shared * Math.max(0, limit - serverReserve);
  const judge = (needed: number) =>
    limit === null ? "unknown" : needed <= limit ? "ok" : ("insufficient" as const);
  return [
    {
      check: "server-descriptors",
      state: judge(server),
      values: {
        limit,
        hard,
        needed: server,
        reserve: serverReserve,
        ...(shared === 1 ? {} : { processes: shared }),
      },
      holds,
      commands,
    },
    ...(isElsewhere
      ? []
      : [
          {
            check: "generator-descriptors",
            state: judge(worker),
            values: { limit, hard, needed: worker, workers, connectionsPerWorker: share },
            commands,
          } as const,
        ]),
    ...checkSystem(machine, { connections, ends }, commands),
  ];
};

/** Children inherit the soft limit, which Bun raises to the hard one. macOS has a second limit beside it. */
function limitPerProcess(machine: MachineFacts): number | null {
  const limits = [
    machine.descriptorLimit.soft ?? machine.descriptorLimit.hard,
    machine.system === "macos" ? readNumber(machine, "kern.maxfilesperproc") : null,
    // Without a limit of its own a process has this one.
    machine.descriptorLimit.soft === null ? readNumber(machine, "fs.nr_open") : null,
  ].filter((limit) => limit !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}

function checkSystem(
  machine: MachineFacts,
  { connections, ends }: { readonly connections: number; readonly ends: number },
  macCommands: readonly string[],
): Finding[] {
  const setting = { linux: "fs.file-max", macos: "kern.maxfiles", other: null }[machine.system];
  const limit = readNumber(machine, setting);
  if (limit === null) return [];
  const open = machine.systemDescriptors ?? 0;
  const needed = ends * connections + systemReserve;
  const holds = Math.max(0, Math.floor((limit - open - systemReserve) / ends));
  return [
    {
      check: "system-descriptors",
      state: holds >= connections ? "ok" : "insufficient",
      values: { limit, open, needed, setting },
      holds,
      commands:
        machine.system === "macos"
          ? macCommands
          : setSysctls(machine, { linux: { "fs.file-max": Math.max(limit, open + needed) } }),
    },
  ];
}

function raiseLimit(machine: MachineFacts, perProcess: number, system: number): string[] {
  const value = Math.max(articleLimit, perProcess);
  const { hard } = machine.descriptorLimit;
  const most = readNumber(machine, "fs.nr_open");
  const known = (name: string) => readNumber(machine, name) ?? 0;
  return [
    ...setSysctls(machine, {
      ...(most !== null && most < value ? { linux: { "fs.nr_open": value } } : {}),
      macos: {
        "kern.maxfiles": Math.max(articleLimit, system, known("kern.maxfiles")),
        "kern.maxfilesperproc": Math.max(articleFilesPerProcess, perProcess, known("kern.maxfilesperproc")),
      },
    }),
    // A shell can only lower its hard limit.
    ...(machine.system === "linux" && hard !== null && hard < value
      ? [`sudo prlimit --pid $$ --nofile=${value}:${value}`]
      : []),
    `ulimit -n ${value}`,
  ];
}
