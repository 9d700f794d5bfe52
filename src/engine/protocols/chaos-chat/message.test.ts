import { expect, test } from "bun:test";
import fc from "fast-check";
import { echoRoom } from "../protocol.ts";
import { smallestMessageBytes } from "../protocols.ts";
import { MessageReader } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";

const identity = fc.record({
  from: fc.nat({ max: 1_000_000 }),
  seq: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  // A month of a run, and then some.
  at: fc.nat({ max: 9_999_999_999_999 }),
  lagUs: fc.nat({ max: 0x7fffffff }),
});
const room = fc.integer({ min: echoRoom, max: 5000 });
const phase = fc.integer({ min: 1, max: 255 });

/** The unmasked payload of the writer's frame, by RFC 6455 section 5.3. */
function payloadOf(writer: MessageWriter, messageBytes: number): Uint8Array {
  const payload = writer.end - messageBytes;
  const mask = writer.bytes.slice(payload - 4, payload);
  return writer.bytes.slice(payload, writer.end).map((byte, at) => byte ^ (mask[at & 3] ?? Number.NaN));
}

test("what was written is read back, message after message from one writer", () => {
  fc.assert(
    fc.property(
      room,
      phase,
      fc.array(identity, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: smallestMessageBytes(1_000_000, 5001), max: 400 }),
      (roomNumber, phaseNumber, messages, messageBytes) => {
        const writer = new MessageWriter(roomNumber, phaseNumber, messageBytes, 7);
        const reader = new MessageReader(roomNumber, phaseNumber, messageBytes);
        const later = new MessageReader(roomNumber, (phaseNumber % 255) + 1, messageBytes);
        for (const { from, seq, at, lagUs } of messages) {
          writer.write(from, seq, at, lagUs);
          const payload = payloadOf(writer, messageBytes);
          expect(reader.read(payload, 0, payload.length)).toBe(true);
          expect([reader.from, reader.seq, reader.at, reader.lagUs]).toEqual([from, seq, at, lagUs]);
          expect(reader.isLate).toBe(false);
          expect(later.read(payload, 0, payload.length)).toBe(true);
          expect([later.isLate, later.phase, later.seq]).toEqual([true, phaseNumber, seq]);
          expect(JSON.parse(Buffer.from(payload).toString())).toMatchObject({ from: `c${from}`, seq, at });
        }
      },
    ),
  );
});

test("no single changed byte passes", () => {
  fc.assert(
    fc.property(
      room,
      phase,
      identity,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (roomNumber, phaseNumber, m, position, flip) => {
        const messageBytes = smallestMessageBytes(1_000_000, 5001) + 8;
        const writer = new MessageWriter(roomNumber, phaseNumber, messageBytes, 7);
        writer.write(m.from, m.seq, m.at, m.lagUs);
        const payload = payloadOf(writer, messageBytes);
        payload[position % messageBytes] = (payload[position % messageBytes] ?? 0) ^ flip;
        expect(new MessageReader(roomNumber, phaseNumber, messageBytes).read(payload, 0, messageBytes)).toBe(
          false,
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test("bytes that are no message are refused without reading past their end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 150 }), (bytes) => {
      expect(new MessageReader(0, 1, 120).read(bytes, 0, bytes.length)).toBe(false);
    }),
  );
});

test("masks are never zero and differ from message to message", () => {
  const writer = new MessageWriter(echoRoom, 1, 120, 0);
  const masks = Array.from({ length: 1000 }, (_, index) => {
    writer.write(1, index + 1, 5, 0);
    return Buffer.from(writer.bytes.buffer).readUInt32LE(writer.end - 124);
  });
  expect(new Set(masks).size).toBe(1000);
  expect(masks).not.toContain(0);
});
