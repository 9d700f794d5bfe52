import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { PortInUseError, UsageError } from "../errors.ts";

function listen(host: string, port: number): number {
  const listener = Bun.listen({ hostname: host, port, socket: { data() {} } });
  const taken = listener.port;
  listener.stop(true);
  return taken;
}

/** The inodes of sockets that listen on a port, from `/proc/net/tcp` and `tcp6` (Linux). */
function findListenInodes(port: number): Set<string> {
  const inodes = new Set<string>();
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    let text = "";
    try {
      text = readFileSync(file, "latin1");
    } catch {
      continue;
    }
    for (const line of text.split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode] = line.trim().split(/\s+/);
      const listening = "0A"; // TCP_LISTEN
      if (state !== listening || Number.parseInt(local.split(":")[1] ?? "", 16) !== port) continue;
      if (inode !== undefined) inodes.add(inode);
    }
  }
  return inodes;
}

/** Who listens on a port, such as `node (pid 4711)`; null where that cannot be seen. */
export function findListener(port: number): string | null {
  const sockets = new Set([...findListenInodes(port)].map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return process.platform === "darwin" ? findListenerByLsof(port) : null;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        if (!sockets.has(readlinkSync(`/proc/${pid}/fd/${descriptor}`))) continue;
        return `${readFileSync(`/proc/${pid}/comm`, "utf8").trim()} (pid ${pid})`;
      }
    } catch {
      // Somebody else's process, or one that has just ended.
    }
  }
  return null;
}

function findListenerByLsof(port: number): string | null {
  try {
    const { stdout } = Bun.spawnSync(["lsof", "-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"], {
      stderr: "ignore",
    });
    const [, pid, name] = /p(\d+)\nc(.*)/.exec(stdout.toString()) ?? [];
    return pid === undefined ? null : `${name} (pid ${pid})`;
  } catch {
    return null;
  }
}

/**
 * Makes sure that a port can be listened on, by doing it for a moment; 0 picks a free one.
 * @throws {PortInUseError} naming who listens there, {UsageError} when the address is impossible.
 */
export function claimPort(host: string, port: number): number {
  try {
    return listen(host, port);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      const listener = findListener(port);
      throw new PortInUseError(
        `port ${port} on ${host} is in use${listener === null ? "" : ` by ${listener}`}; expected a free port`,
        { hint: "stop what listens there, or leave --port out, which picks a free one", cause },
      );
    }
    throw new UsageError(`cannot listen on ${host}:${port}: ${code ?? (cause as Error).message}`, {
      hint: "use an address of this machine, such as 127.0.0.1, and a port from 1024 to 65535 (or 0)",
      cause,
    });
  }
}
