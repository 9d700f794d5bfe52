import { roomOf } from "../../places.ts";
import {
  type Decoder,
  type Dialogue,
  type Encoder,
  echoRoom,
  type Other,
  type Protocol,
  type ProtocolOptions,
} from "../protocol.ts";
import { StrayDecoders } from "../stray-decoders.ts";
import { roomName, roomNumber } from "./chat-shape.ts";
import { MessageReader } from "./message-reader.ts";
import { MessageWriter } from "./message-writer.ts";

/** The chat of contenders/CONTRACT.md: rooms are joined, then `echo` and `say` go out and come back byte for byte. */
export class ChaosChat implements Protocol {
  readonly #options: ProtocolOptions;
  readonly #strays: StrayDecoders<MessageReader>;

  constructor(options: ProtocolOptions) {
    this.#options = options;
    this.#strays = new StrayDecoders(options, (room) => new MessageReader(room, 0, options.messageBytes));
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
    const reader = this.#strays.of(type === "echo" ? echoRoom : roomNumber(room));
    if (reader?.read(bytes, start, end)) return { kind: "message", phase: reader.phase };
    const isOurs = type === "echo" || type === "say" || end - start === this.#options.messageBytes;
    return { kind: isOurs ? "corrupted" : "unknown" };
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
