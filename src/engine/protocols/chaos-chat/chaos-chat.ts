import type { RoomGroup } from "../../../plan/plan.ts";
import { roomOf } from "../../places.ts";
import {
  type Decoder,
  type Dialogue,
  type Encoder,
  echoRoom,
  type Other,
  type Protocol,
} from "../protocol.ts";
import { roomName } from "./message-format.ts";
import { MessageReader } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";

interface ChaosChatOptions {
  /** Connection i joins room `first` + i modulo `count` of each. */
  readonly joins: readonly RoomGroup[];
  readonly messageBytes: number;
  /** Of the masks. */
  readonly seed: number;
}

/** The chat of contenders/CONTRACT.md: rooms are joined, then `echo` and `say` go out and come back byte for byte. */
export class ChaosChat implements Protocol {
  readonly #options: ChaosChatOptions;
  /** For messages at somebody they were not meant for, by room. */
  readonly #readers = new Map<number, MessageReader>();

  constructor(options: ChaosChatOptions) {
    this.#options = options;
  }

  createDialogue(index: number): Dialogue {
    return new JoinDialogue(this.#options.joins.map((group) => roomName(roomOf(group, index))));
  }

  createEncoder(room: number, phase: number): Encoder {
    return new MessageWriter(room, phase, this.#options.messageBytes, this.#options.seed);
  }

  createDecoder(room: number, phase: number): Decoder {
    return new MessageReader(room, phase, this.#options.messageBytes);
  }

  decodeOther(bytes: Uint8Array, start: number, end: number): Other {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    const { type, room } = parseKeys(text);
    if (type === "error") return { kind: "error-reply", text };
    const reader = this.#readerOf(type === "echo" ? echoRoom : this.#roomNumber(room));
    if (reader?.read(bytes, start, end)) return { kind: "message", phase: reader.phase };
    const isOurs = type === "echo" || type === "say" || end - start === this.#options.messageBytes;
    return { kind: isOurs ? "corrupted" : "unknown" };
  }

  #readerOf(room: number | null): MessageReader | null {
    if (room === null) return null;
    const known = this.#readers.get(room);
    if (known !== undefined) return known;
    const reader = new MessageReader(room, 0, this.#options.messageBytes);
    this.#readers.set(room, reader);
    return reader;
  }

  /** Null when no connection joins it: a server must not make us keep rooms of its own invention. */
  #roomNumber(name: unknown): number | null {
    if (typeof name !== "string") return null;
    const number = name === roomName(0) ? 0 : Number(/^r(\d{1,9})$/.exec(name)?.[1] ?? Number.NaN);
    const isJoined = this.#options.joins.some(
      ({ first, count }) => number >= first && number < first + count,
    );
    return isJoined ? number : null;
  }
}

/** Joins one room after the other. */
class JoinDialogue implements Dialogue {
  readonly #rooms: string[];

  constructor(rooms: string[]) {
    this.#rooms = rooms;
  }

  say(): string | null {
    const [room] = this.#rooms;
    return room === undefined ? null : `{"type":"join","room":"${room}"}`;
  }

  hear(answer: string): boolean {
    return answer === `{"type":"joined","room":"${this.#rooms.shift()}"}`;
  }
}

function parseKeys(text: string): { readonly type?: unknown; readonly room?: unknown } {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
