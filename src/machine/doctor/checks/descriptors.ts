import { formatCount as count } from "../../../text/format.ts";
import type { MachineFacts } from "../facts.ts";
import type { Check, Finding, Remedy } from "../finding.ts";
import { nameOf, readNumber, sysctlRemedy } from "../remedy.ts";

/** What a server keeps for its listener, runtime and log, and to answer /stats; elixir-genserver keeps as many. */
const serverReserve = 64;
/** What a worker needs beyond its connections (plan/resolve.ts). */
const workerReserve = 100;
/** What the rest of a machine may still open. */
const systemReserve = 2000;

// The article's values, which are enough for its 25,000 connections.
const articleLimit = 100_000;
const articleFilesPerProcess = 50_000;
const articleFiles = 100_000;

/** A descriptor for every connection at each end. The limit counts per process, so workers can share and a server can't. */
export const checkDescriptors: Check = (machine, plan) => {
  const limit = limitPerProcess(machine);
  const { hard } = machine.descriptorLimit;
  const current =
    limit === null ? "not known" : `${count(limit)} (hard ${hard === null ? "none" : count(hard)})`;
  const server = plan.connections + serverReserve;
  const share = Math.ceil(plan.connections / plan.workers);
  const worker = share + workerReserve;
  const raise = raiseLimit(machine, Math.max(server, worker), 2 * plan.connections + systemReserve);
  const base = { ...raise, current };
  const serverHolds = limit === null ? null : Math.max(0, limit - serverReserve);

  const serverFinding: Finding = {
    ...base,
    id: "server-descriptors",
    title: "Server's descriptors",
    needed: count(server),
    verdict: serverHolds === null ? "unknown" : serverHolds >= plan.connections ? "ok" : "stops",
    explanation: `Every connection is an open file of the server, and RLIMIT_NOFILE counts per process: a server of one process holds ${serverHolds === null ? "what its limit allows" : `${count(serverHolds)} connections at most, and keeps ${serverReserve} for itself`}; one of several processes holds that many in each. What ulimit sets holds for one shell and what it starts.`,
    holds:
      serverHolds === null
        ? null
        : { connections: serverHolds, limit: `the server's descriptor limit, ${count(limit)},` },
  };
  const generatorFinding: Finding = {
    ...base,
    id: "generator-descriptors",
    title: "Generator's descriptors",
    needed: plan.workers === 1 ? count(worker) : `${count(worker)} in each of ${plan.workers} workers`,
    verdict: limit === null ? "unknown" : worker <= limit ? "ok" : "stops",
    explanation: `The generator spreads its connections over as many worker processes as the limit asks for, so this costs workers and limits nothing, unless --workers says how many there are (${count(share)} connections in each here).`,
    holds: null,
  };
  return [serverFinding, generatorFinding, ...checkSystem(machine, plan.connections, raise)];
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

function checkSystem(machine: MachineFacts, connections: number, raise: Remedy): Finding[] {
  const name = nameOf(machine, { linux: "fs.file-max", macos: "kern.maxfiles" });
  const most = name === null ? null : readNumber(machine, name);
  if (name === null || most === null) return [];
  const open = machine.systemDescriptors ?? 0;
  const needed = 2 * connections + systemReserve;
  const holds = Math.max(0, Math.floor((most - open - systemReserve) / 2));
  const wanted = open + needed;
  const remedy = sysctlRemedy(machine, {
    linux: { "fs.file-max": Math.max(most, wanted) },
    macos: { "kern.maxfiles": Math.max(articleFiles, wanted) },
  });
  return [
    {
      ...(machine.system === "macos" ? { ...raise, changes: remedy.changes } : remedy),
      id: "system-descriptors",
      title: "Machine's open files",
      // Linux says 2^63 - 1 where there is none.
      current: most >= 1e15 ? "no limit" : `${count(most)}, ${count(open)} in use`,
      needed: `${count(needed)} more`,
      verdict: holds >= connections ? "ok" : "stops",
      explanation: `${name} is the limit on open files of all processes together; both ends of each connection are on this machine.`,
      holds: { connections: holds, limit: `the machine's limit on open files, ${count(most)},` },
    },
  ];
}

function raiseLimit(machine: MachineFacts, perProcess: number, system: number): Remedy {
  const value = Math.max(articleLimit, perProcess);
  const { hard } = machine.descriptorLimit;
  const most = readNumber(machine, "fs.nr_open");
  const kernel = {
    "kern.maxfiles": Math.max(articleFiles, system, readNumber(machine, "kern.maxfiles") ?? 0),
    "kern.maxfilesperproc": Math.max(
      articleFilesPerProcess,
      perProcess,
      readNumber(machine, "kern.maxfilesperproc") ?? 0,
    ),
  };
  const mac = sysctlRemedy(machine, { macos: kernel });
  const needsRoot = machine.system === "macos" || (hard !== null && hard < value);
  return {
    commands: {
      linux: [
        ...(most !== null && most < value ? [`sudo sysctl -w fs.nr_open=${value}`] : []),
        // A shell can only lower its hard limit.
        ...(hard !== null && hard < value ? [`sudo prlimit --pid $$ --nofile=${value}:${value}`] : []),
        `ulimit -n ${value}`,
      ],
      macos: [...(mac.commands.macos ?? []), `ulimit -n ${value}`],
    },
    survivesReboot: false,
    permanently: {
      linux: `echo '* - nofile ${value}' | sudo tee /etc/security/limits.d/60-ws-showdown.conf, then log in anew (LimitNOFILE=${value} in a systemd unit, --ulimit nofile=${value} of a container)`,
      ...mac.permanently,
    },
    needsPassword: needsRoot && machine.privilege === "none",
    // A limit belongs to the shell, and nobody else can raise it for good.
    changes: mac.changes,
  };
}
