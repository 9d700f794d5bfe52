import type { Tls } from "../process/tls.ts";
import {
  type Compression,
  type CompressionOffer,
  type ExtensionRule,
  formatOffer,
  readAgreement,
} from "./compression/agreement.ts";

/** RFC 6455 section 1.3. */
const acceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** SHA-1 in base64. */
const acceptLength = 28;
/** More than any server needs; past it the answer is not a handshake. */
const maxResponseBytes = 16_384;

/** Where a WebSocket is asked for, and with what. */
export interface Endpoint {
  /** A name or an address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Absent or null for plain TCP. */
  readonly tls?: Tls | null;
  /** In place of or beside the handshake's own. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Offered, and one of them has to be chosen; none where absent. */
  readonly subprotocols?: readonly string[];
  /** Null or absent: none is asked for. */
  readonly compression?: CompressionOffer | null;
}

const keyBytes = 16;
/** Random bytes are asked for so many keys at once: the system call takes as long as all else of a key. */
const random = Buffer.alloc(256 * keyBytes);
let randomAt = random.length;

/** A random `Sec-WebSocket-Key` (RFC 6455 section 4.1, item 7). */
export function createKey(): string {
  if (randomAt === random.length) {
    crypto.getRandomValues(random);
    randomAt = 0;
  }
  randomAt += keyBytes;
  return random.toString("base64", randomAt - keyBytes, randomAt);
}

/** The `Sec-WebSocket-Accept` that belongs to `key` (RFC 6455 section 4.2.2, item 5.4). */
export function acceptFor(key: string): string {
  return Bun.SHA1.hash(key + acceptGuid, "base64");
}

