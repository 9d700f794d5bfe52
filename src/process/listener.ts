import { readlinkSync } from "node:fs";
import { listFolder, readText } from "../machine/sources.ts";
import { listPids } from "./processes.ts";

/** A process that listens on a port. */
export interface Listener {
  readonly pid: number;
  readonly name: string;
}

/**
 * Who listens on a port, among these processes or all that can be seen: other users' cannot.
 *
 * @param candidates looked through instead of every process of the machine (Linux)
 */
export function findListeners(port: number, candidates?: readonly number[]): Listener[] {
  if (process.platform !== "linux") return findByLsof(port);
  const sockets = new Set(listInodes(port).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return [];
  return (candidates ?? listPids()).flatMap((pid) => {
    // None of somebody else's process, or of one that has just ended.
    const descriptors = listFolder(`/proc/${pid}/fd`);
    const isListener = descriptors.some((one) => sockets.has(readLink(`/proc/${pid}/fd/${one}`)));
    return isListener ? [{ pid, name: readText(`/proc/${pid}/comm`) ?? "?" }] : [];
  });
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ""; // closed between two looks
  }
}

/** The inodes of sockets that listen on a port, from `/proc/net/tcp` and `tcp6`: proc_net_tcp(5). */
function listInodes(port: number): string[] {
  const inodes: string[] = [];
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (readText(file) ?? "").split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      const listening = "0A"; // TCP_LISTEN
      if (state !== listening || Number.parseInt(local.split(":")[1] ?? "", 16) !== port) continue;
      if (inode !== undefined) inodes.push(inode);
    }
  }
  return inodes;
}

function findByLsof(port: number): Listener[] {
  try {
    const { stdout } = Bun.spawnSync(["lsof", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"], {
      stderr: "ignore",
    });
    return [...stdout.toString().matchAll(/p(\d+)\nc(.*)/g)].map(([, pid, name = ""]) => ({
      pid: Number(pid),
      name,
    }));
  } catch {
    return [];
  }
}
