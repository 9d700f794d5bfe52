import { listFolder, readText } from "../machine/sources.ts";
import { markName } from "./reaper.ts";

/** A process as `/proc/PID/stat` tells it. Times in clock ticks. */
export interface ProcessStat {
  readonly pid: number;
  readonly state: string;
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** User and system time of its own. */
  readonly ownTicks: number;
  /** User and system time of children that have ended and were waited for. */
  readonly reapedTicks: number;
  /** Of both. */
  readonly userTicks: number;
  readonly systemTicks: number;
}

/** Reads one process; null when there is none (any more). Linux. */
export function readProcess(pid: number): ProcessStat | null {
  const text = readText(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The name stands in brackets and may hold brackets and spaces itself. Fields as in proc_pid_stat(5), from
  // the third (state) on.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (field: number) => Number(fields[field - 3]);
  return {
    pid,
    state: fields[0] ?? "?",
    parent: number(4),
    group: number(5),
    session: number(6),
    ownTicks: number(14) + number(15),
    reapedTicks: number(16) + number(17),
    userTicks: number(14) + number(16),
    systemTicks: number(15) + number(17),
  };
}

/** Every process of the machine. Linux. */
export function listPids(): number[] {
  return listFolder("/proc").map(Number).filter(Number.isInteger);
}

function isMarked(pid: number, mark: string): boolean {
  // Null when it is gone, or somebody else's.
  return readText(`/proc/${pid}/environ`)?.split("\0").includes(`${markName}=${mark}`) === true;
}

/**
 * The living processes of a group or session, or with this mark in their environment. Zombies do not count: in
 * a container without an init they stay for ever. Reads all of /proc: milliseconds, so not for sampling.
 */
export function findMembers(leader: number, mark: string): number[] {
  return listPids().filter((pid) => {
    const found = readProcess(pid);
    if (found === null || found.state === "Z" || found.state === "X") return false;
    return found.group === leader || found.session === leader || isMarked(pid, mark);
  });
}

/** Sends a signal and says whether anybody was there to get it. A negative number is a process group. */
export function sendSignal(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch {
    return false;
  }
}