/** `host:port` as it stands in URLs and the Host header: IPv6 in brackets (RFC 3986 section 3.2.2). */
export function authority(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** The Host header: the port only where it isn't HTTP's own, or HTTPS's (RFC 9110 section 7.2). */
export function hostHeader({ host, port, tls = null }: Omit<Endpoint, "path">): string {
  const whole = authority(host, port);
  return port === (tls === null ? 80 : 443) ? whole.slice(0, whole.lastIndexOf(":")) : whole;
}

/** The headers of an opening handshake (RFC 6455 section 4.1), by their usual names. */
export function upgradeHeaders(endpoint: Endpoint, key: string): Record<string, string> {
  const { headers = {}, subprotocols = [], compression = null } = endpoint;
  const own: Record<string, string> = {
    Host: hostHeader(endpoint),
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": "13",
    ...(subprotocols.length === 0 ? {} : { "Sec-WebSocket-Protocol": subprotocols.join(", ") }),
    ...(compression === null ? {} : { "Sec-WebSocket-Extensions": formatOffer(compression) }),
  };
  const replaced = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const kept = Object.entries(own).filter(([name]) => !replaced.has(name.toLowerCase()));
  return { ...Object.fromEntries(kept), ...headers };
}

/** A request without a body. */
export function formatRequest(
  path: string,
  headers: Readonly<Record<string, string>>,
  method = "GET",
): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`;
}

export function upgradeRequest(endpoint: Endpoint, key: string): string {
  return formatRequest(endpoint.path, upgradeHeaders(endpoint, key));
}

/** Upgrades of one endpoint, over and over: what differs from one to the next is written and compared, nothing else. */
export class Upgrades {
  readonly #endpoint: Endpoint;
  /** A request, but for its key. */
  readonly #request: Buffer;
  /** Where the key stands; -1 where a header of the endpoint's own has taken its place. */
  readonly #keyAt: number;
  /** The last answer that was accepted: what stands before and behind its `Sec-WebSocket-Accept`. */
  #before = "";
  #behind = "";
  #accepted: UpgradeResponse | null = null;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
    const key = createKey();
    const request = upgradeRequest(endpoint, key);
    this.#request = Buffer.from(request);
    this.#keyAt = this.#request.indexOf(key);
  }

  /** The request with this key; valid until the next. */
  request(key: string): Uint8Array {
    if (this.#keyAt >= 0) this.#request.write(key, this.#keyAt, "latin1");
    return this.#request;
  }

  /** As `readUpgradeResponse`. */
  read(bytes: Uint8Array, key: string): UpgradeResponse {
    const accepted = this.#accepted;
    const length = this.#before.length + acceptLength + this.#behind.length;
    // Servers answer one like the other. Bytes behind the head are none of it.
    if (accepted !== null && bytes.length >= length) {
      const head = Buffer.from(bytes.buffer, bytes.byteOffset, length).toString("latin1");
      if (
        head.startsWith(this.#before) &&
        head.endsWith(this.#behind) &&
        head.startsWith(acceptFor(key), this.#before.length)
      ) {
        return accepted;
      }
    }
    const response = readUpgradeResponse(bytes, key, this.#endpoint);
    if (response.state === "accepted") this.#keep(bytes, key, response);
    return response;
  }

  #keep(bytes: Uint8Array, key: string, response: Extract<UpgradeResponse, { state: "accepted" }>): void {
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, response.length).toString("latin1");
    const at = head.indexOf(acceptFor(key));
    if (at < 0) return;
    this.#before = head.slice(0, at);
    this.#behind = head.slice(at + acceptLength);
    this.#accepted = response;
  }
}

/** A server's answer, as far as its head. */
export interface ResponseHead {
  /** Null when it is no HTTP/1.1. */
  readonly status: number | null;
  /** Names in lower case; a repeated header is joined by ", ". */
  readonly headers: ReadonlyMap<string, string>;
  /** Whether a line was none of `name: value`. */
  readonly hasMalformedLine: boolean;
}

/** @param head without the empty line at its end */
export function parseHead(head: string): ResponseHead {
  const [statusLine = "", ...lines] = head.split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1];
  const headers = new Map<string, string>();
  let hasMalformedLine = false;
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) {
      hasMalformedLine = true;
      continue;
    }
    const name = line.slice(0, colon).trim().toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  return { status: status === undefined ? null : Number(status), headers, hasMalformedLine };
}

/** What of RFC 6455 section 4.1 or RFC 7692 section 7.1 an answer broke. */
type HandshakeRule =
  | "endless-handshake"
  | "no-http-answer"
  | "http-status"
  | "malformed-header"
  | "missing-upgrade-header"
  | "missing-connection-header"
  | "wrong-accept-header"
  | ExtensionRule
  | "unoffered-subprotocol"
  | "no-subprotocol-chosen";

type UpgradeResponse =
  /** More bytes are needed. */
  | { readonly state: "partial" }
  /** `length`: where the first frame starts. `compression`: null where none was agreed to. */
  | { readonly state: "accepted"; readonly length: number; readonly compression: Compression | null }
  | { readonly state: "refused"; readonly status: number | null; readonly rule: HandshakeRule };

const partial: UpgradeResponse = { state: "partial" };

/**
 * Checks a server's handshake (RFC 6455 section 4.1, "the client MUST validate the server's response").
 *
 * @param asked what the upgrade offered
 */
export function readUpgradeResponse(
  bytes: Uint8Array,
  key: string,
  { subprotocols = [], compression: offer = null }: Pick<Endpoint, "subprotocols" | "compression"> = {},
): UpgradeResponse {
  const text = Buffer.from(bytes.subarray(0, maxResponseBytes)).toString("latin1");
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return bytes.length < maxResponseBytes ? partial : refused(null, "endless-handshake");
  const { status, headers, hasMalformedLine } = parseHead(text.slice(0, end));
  if (status === null) return refused(null, "no-http-answer");
  if (status !== 101) return refused(status, "http-status");
  if (hasMalformedLine) return refused(status, "malformed-header");
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return refused(status, "missing-upgrade-header");
  const tokens = (headers.get("connection") ?? "").toLowerCase().split(/\s*,\s*/);
  if (!tokens.includes("upgrade")) return refused(status, "missing-connection-header");
  if (headers.get("sec-websocket-accept") !== acceptFor(key)) return refused(status, "wrong-accept-header");
  const extensions = headers.get("sec-websocket-extensions");
  const compression = extensions === undefined ? null : readAgreement(extensions, offer);
  if (typeof compression === "string") return refused(status, compression);
  const chosen = headers.get("sec-websocket-protocol");
  if (chosen !== undefined && !subprotocols.includes(chosen)) return refused(status, "unoffered-subprotocol");
  // As browsers have it (WHATWG WebSockets, "establish a WebSocket connection").
  if (chosen === undefined && subprotocols.length > 0) return refused(status, "no-subprotocol-chosen");
  return { state: "accepted", length: end + 4, compression };
}

function refused(status: number | null, rule: HandshakeRule): UpgradeResponse {
  return { state: "refused", status, rule };
}
