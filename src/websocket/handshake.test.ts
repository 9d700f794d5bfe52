import { expect, test } from "bun:test";
import fc from "fast-check";
import { acceptFor, createKey, readUpgradeResponse, upgradeRequest } from "./handshake.ts";

/** The example of RFC 6455 section 1.3. */
const key = "dGhlIHNhbXBsZSBub25jZQ==";
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const good = [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Accept: ${accept}`,
];

function read(lines: readonly string[], behind = "") {
  return readUpgradeResponse(Buffer.from(`${lines.join("\r\n")}\r\n\r\n${behind}`, "latin1"), key);
}

test("the accept value is that of the RFC's example", () => {
  expect(acceptFor(key)).toBe(accept);
});

test("keys are 16 bytes in base64, and no two are equal", () => {
  const keys = Array.from({ length: 100 }, createKey);
  expect(new Set(keys).size).toBe(100);
  for (const one of keys) expect(Buffer.from(one, "base64")).toHaveLength(16);
});

test("the request holds what RFC 6455 section 4.1 asks for", () => {
  expect(upgradeRequest("127.0.0.1", 8080, "/ws", key).split("\r\n")).toEqual([
    "GET /ws HTTP/1.1",
    "Host: 127.0.0.1:8080",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    "",
    "",
  ]);
});

test("a good handshake is accepted, and says where the first frame starts", () => {
  const response = read(good, "\x81\x02hi");
  expect(response).toEqual({ state: "accepted", length: `${good.join("\r\n")}\r\n\r\n`.length });
});

test.each([
  [
    "names and tokens in any case",
    good.map((line, at) => (at === 0 || at === 3 ? line : line.toUpperCase())),
  ],
  ["Upgrade as one of several tokens", good.with(2, "Connection: keep-alive, Upgrade")],
  ["Connection in two headers", [...good.with(2, "Connection: keep-alive"), "connection: upgrade"]],
  ["no reason phrase", good.with(0, "HTTP/1.1 101 ")],
  ["headers nobody asked for", [...good, "Server: x", "Date: now"]],
])("%s are accepted", (_, lines) => {
  expect(read(lines).state).toBe("accepted");
});

test.each([
  ["HTTP 503", good.with(0, "HTTP/1.1 503 Service Unavailable")],
  ["HTTP 200", good.with(0, "HTTP/1.1 200 OK")],
  ["no HTTP answer", good.with(0, "SSH-2.0-OpenSSH_9.2")],
  ["no HTTP answer", good.with(0, "HTTP/1.1 1010 What")],
  ["no Upgrade: websocket", good.toSpliced(1, 1)],
  ["no Upgrade: websocket", good.with(1, "Upgrade: h2c")],
  ["no Connection: Upgrade", good.toSpliced(2, 1)],
  ["no Connection: Upgrade", good.with(2, "Connection: close")],
  ["wrong Sec-WebSocket-Accept", good.toSpliced(3, 1)],
  ["wrong Sec-WebSocket-Accept", good.with(3, `Sec-WebSocket-Accept: ${accept.toLowerCase()}`)],
  ["wrong Sec-WebSocket-Accept", [...good, `Sec-WebSocket-Accept: ${accept}`]],
  ["an extension nobody offered", [...good, "Sec-WebSocket-Extensions: permessage-deflate"]],
  ["a subprotocol nobody offered", [...good, "Sec-WebSocket-Protocol: chat"]],
  ["malformed header", [...good, "no colon"]],
  ["malformed header", [...good, ": no name"]],
])("refused: %s (%#)", (reason, lines) => {
  expect(read(lines)).toEqual({ state: "refused", reason });
});

test("any part of a handshake is incomplete, and never refused", () => {
  const bytes = Buffer.from(`${good.join("\r\n")}\r\n\r\n`);
  for (let length = 0; length < bytes.length; length += 1) {
    expect(readUpgradeResponse(bytes.subarray(0, length), key)).toEqual({ state: "partial" });
  }
});

test("an answer that never ends is given up after 16 KiB", () => {
  const reason = "handshake without an end";
  expect(readUpgradeResponse(Buffer.alloc(16_383, 65), key)).toEqual({ state: "partial" });
  expect(readUpgradeResponse(Buffer.alloc(16_384, 65), key)).toEqual({ state: "refused", reason });
});

test("no bytes at all make it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const end = Buffer.from("\r\n\r\n");
      expect(readUpgradeResponse(Buffer.concat([bytes, end]), key).state).not.toBe("accepted");
    }),
  );
});
