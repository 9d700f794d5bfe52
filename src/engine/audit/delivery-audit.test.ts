import { expect, test } from "bun:test";
import { ChaosChat } from "../protocols/chaos-chat/chaos-chat.ts";
import { echoRoom } from "../protocols/protocol.ts";
import { plainTarget } from "../target.ts";
import type { PhaseOrder, WorkerSetup } from "../worker-protocol.ts";
import { DeliveryAudit } from "./delivery-audit.ts";

const messageBytes = 150;
const lobby = { first: 0, count: 1 };
const joins = [lobby, { first: 1, count: 2 }];
const protocol = new ChaosChat({ joins, messageBytes, seed: 1 });
const phase = 7;
const encoder = new TextEncoder();

function createAudit(workload: "echo" | "broadcast" | "rooms", framing: "single" | "newline" = "single") {
  const setup: WorkerSetup = {
    worker: 0,
    workers: 1,
    machines: 1,
    connections: 4,
    joins,
    target: plainTarget("127.0.0.1", 1, "/ws"),
    sourceAddresses: [],
    messageBytes,
    framing,
    seed: 1,
    epochUs: 0,
    cpus: null,
    pacing: "timer",
    protocol: "chaos-chat",
    connectTimeoutMs: 1000,
  };
  const rooms = {
    broadcast: { group: lobby, sends: 9, senders: [[0, 1]], members: [4] },
    rooms: { group: joins[1] ?? lobby, sends: 9, senders: [[0], [1]], members: [2, 2] },
    echo: null,
  };
  const order: PhaseOrder = {
    phase,
    workload,
    pattern: { kind: "burst", batch: 1 },
    echoSends: 1,
    rooms: rooms[workload],
  };
  const delivered: string[] = [];
  const audit = new DeliveryAudit({
    setup,
    order,
    protocol,
    places: 4,
    deliver: (place, slot, { from, seq }) => delivered.push(`${from}:${seq} at ${place} from slot ${slot}`),
  });
  const read = (bytes: Uint8Array, { to = 0, isText = true } = {}) =>
    audit.read(to, to, bytes, 0, bytes.length, isText);
  const counts = () => {
    const { frames: _, ...all } = audit.report();
    return Object.fromEntries(Object.entries(all).filter(([, count]) => count !== 0 && count !== null));
  };
  return { audit, delivered, read, counts };
}

/** A message as a server hands it on: unmasked, without its frame. */
function message({ room = 0, of = phase, from = 0, seq = 1 }): Uint8Array {
  const writer = protocol.createEncoder(room, of);
  writer.write(from, seq, 5_000_000, 3);
  const payload = writer.end - messageBytes;
  const mask = writer.bytes.slice(payload - 4, payload);
  return writer.bytes.slice(payload, writer.end).map((byte, at) => byte ^ (mask[at & 3] ?? 0));
}

const changed = (bytes: Uint8Array) => bytes.with(120, (bytes[120] ?? 0) ^ 1);
const text = (value: string) => encoder.encode(value);
const joined = (...parts: readonly (Uint8Array | string)[]) =>
  Uint8Array.from(
    Buffer.concat(parts.map((part) => (typeof part === "string" ? text(part) : Buffer.from(part)))),
  );

test("what is due is delivered to its stream", () => {
  const { delivered, read, counts } = createAudit("broadcast");
  read(message({ from: 0, seq: 1 }));
  read(message({ from: 1, seq: 1 }), { to: 3 });
  read(message({ from: 1, seq: 2 }), { to: 3 });
  expect(delivered).toEqual(["0:1 at 0 from slot 0", "1:1 at 3 from slot 1", "1:2 at 3 from slot 1"]);
  expect(counts()).toEqual({});
});

test.each([
  ["echo", echoRoom],
  ["broadcast", 0],
  ["rooms", 1],
  ["rooms", 2],
] as const)("an intact %s of another phase is late, whatever the phase is about", (_, room) => {
  for (const workload of ["echo", "broadcast", "rooms"] as const) {
    for (const of of [6, 8, 255]) {
      const { delivered, read, counts } = createAudit(workload);
      read(message({ room, of, from: 0 }));
      read(message({ room, of, from: 0 }), { isText: false });
      expect({ workload, delivered, counts: counts() }).toEqual({
        workload,
        delivered: [],
        counts: { late: 2 },
      });
    }
  }
});

test("sequence numbers begin anew: the same one of the phase before is no duplicate, and counts for none", () => {
  const { delivered, read, counts } = createAudit("echo");
  read(message({ room: echoRoom, of: phase - 1, seq: 1 }));
  read(message({ room: echoRoom, seq: 1 }));
  read(message({ room: echoRoom, of: phase - 1, seq: 2 }));
  read(message({ room: echoRoom, seq: 2 }));
  expect(delivered).toHaveLength(2);
  expect(counts()).toEqual({ late: 2 });
});

test.each([
  ["a changed byte of this phase", changed(message({})), {}, { corrupted: 1 }],
  ["a changed byte of another workload", changed(message({ room: echoRoom })), {}, { corrupted: 1 }],
  ["an echo in a phase of rooms", message({ room: echoRoom }), {}, { misrouted: 1 }],
  ["somebody else's sender", message({ from: 3 }), {}, { misrouted: 1 }],
  ["binary", message({}), { isText: false }, { binary: 1 }],
  ["binary and changed", changed(message({})), { isText: false }, { corrupted: 1 }],
  ["a room that nobody has joined", text('{"type":"say","room":"r99"}'), {}, { corrupted: 1 }],
  [
    "an error reply",
    text('{"type":"error","reason":"no"}'),
    {},
    { errorReplies: 1, firstErrorReply: '{"type":"error","reason":"no"}' },
  ],
  ["something else", text("hello"), {}, { malformed: 1 }],
  ["a message and a newline", joined(message({}), "\n"), {}, { corrupted: 1 }],
  ["a newline and a message", joined("\n", message({})), {}, { corrupted: 1 }],
] as const)("%s is no delivery", (_, bytes, how, expected) => {
  const { audit, delivered, read, counts } = createAudit("broadcast");
  read(bytes, how);
  expect(delivered).toEqual([]);
  expect(counts()).toEqual(expected);
  expect(audit.errors).toBe(1);
});

test("several messages in one frame are a finding where the manifest says one, and are delivered", () => {
  const { delivered, read, counts } = createAudit("broadcast", "single");
  read(joined(message({ seq: 1 }), "\n", message({ seq: 2 })));
  expect(delivered).toHaveLength(2);
  expect(counts()).toEqual({ undeclaredBatches: 1 });
});

test("newlines separate messages: one behind the last is an empty message too many", () => {
  const { delivered, read, counts } = createAudit("broadcast", "newline");
  read(joined(message({ seq: 1 }), "\n", message({ seq: 2 })));
  expect(counts()).toEqual({});
  read(joined(message({ seq: 3 }), "\n"));
  read(joined(message({ seq: 4 }), "\n", message({ seq: 5 }), "\n"));
  expect(delivered).toHaveLength(5);
  expect(counts()).toEqual({ malformed: 2 });
});

test("an arrival is one thing: everything that is read is counted once", () => {
  const { audit, delivered, read, counts } = createAudit("broadcast");
  read(message({ seq: 2 }));
  read(message({ seq: 1 }));
  read(message({ seq: 1 }));
  expect(delivered).toHaveLength(2);
  expect(counts()).toEqual({ reordered: 1, duplicated: 1 });
  expect(audit.errors).toBe(1);
});
