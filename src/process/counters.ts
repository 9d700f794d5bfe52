import { z } from "zod";
import { get } from "./http.ts";
import type { Tls } from "./tls.ts";

const counter = z.int().nonnegative();
const statsSchema = z.object({
  connections: counter,
  received: counter,
  sent: counter,
  dropped: counter,
  /** Of its garbage collector, since it began; absent where there is none, or where the runtime doesn't tell. */
  majorCollections: counter.exactOptional(),
  /** Time that its garbage collector has taken, in ms; absent as above. */
  collectorMs: counter.exactOptional(),
});

/** What a server says of itself at `GET /stats`; all but `connections` only grow. */
export type ServerStats = z.infer<typeof statsSchema>;

/** What `GET /stats` answered; null where it is not what the contract says. */
export function parseStats(body: string): ServerStats | null {
  try {
    return statsSchema.parse(JSON.parse(body));
  } catch {
    return null;
  }
}

/**
 * Asked from an address of its own: the workers bind the ports they connect from, and with tens of thousands
 * bound the system finds none for a connect that names no address (Linux; elsewhere there is only one).
 */
const sourceAddress = "127.255.255.254";

/** Asks a server for its counters. Null when it does not answer in time, or not what the contract says. */
export async function readStats(
  host: string,
  port: number,
  timeoutMs = 1000,
  tls: Tls | null = null,
): Promise<ServerStats | null> {
  const where = { host, port, path: "/stats", timeoutMs, tls };
  const isLoopback = process.platform === "linux" && host.startsWith("127.");
  try {
    const { status, body } = await get(isLoopback ? { ...where, localAddress: sourceAddress } : where).catch(
      (error: NodeJS.ErrnoException) => {
        // A loopback of one address, as in some containers, is asked from that.
        if (error.code !== "EADDRNOTAVAIL" || !isLoopback) throw error;
        return get(where);
      },
    );
    return status === 200 ? parseStats(body) : null;
  } catch {
    return null;
  }
}
