import { expect, test } from "bun:test";
import { echoRoom } from "../protocol.ts";
import { smallestMessageBytes } from "../protocols.ts";
import { Phoenix } from "./phoenix.ts";

const messageBytes = 140;
const protocol = new Phoenix({
  joins: [
    { first: 0, count: 1 },
    { first: 1, count: 3 },
  ],
  messageBytes,
  seed: 5,
});
const bytesOf = (text: string) => new TextEncoder().encode(text);
/** What a server of the protocol sees of a push. */
type Push = [joinRef: string, ref: string, topic: string, event: string, payload: Record<string, unknown>];

/** The text of the frame that an encoder wrote, unmasked by RFC 6455 section 5.3. */
function push(room: number, phase: number, from: number, seq: number): string {
  const encoder = protocol.createEncoder(room, phase);
  encoder.write(from, seq, 123_456, 7);
  const start = encoder.end - messageBytes;
  const mask = encoder.bytes.slice(start - 4, start);
  const payload = encoder.bytes.slice(start, encoder.end).map((byte, at) => byte ^ (mask[at & 3] ?? 0));
  return new TextDecoder().decode(payload);
}

/** As Phoenix 1.8 answers on OTP 27, where the payload's keys come back sorted. */
function sorted(payload: Push[4]): Push[4] {
  return Object.fromEntries(Object.entries(payload).sort(([a], [b]) => (a < b ? -1 : 1)));
}
function broadcastOf(text: string): string {
  const [, , topic, event, payload] = JSON.parse(text) as Push;
  return JSON.stringify([null, null, topic, event, sorted(payload)]);
}
function replyOf(text: string, isStatusFirst = true): string {
  const [joinRef, ref, topic, , payload] = JSON.parse(text) as Push;
  const response = sorted(payload);
  const reply = isStatusFirst ? { status: "ok", response } : { response, status: "ok" };
  return JSON.stringify([joinRef, ref, topic, "phx_reply", reply]);
}

test("every connection joins the lobby, then its rooms, and takes nothing but ok for an answer", () => {
  const dialogue = protocol.createDialogue(4);
  const reply = (topic: string, status: string) =>
    JSON.stringify(["11", "11", topic, "phx_reply", { status, response: {} }]);
  expect(dialogue.say()).toBe('["11","11","room:lobby","phx_join",{}]');
  expect(dialogue.hear(reply("room:lobby", "ok"))).toBe(true);
  expect(dialogue.say()).toBe('["11","11","room:r2","phx_join",{}]');
  expect(dialogue.hear(reply("room:r2", "ok"))).toBe(true);
  expect(dialogue.say()).toBeNull();
  for (const answer of [reply("room:lobby", "error"), reply("room:r9", "ok"), "null", "{", "[]"])
    expect(protocol.createDialogue(0).hear(answer)).toBe(false);
});

test("what is said comes back in a broadcast, and an echo in a reply, whatever the order of its keys", () => {
  const said = push(2, 9, 31, 4);
  expect(said).toStartWith('["11","22","room:r2","say",{"from":"c31","seq":4,"us":123456,"what":"');
  expect(said).toHaveLength(messageBytes);
  const echoed = push(echoRoom, 9, 31, 4);
  expect(echoed).toStartWith('["11","22","room:lobby","echo",{"from":"c31"');
  for (const [room, arrived] of [
    [2, broadcastOf(said)],
    [echoRoom, replyOf(echoed)],
    [echoRoom, replyOf(echoed, false)],
  ] as const) {
    const decoder = protocol.createDecoder(room, 9);
    const bytes = bytesOf(arrived);
    expect(bytes.length).toBe(decoder.messageBytes);
    expect(decoder.read(bytes, 0, bytes.length)).toBe(true);
    const { from, seq, at, lagUs, isLate } = decoder;
    expect({ from, seq, at, lagUs, isLate }).toEqual({
      from: 31,
      seq: 4,
      at: 123_456,
      lagUs: 7,
      isLate: false,
    });
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.with(at, (bytes[at] as number) ^ 1);
      expect(decoder.read(changed, 0, changed.length)).toBe(false);
    }
  }
});

test("what is no delivery where it arrived is told apart", () => {
  const other = (text: string) => protocol.decodeOther(bytesOf(text), 0, bytesOf(text).length);
  expect(other(broadcastOf(push(3, 8, 1, 1)))).toEqual({ kind: "message", phase: 8 });
  expect(other(replyOf(push(echoRoom, 8, 1, 1)))).toEqual({ kind: "message", phase: 8 });
  expect(other(broadcastOf(push(3, 8, 1, 1)).replace('"seq":1', '"seq":2'))).toEqual({ kind: "corrupted" });
  expect(other(broadcastOf(push(3, 8, 1, 1)).replace("room:r3", "room:r9"))).toEqual({ kind: "corrupted" });
  const crashed = '["11","11","room:lobby","phx_error",{}]';
  expect(other(crashed)).toEqual({ kind: "error-reply", text: crashed });
  const unmatched =
    '[null,"22","room:r1","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]';
  expect(other(unmatched)).toEqual({ kind: "error-reply", text: unmatched });
  for (const text of ["", "null", "{}", "[1]", '[null,null,"phoenix","presence",null]'])
    expect(other(text)).toEqual({ kind: "unknown" });
});

test("the smallest message holds the largest numbers in both protocols", () => {
  const least = smallestMessageBytes(1_000_000, 5000);
  const small = new Phoenix({ joins: [{ first: 0, count: 1 }], messageBytes: least, seed: 1 });
  const encoder = small.createEncoder(0, 255);
  encoder.write(999_999, 2 ** 31 - 1, 9_999_999_999_999, 0x7fffffff);
  const start = encoder.end - least;
  const text = encoder.bytes
    .slice(start, encoder.end)
    .map((byte, at) => byte ^ (encoder.bytes[start - 4 + (at & 3)] ?? 0));
  const bytes = bytesOf(broadcastOf(new TextDecoder().decode(text)));
  const decoder = small.createDecoder(0, 255);
  expect(decoder.read(bytes, 0, bytes.length)).toBe(true);
});
