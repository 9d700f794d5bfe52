import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  acceptFor,
  createKey,
  type Endpoint,
  hostHeader,
  readUpgradeResponse,
  Upgrades,
  upgradeHeaders,
  upgradeRequest,
} from "./handshake.ts";

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
  expect(upgradeRequest({ host: "127.0.0.1", port: 8080, path: "/ws" }, key).split("\r\n")).toEqual([
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

test.each([
  [{ host: "127.0.0.1", port: 8080 }, "127.0.0.1:8080"],
  [{ host: "::1", port: 8080 }, "[::1]:8080"],
  [{ host: "::1", port: 80 }, "[::1]"],
  [{ host: "chat.example", port: 80 }, "chat.example"],
  [{ host: "chat.example", port: 443 }, "chat.example:443"],
])("the Host header of %j is %s", (endpoint, header) => {
  expect(hostHeader(endpoint)).toBe(header);
});

test("headers of one's own stand beside the handshake's, or in their place whatever their case", () => {
  const endpoint: Endpoint = {
    host: "127.0.0.1",
    port: 8080,
    path: "/ws",
    headers: { Authorization: "Bearer x", host: "chat.example" },
  };
  expect(upgradeHeaders(endpoint, key)).toEqual({
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": key,
    "Sec-WebSocket-Version": "13",
    Authorization: "Bearer x",
    host: "chat.example",
  });
});

test("a good handshake is accepted, and says where the first frame starts", () => {
  const response = read(good, "\x81\x02hi");
  expect(response).toEqual({
    state: "accepted",
    length: `${good.join("\r\n")}\r\n\r\n`.length,
    compression: null,
  });
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
  [503, "http-status", good.with(0, "HTTP/1.1 503 Service Unavailable")],
  [200, "http-status", good.with(0, "HTTP/1.1 200 OK")],
  [null, "no-http-answer", good.with(0, "SSH-2.0-OpenSSH_9.2")],
  [null, "no-http-answer", good.with(0, "HTTP/1.1 1010 What")],
  [101, "missing-upgrade-header", good.toSpliced(1, 1)],
  [101, "missing-upgrade-header", good.with(1, "Upgrade: h2c")],
  [101, "missing-connection-header", good.toSpliced(2, 1)],
  [101, "missing-connection-header", good.with(2, "Connection: close")],
  [101, "wrong-accept-header", good.toSpliced(3, 1)],
  [101, "wrong-accept-header", good.with(3, `Sec-WebSocket-Accept: ${accept.toLowerCase()}`)],
  [101, "wrong-accept-header", [...good, `Sec-WebSocket-Accept: ${accept}`]],
  [101, "unoffered-extension", [...good, "Sec-WebSocket-Extensions: permessage-deflate"]],
  [101, "unoffered-subprotocol", [...good, "Sec-WebSocket-Protocol: chat"]],
  [101, "malformed-header", [...good, "no colon"]],
  [101, "malformed-header", [...good, ": no name"]],
] as const)("refused with status %s: %s (%#)", (status, rule, lines) => {
  expect(read(lines)).toEqual({ state: "refused", status, rule });
});

test("compression is offered only when it is asked for, and its answer is part of the handshake", () => {
  const endpoint = { host: "127.0.0.1", port: 8080, path: "/ws" };
  const compression = { takeover: false };
  expect(upgradeHeaders({ ...endpoint, compression }, key)["Sec-WebSocket-Extensions"]).toBe(
    "permessage-deflate; client_no_context_takeover; server_no_context_takeover",
  );
  expect(upgradeRequest({ ...endpoint, compression: null }, key)).not.toContain("Extensions");

  const answered = (extensions: string) =>
    readUpgradeResponse(
      Buffer.from(`${good.join("\r\n")}\r\nSec-WebSocket-Extensions: ${extensions}\r\n\r\n`),
      key,
      { compression },
    );
  expect(answered("permessage-deflate; server_no_context_takeover")).toMatchObject({
    state: "accepted",
    compression: { server: { takeover: false }, client: { takeover: false } },
  });
  expect(answered("permessage-deflate")).toEqual({
    state: "refused",
    status: 101,
    rule: "server-context-takeover",
  });
  // Two headers are one list, and one of them was offered.
  expect(answered("permessage-deflate\r\nSec-WebSocket-Extensions: permessage-deflate")).toMatchObject({
    rule: "unoffered-extension",
  });
});

test("any part of a handshake is incomplete, and never refused", () => {
  const bytes = Buffer.from(`${good.join("\r\n")}\r\n\r\n`);
  for (let length = 0; length < bytes.length; length += 1) {
    expect(readUpgradeResponse(bytes.subarray(0, length), key)).toEqual({ state: "partial" });
  }
});

test("an answer that never ends is given up after 16 KiB", () => {
  expect(readUpgradeResponse(Buffer.alloc(16_383, 65), key)).toEqual({ state: "partial" });
  expect(readUpgradeResponse(Buffer.alloc(16_384, 65), key)).toEqual({
    state: "refused",
    status: null,
    rule: "endless-handshake",
  });
});

test("no bytes at all make it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      const end = Buffer.from("\r\n\r\n");
      expect(readUpgradeResponse(Buffer.concat([bytes, end]), key).state).not.toBe("accepted");
    }),
  );
});

const endpoint: Endpoint = { host: "127.0.0.1", port: 8080, path: "/ws", headers: { "X-Tenant": "7" } };

function answer(to: string, date = "Sun, 29 Nov 2026 10:00:00 GMT", behind = ""): Buffer {
  const lines = [...good.slice(0, 3), `Sec-WebSocket-Accept: ${acceptFor(to)}`, `Date: ${date}`];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${behind}`, "latin1");
}

test("upgrades over and over ask as a single one does", () => {
  const upgrades = new Upgrades(endpoint);
  for (const one of [createKey(), createKey()]) {
    expect(Buffer.from(upgrades.request(one)).toString()).toBe(upgradeRequest(endpoint, one));
  }
  const own = { ...endpoint, headers: { "sec-websocket-key": "mine" } };
  expect(Buffer.from(new Upgrades(own).request(key)).toString()).toBe(upgradeRequest(own, key));
});

test("what was accepted before makes nothing else acceptable", () => {
  const upgrades = new Upgrades(endpoint);
  const first = upgrades.read(answer(key), key);
  expect(first).toMatchObject({ state: "accepted", compression: null });
  const next = createKey();
  expect(upgrades.read(answer(next, undefined, "behind"), next)).toEqual(first);
  expect(upgrades.read(answer(next, "Sun, 29 Nov 2026 10:00:01 GMT"), next)).toEqual(first);
  const wrong = { state: "refused", status: 101, rule: "wrong-accept-header" } as const;
  expect(upgrades.read(answer(key), next)).toEqual(wrong);
  const part = answer(next);
  expect(upgrades.read(part.subarray(0, part.length - 1), next)).toEqual({ state: "partial" });
  const other = Buffer.from(
    part.toString("latin1").replace("Upgrade: websocket", "Upgrade: websockets"),
    "latin1",
  );
  expect(upgrades.read(other, next)).toEqual(readUpgradeResponse(other, next, endpoint));
});

test("whatever comes, upgrades over and over judge it as a single one does", () => {
  const upgrades = new Upgrades(endpoint);
  upgrades.read(answer(key), key);
  const whole = answer(key, undefined, "\x81\x02hi");
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
      const bytes = Buffer.from(whole);
      bytes[at] = byte;
      expect(upgrades.read(bytes, key)).toEqual(readUpgradeResponse(bytes, key, endpoint));
    }),
  );
});
