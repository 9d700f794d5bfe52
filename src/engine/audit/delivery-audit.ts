import type { RoomGroup } from "../../plan/plan.ts";
import { roomOf, roomWithin } from "../places.ts";
import { type Decoder, echoRoom, type Protocol } from "../protocols/protocol.ts";
import type { OddArrivals, PhaseOrder, WorkerSetup } from "../worker-protocol.ts";
import { arrival, Ledger } from "./ledger.ts";

const newline = 10;
const echoGroup: RoomGroup = { first: echoRoom, count: 1 };

interface DeliveryAuditOptions {
  readonly setup: WorkerSetup;
  readonly order: PhaseOrder;
  readonly protocol: Protocol;
  /** How many connections the worker has. */
  readonly places: number;
  /**
   * A message that was due here, intact and for the first time.
   *
   * @param place of the connection that received it, among the worker's
   * @param slot the sender's place among its room's senders; 0 for an echo
   * @param message what was read, until the next is
   */
  readonly deliver: (place: number, slot: number, message: Decoder) => void;
}

/** Audits all that one worker receives in a phase: what is whole and due is delivered, everything else counted by kind. */
export class DeliveryAudit {
  readonly #protocol: Protocol;
  readonly #messageBytes: number;
  readonly #isSingle: boolean;
  readonly #phase: number;
  readonly #deliver: DeliveryAuditOptions["deliver"];
  readonly #isEcho: boolean;
  readonly #group: RoomGroup;
  /** By room within the group. */
  readonly #decoders: Decoder[];
  readonly #ledger: Ledger;
  /** Streams of one receiver: its room's senders, or itself alone. */
  readonly #streamsPerReceiver: number;
  /** Rooms: a sender's slot in its room, by connection index; -1 for all others. */
  readonly #slots: Int16Array;
  readonly #odd: { -readonly [Kind in keyof OddArrivals]: number } = {
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    binary: 0,
    malformed: 0,
    misrouted: 0,
    late: 0,
    undeclaredBatches: 0,
    errorReplies: 0,
  };
  #frames = 0;
  #firstErrorReply: string | null = null;

  constructor({ setup, order, protocol, places, deliver }: DeliveryAuditOptions) {
    const { phase, rooms } = order;
    this.#protocol = protocol;
    this.#isSingle = setup.framing === "single";
    this.#phase = phase;
    this.#deliver = deliver;
    this.#isEcho = rooms === null;
    const group = rooms?.group ?? echoGroup;
    this.#group = group;
    this.#decoders = Array.from({ length: group.count }, (_, room) =>
      protocol.createDecoder(roomOf(group, room), phase),
    );
    this.#messageBytes = (this.#decoders[0] as Decoder).messageBytes;
    this.#streamsPerReceiver = (rooms?.senders ?? []).reduce((most, { length }) => Math.max(most, length), 1);
    this.#slots = new Int16Array(rooms === null ? 0 : setup.connections).fill(-1);
    for (const senders of rooms?.senders ?? []) {
      for (const [slot, sender] of senders.entries()) this.#slots[sender] = slot;
    }
    this.#ledger = new Ledger(places * this.#streamsPerReceiver);
  }

  /** What came that should not have. */
  get errors(): number {
    const { duplicated, corrupted, binary, malformed, misrouted, errorReplies } = this.#odd;
    return duplicated + corrupted + binary + malformed + misrouted + errorReplies;
  }

  /**
   * A message of the WebSocket, which may hold several of the load's.
   *
   * @param place of the connection that received it, among the worker's
   * @param index of that connection
   */
  read(place: number, index: number, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    this.#frames += 1;
    if (end - start > this.#messageBytes) this.#readBatch(place, index, bytes, start, end, isText);
    else this.#readOne(place, index, bytes, start, end, isText);
  }

  report() {
    return { ...this.#odd, frames: this.#frames, firstErrorReply: this.#firstErrorReply };
  }

  /**
   * Several messages in one frame, as declared or not, or one that is too long. A newline separates messages
   * (contenders/CONTRACT.md): behind the last one it ends an empty message, which is none of the load's. Where each
   * message has a frame of its own, a single one and its newline are just a message with other bytes.
   */
  #readBatch(
    place: number,
    index: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    isText: boolean,
  ): void {
    const messageBytes = this.#messageBytes;
    if (this.#isSingle && end - start === messageBytes + 1) {
      this.#readOther(bytes, start, end, isText);
      return;
    }
    let at = start;
    let pieces = 0;
    while (at <= end) {
      // Nearly always where a message of the right size ends. Not `indexOf`, which would search the whole buffer.
      let stop = at + messageBytes;
      if (stop !== end && (stop > end || bytes[stop] !== newline)) {
        for (stop = at; stop < end && bytes[stop] !== newline; ) stop += 1;
      }
      this.#readOne(place, index, bytes, at, stop, isText);
      pieces += 1;
      at = stop + 1;
    }
    if (pieces > 1 && this.#isSingle) this.#odd.undeclaredBatches += 1;
  }

  #readOne(
    place: number,
    index: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    isText: boolean,
  ): void {
    const decoder = this.#decoders[roomWithin(this.#group, index)] as Decoder;
    if (!isText || !decoder.read(bytes, start, end)) {
      this.#readOther(bytes, start, end, isText);
      return;
    }
    if (decoder.isLate) {
      this.#odd.late += 1;
      return;
    }
    const { from, seq } = decoder;
    const slot = this.#isEcho ? (from === index ? 0 : -1) : (this.#slots[from] ?? -1);
    if (slot < 0) {
      this.#odd.misrouted += 1;
      return;
    }
    switch (this.#ledger.arrive(place * this.#streamsPerReceiver + slot, seq)) {
      case arrival.duplicate:
        this.#odd.duplicated += 1;
        return;
      case arrival.reordered:
        this.#odd.reordered += 1;
        break;
    }
    this.#deliver(place, slot, decoder);
  }

  /** Anything but an intact message of the receiver's room that came as text. */
  #readOther(bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    const other = this.#protocol.decodeOther(bytes, start, end);
    switch (other.kind) {
      case "message":
        if (other.phase !== this.#phase) this.#odd.late += 1;
        else if (isText) this.#odd.misrouted += 1;
        else this.#odd.binary += 1;
        break;
      case "corrupted":
        this.#odd.corrupted += 1;
        break;
      case "error-reply":
        this.#odd.errorReplies += 1;
        this.#firstErrorReply ??= other.text.slice(0, 200);
        break;
      case "unknown":
        this.#odd.malformed += 1;
        break;
    }
  }
}
