import type { ProtocolName } from "../process/greeting.ts";
import {
  createKey,
  type Endpoint,
  formatRequest,
  type ResponseHead,
  upgradeHeaders,
} from "../websocket/handshake.ts";

/** Where the WebSocket endpoint is, and what is said there: the contract's messages where nothing else is told. */
export type Target = Pick<Endpoint, "host" | "port" | "path" | "tls"> & { readonly protocol?: ProtocolName };

export type { ResponseHead };

export function request(path: string, headers: Readonly<Record<string, string>>, method = "GET"): Buffer {
  return Buffer.from(formatRequest(path, headers, method), "latin1");
}

/** Header lines to change; undefined leaves one out. */
type Changes = Readonly<Record<string, string | undefined>>;

/** A proper opening handshake but for the changes. */
export function handshakeRequest(target: Target, changes: Changes = {}, path = target.path): Buffer {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...upgradeHeaders(target, createKey()), ...changes }))
    if (value !== undefined) headers[name] = value;
  return request(path, headers);
}

export const isResponse = (answer: object): answer is ResponseHead => "status" in answer;
