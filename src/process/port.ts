import { ShowdownError } from "../errors.ts";
import { readPortRange } from "../machine/environment.ts";
import { printable } from "../text/printable.ts";
import { findListeners } from "./listener.ts";

function listen(host: string, port: number): number {
  const listener = Bun.listen({ hostname: host, port, socket: { data() {} } });
  const taken = listener.port;
  listener.stop(true);
  return taken;
}

/** Services of a machine listen below it, more often than not. */
const firstPort = 20_000;
const fewestPorts = 1000;
const tries = 50;

/**
 * One that the system gives nobody on its own, below those for outgoing connections and for port 0: a server may take
 * seconds until it listens, and somebody else would have it by then.
 */
function pickPort(host: string): number {
  const ports = (readPortRange()?.[0] ?? 0) - firstPort;
  for (let left = ports < fewestPorts ? 0 : tries; left > 0; left -= 1) {
    try {
      return listen(host, firstPort + Math.floor(Math.random() * ports));
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EADDRINUSE") throw cause;
    }
  }
  return listen(host, 0);
}

/** Who listens on a port, such as `node (pid 4711)`; null where that cannot be seen. */
export function findListener(port: number): string | null {
  const [first] = findListeners(port);
  return first === undefined ? null : `${printable(first.name)} (pid ${first.pid})`;
}

/**
 * Makes sure that a port can be listened on, by doing it for a moment; 0 picks a free one.
 * @throws {ShowdownError} `portInUse` naming who listens there, {ShowdownError} `usage` when the address is impossible.
 */
export function claimPort(host: string, port: number): number {
  try {
    return port === 0 ? pickPort(host) : listen(host, port);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === "EADDRINUSE") {
      const listener = findListener(port);
      throw new ShowdownError(
        "portInUse",
        `port ${port} on ${host} is in use${listener === null ? "" : ` by ${listener}`}; expected a free port`,
        { hint: "stop what listens there, or leave --port out, which picks a free one", cause },
      );
    }
    throw new ShowdownError(
      "usage",
      `cannot listen on ${host}:${port}: ${code ?? (cause as Error).message}`,
      {
        hint: "use an address of this machine, such as 127.0.0.1, and a port from 1024 to 65535 (or 0)",
        cause,
      },
    );
  }
}
