import { request } from "node:http";
import { z } from "zod";

const counter = z.int().nonnegative();
const statsSchema = z.object({
  connections: counter,
  received: counter,
  sent: counter,
  dropped: counter,
});

/** What a server says of itself at `GET /stats`; all but `connections` only grow. */
export type ServerStats = z.infer<typeof statsSchema>;

const maxBytes = 64 * 1024;

/**
 * Asked from an address of its own: the workers bind the ports they connect from, and with tens of thousands
 * bound the system finds none for a connect that names no address (Linux; elsewhere there is only one).
 */
const source = process.platform === "linux" ? { localAddress: "127.255.255.254" } : {};

/** The body of a GET, or null when it fails. Not `fetch`, which would send it through a proxy of the user's. */
function get(host: string, port: number, path: string, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve) => {
    // No agent: a connection kept open would be one more in the server's own count of descriptors.
    const sent = request(
      { host, port, path, agent: false, ...(host.startsWith("127.") ? source : {}) },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          body += chunk;
          if (body.length > maxBytes) response.destroy();
        });
        response.on("end", () => finish(response.statusCode === 200 ? body : null));
        response.on("error", () => finish(null));
        response.on("close", () => finish(null));
      },
    );
    const timer = setTimeout(() => finish(null), timeoutMs);
    const finish = (body: string | null) => {
      clearTimeout(timer);
      sent.destroy();
      resolve(body);
    };
    sent.on("error", () => finish(null));
    sent.end();
  });
}

/** Asks a server for its counters. Null when it does not answer in time, or not what the contract says. */
export async function readStats(host: string, port: number, timeoutMs = 1000): Promise<ServerStats | null> {
  const body = await get(host, port, "/stats", timeoutMs);
  if (body === null) return null;
  try {
    return statsSchema.parse(JSON.parse(body));
  } catch {
    return null;
  }
}
