import { echoRoom } from "../protocols/chaos-chat/message-format.ts";
import { MessageReader } from "../protocols/chaos-chat/message-reader.ts";
import type { PhaseOrder, PhaseReport, WorkerSetup } from "../worker-protocol.ts";
import { arrival, Ledger } from "./ledger.ts";

const newline = 10;

type AuditReport = Pick<
  PhaseReport,
  | "corrupted"
  | "duplicated"
  | "reordered"
  | "malformed"
  | "misrouted"
  | "late"
  | "frames"
  | "undeclaredBatches"
  | "errorReplies"
  | "firstErrorReply"
>;

export interface DeliveryAuditOptions {
  readonly setup: WorkerSetup;
  readonly order: PhaseOrder;
  /** Last sequence number of each connection in this workload before the phase. */
  readonly seqs: Int32Array;
  /**
   * A message that was due here, intact and for the first time.
   *
   * @param place of the connection that received it, among the worker's
   * @param slot the sender's place among its room's senders; 0 for an echo
   * @param message what was read, until the next is
   */
  readonly deliver: (place: number, slot: number, message: MessageReader) => void;
}

/** Audits all that one worker receives in a phase: what is whole and due is delivered, everything else counted by kind. */
export class DeliveryAudit {
  readonly #setup: WorkerSetup;
  readonly #deliver: DeliveryAuditOptions["deliver"];
  readonly #isEcho: boolean;
  readonly #roomCount: number;
  readonly #readers: MessageReader[];
  readonly #ledger: Ledger;
  /** Streams of one receiver: its room's senders, or itself alone. */
  readonly #streamsPerReceiver: number;
  /** Rooms: a sender's place in its room, by connection index; -1 for all others. */
  readonly #slots: Int16Array;
  #duplicated = 0;
  #reordered = 0;
  #corrupted = 0;
  #malformed = 0;
  #misrouted = 0;
  #late = 0;
  #frames = 0;
  #undeclaredBatches = 0;
  #errorReplies = 0;
  #firstErrorReply: string | null = null;

  constructor({ setup, order: { rooms }, seqs, deliver }: DeliveryAuditOptions) {
    this.#setup = setup;
    this.#deliver = deliver;
    this.#isEcho = rooms === null;
    const { first, count } = rooms?.group ?? { first: echoRoom, count: 1 };
    this.#roomCount = count;
    this.#readers = Array.from(
      { length: count },
      (_, room) => new MessageReader(first + room, setup.messageBytes),
    );
    this.#streamsPerReceiver = Math.max(1, ...(rooms?.senders.map((senders) => senders.length) ?? []));
    this.#slots = new Int16Array(rooms === null ? 0 : setup.connections).fill(-1);
    for (const senders of rooms?.senders ?? []) {
      for (const [slot, sender] of senders.entries()) this.#slots[sender] = slot;
    }
    this.#ledger = new Ledger(seqs.length * this.#streamsPerReceiver);
    for (const [place, seq] of seqs.entries()) {
      const room = (place * setup.workers + setup.worker) % count;
      for (const [slot, lastSeq] of (rooms === null ? [seq] : (rooms.lastSeqs[room] ?? [])).entries()) {
        this.#ledger.begin(place * this.#streamsPerReceiver + slot, lastSeq);
      }
    }
  }

  /** What came that should not have. */
  get errors(): number {
    return this.#duplicated + this.#corrupted + this.#malformed + this.#misrouted + this.#errorReplies;
  }

  get corrupted(): number {
    return this.#corrupted;
  }

  /** A message of the WebSocket, which may hold several of the load's. */
  read(index: number, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    this.#frames += 1;
    if (end - start > this.#setup.messageBytes) this.#readBatch(index, bytes, start, end, isText);
    else this.#readOne(index, bytes, start, end, isText);
  }

  report(): AuditReport {
    return {
      corrupted: this.#corrupted,
      duplicated: this.#duplicated,
      reordered: this.#reordered,
      malformed: this.#malformed,
      misrouted: this.#misrouted,
      late: this.#late,
      frames: this.#frames,
      undeclaredBatches: this.#undeclaredBatches,
      errorReplies: this.#errorReplies,
      firstErrorReply: this.#firstErrorReply,
    };
  }

  /** Several messages in one frame, as declared or not, or one that is too long. */
  #readBatch(index: number, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    const { messageBytes, framing } = this.#setup;
    let at = start;
    let pieces = 0;
    while (at < end) {
      // Nearly always where a message of the right size ends. Not `indexOf`, which would search the whole buffer.
      let stop = at + messageBytes;
      if (stop !== end && (stop > end || bytes[stop] !== newline)) {
        for (stop = at; stop < end && bytes[stop] !== newline; ) stop += 1;
      }
      this.#readOne(index, bytes, at, stop, isText);
      pieces += 1;
      at = stop + 1;
    }
    if (pieces > 1 && framing === "single") this.#undeclaredBatches += 1;
  }

  #readOne(index: number, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    const reader = this.#readers[index % this.#roomCount] as MessageReader;
    if (!isText || !reader.read(bytes, start, end)) {
      this.#readOther(bytes, start, end);
      return;
    }
    const { from, seq } = reader;
    const slot = this.#isEcho ? (from === index ? 0 : -1) : (this.#slots[from] ?? -1);
    if (slot < 0) {
      this.#misrouted += 1;
      return;
    }
    const place = (index - this.#setup.worker) / this.#setup.workers;
    switch (this.#ledger.arrive(place * this.#streamsPerReceiver + slot, seq)) {
      case arrival.duplicate:
        this.#duplicated += 1;
        return;
      case arrival.late:
        this.#late += 1;
        return;
      case arrival.reordered:
        this.#reordered += 1;
        break;
    }
    this.#deliver(place, slot, reader);
  }

  /** Anything but an intact message of this phase. Rare, so it may take its time. */
  #readOther(bytes: Uint8Array, start: number, end: number): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    const type = messageType(text);
    if (type === "error") {
      this.#errorReplies += 1;
      this.#firstErrorReply ??= text.slice(0, 200);
    } else if (this.#readers.some((reader) => reader.read(bytes, start, end))) {
      this.#misrouted += 1;
    } else if (type === "echo" || type === "say" || end - start === this.#setup.messageBytes) {
      this.#corrupted += 1;
    } else {
      this.#malformed += 1;
    }
  }
}

function messageType(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && "type" in value ? value.type : null;
  } catch {
    return null;
  }
}
