import { createHash, randomBytes } from "node:crypto";

export interface Target {
  readonly host: string;
  readonly port: number;
  /** Of the WebSocket endpoint, such as `/ws`. */
  readonly path: string;
}

/** A server's answer to an HTTP request, as far as its head. */
export interface Response {
  readonly status: number;
  /** Names in lower case; a repeated header is joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
}

/** RFC 6455 4.2.2, step 5.4. */
export function acceptKey(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

export const randomKey = (): string => randomBytes(16).toString("base64");

/** The header lines of a proper opening handshake, RFC 6455 4.1, to be changed and left out at will. */
export function upgradeHeaders(target: Target, key: string): Record<string, string> {
  return {
    Host: `${target.host}:${target.port}`,
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": "13",
  };
}

export function request(path: string, headers: Readonly<Record<string, string>>, method = "GET"): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`, "latin1");
}

/** Header lines to change; undefined leaves one out. */
type Changes = Readonly<Record<string, string | undefined>>;

/** A proper opening handshake but for the changes. */
export function handshakeRequest(target: Target, changes: Changes = {}, path = target.path): Buffer {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...upgradeHeaders(target, randomKey()), ...changes }))
    if (value !== undefined) headers[name] = value;
  return request(path, headers);
}

/** The head of an answer; a status of 0 for what is no HTTP. */
export function parseHead(head: string): Response {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 0), headers };
}
