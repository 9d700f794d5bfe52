/** RFC 6455 section 1.3. */
const acceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** More than any server needs; past it the answer is not a handshake. */
const maxResponseBytes = 16_384;

/** A random `Sec-WebSocket-Key` (RFC 6455 section 4.1, item 7). */
export function createKey(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64");
}

/** The `Sec-WebSocket-Accept` that belongs to `key` (RFC 6455 section 4.2.2, item 5.4). */
export function acceptFor(key: string): string {
  return new Bun.CryptoHasher("sha1").update(key + acceptGuid).digest("base64");
}

export function upgradeRequest(host: string, port: number, path: string, key: string): string {
  return (
    `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`
  );
}

export type UpgradeResponse =
  /** More bytes are needed. */
  | { readonly state: "partial" }
  /** `length`: where the first frame starts. */
  | { readonly state: "accepted"; readonly length: number }
  | { readonly state: "refused"; readonly reason: string };

const partial: UpgradeResponse = { state: "partial" };

/** Checks a server's handshake (RFC 6455 section 4.1, "the client MUST validate the server's response"). */
export function readUpgradeResponse(bytes: Uint8Array, key: string): UpgradeResponse {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, maxResponseBytes)).toString(
    "latin1",
  );
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) {
    return bytes.length >= maxResponseBytes ? refused("handshake without an end") : partial;
  }
  const [statusLine = "", ...lines] = text.slice(0, end).split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) return refused("no HTTP answer");
  if (status !== "101") return refused(`HTTP ${status}`);

  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) return refused("malformed header");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value);
  }
  if (headers.get("upgrade")?.toLowerCase() !== "websocket") return refused("no Upgrade: websocket");
  const tokens =
    headers
      .get("connection")
      ?.toLowerCase()
      .split(/\s*,\s*/) ?? [];
  if (!tokens.includes("upgrade")) return refused("no Connection: Upgrade");
  if (headers.get("sec-websocket-accept") !== acceptFor(key)) return refused("wrong Sec-WebSocket-Accept");
  if (headers.has("sec-websocket-extensions")) return refused("an extension nobody offered");
  if (headers.has("sec-websocket-protocol")) return refused("a subprotocol nobody offered");
  return { state: "accepted", length: end + 4 };
}

function refused(reason: string): UpgradeResponse {
  return { state: "refused", reason };
}
