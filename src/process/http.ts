import { type IncomingMessage, request } from "node:http";
import { request as requestSecurely } from "node:https";
import { bunTls, sniOf, type Tls } from "./tls.ts";

/** A server's whole answer to a GET. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly body: string;
}

interface GetOptions {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly timeoutMs: number;
  /** Absent or null for plain HTTP. */
  readonly tls?: Tls | null;
  /** Asked from here; from anywhere when absent. */
  readonly localAddress?: string | undefined;
}

const maxBytes = 64 * 1024;

/**
 * A GET on a connection of its own. Never `fetch`, which would send it through the user's HTTP_PROXY.
 *
 * @throws {Error} with the system's `code`, or because it took too long or sent more than 64 KiB
 */
export function get({ timeoutMs, localAddress, tls = null, ...where }: GetOptions): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const from = localAddress === undefined ? {} : { localAddress };
  // No agent: a connection kept open would be one more in the server's own count.
  const options = { ...where, agent: false, ...from };
  const take = (response: IncomingMessage): void => {
    let body = "";
    response.setEncoding("utf8");
    response.on("data", (chunk: string) => {
      body += chunk;
      if (body.length > maxBytes) reject(new Error(`more than ${maxBytes} bytes came`));
    });
    const { statusCode: status = 0, headers } = response;
    response.on("end", () => resolve({ status, contentType: headers["content-type"] ?? null, body }));
    response.on("error", reject);
    response.on("close", () => reject(new Error("the connection ended before the answer did")));
  };
  const sent =
    tls === null
      ? request(options, take)
      : requestSecurely({ ...options, ...bunTls(tls), servername: sniOf(tls) ?? "" }, take);
  sent.on("error", reject);
  const timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  sent.end();
  return promise.finally(() => {
    clearTimeout(timer);
    sent.destroy();
  });
}
