/**
 * What a message costs the generator apart from the system, in nanoseconds: writing, reading, the audit, the
 * records and the calls into the C library. `bun bench/message.ts [bytes=120]`
 */
import { dlopen, FFIType } from "bun:ffi";
import { Ledger } from "../src/engine/audit/ledger.ts";
import { MessageReader } from "../src/engine/protocols/chaos-chat/message-reader.ts";
import { MessageWriter } from "../src/engine/protocols/chaos-chat/message-writer.ts";
import { echoRoom } from "../src/engine/protocols/protocol.ts";
import { Recorder } from "../src/engine/recorder.ts";
import { linuxSocketCalls } from "../src/engine/sockets/linux-socket-calls.ts";
import { nowUs } from "../src/machine/clock.ts";
import { Histogram } from "../src/stats/histogram.ts";

const messageBytes = Number(Bun.argv[2] ?? 120);
const connections = 1000;
const calls = 200_000;
const rounds = 9;

const writer = new MessageWriter(echoRoom, 1, messageBytes, 3);
const reader = new MessageReader(echoRoom, 1, messageBytes);
const histogram = new Histogram();
const recorder = new Recorder(0);
recorder.begin(0);
const ledger = new Ledger(connections);
const seqs = new Int32Array(connections);

/** As it lies in the receive buffer, behind a frame's header. */
const received = new Uint8Array(new ArrayBuffer(256 * 1024));
const start = messageBytes < 126 ? 2 : 4;
writer.write(123, 45, 12_345_678, 3);
const payload = writer.end - messageBytes;
for (let at = 0; at < messageBytes; at += 1) {
  received[start + at] = (writer.bytes[payload + at] ?? 0) ^ (writer.bytes[payload - 4 + (at & 3)] ?? 0);
}

/** A part takes a call's number and returns something that depends on its work, or the compiler drops it. */
const parts: Record<string, (call: number) => number> = {
  "nothing (contained in all others)": (call) => call,
  "write a message": (call) => {
    writer.write(call % connections, 1 + (call >>> 4), 1e6 + call * 3, call & 15);
    return writer.end;
  },
  "read it back": () => (reader.read(received, start, start + messageBytes) ? reader.seq : Number.NaN),
  "audit it in the ledger": (call) => {
    const seq = (seqs[call % connections] ?? 0) + 1;
    seqs[call % connections] = seq;
    return ledger.arrive(call % connections, seq);
  },
  "record its sending": (call) => {
    recorder.recordSend(call & 1023, 3);
    return recorder.sent;
  },
  "record its delivery": (call) => {
    recorder.recordDelivery(2000, 1000 + (call & 1023), 3, -1);
    return recorder.delivered;
  },
  "a histogram's part of that": (call) => {
    histogram.record((call * 7) & 8191);
    return histogram.count;
  },
  "read the clock": () => nowUs(),
};

if (linuxSocketCalls !== null) {
  const { send } = linuxSocketCalls;
  const { i32, u64, ptr } = FFIType;
  const library = dlopen("libc.so.6", { send: { args: [i32, ptr, u64, i32], returns: i32 } }).symbols;
  // To no socket at all: what remains is the way into the kernel and back.
  parts["call sendto, as the generator does"] = () => send(-1, writer.bytes, writer.end);
  parts["call the library's send"] = () => library.send(-1, writer.bytes, writer.end, 0);
}

for (const [name, part] of Object.entries(parts)) {
  let bestNs = Number.POSITIVE_INFINITY;
  let sum = 0;
  for (let round = 0; round < rounds; round += 1) {
    const from = Bun.nanoseconds();
    for (let call = 0; call < calls; call += 1) sum += part(call);
    bestNs = Math.min(bestNs, (Bun.nanoseconds() - from) / calls);
  }
  if (Number.isNaN(sum)) throw new Error(`"${name}" did not do its work`);
  console.log(`${name.padEnd(36)} ${bestNs.toFixed(1).padStart(6)} ns`);
}
