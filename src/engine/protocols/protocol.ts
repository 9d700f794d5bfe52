import type { RoomGroup } from "../../plan/plan.ts";

/**
 * What is said over a WebSocket, apart from how: a connection does TCP, the upgrade and frames, and asks its protocol
 * for everything else. Encoders and decoders stand in the path of every message. A process has one protocol, so that
 * each of these interfaces has one class behind it there, and the compiler calls it directly.
 */
export interface Protocol {
  /** What the connection with this index says between its upgrade and being open. */
  createDialogue(index: number): Dialogue;
  /** @param room by its number on the wire; `echoRoom` is the sender itself */
  createEncoder(room: number, phase: number): Encoder;
  createDecoder(room: number, phase: number): Decoder;
  /** Of what the receiver's own decoder refused. Rare, so it may take its time. */
  decodeOther(bytes: Uint8Array, start: number, end: number): Other;
}

/** Room of a message that only its sender gets back. */
export const echoRoom = -1;

export interface ProtocolOptions {
  /** Connection i joins room `first` + i modulo `count` of each. */
  readonly joins: readonly RoomGroup[];
  /** What a client's message takes. */
  readonly messageBytes: number;
  /** Of the masks. */
  readonly seed: number;
}

/** The way from the upgrade to an open connection, one text and its answer after the other. */
export interface Dialogue {
  /** What to say next; null when the connection is open. */
  say(): string | null;
  /** Whether that was the answer to what was said last. */
  hear(answer: string): boolean;
}

/** Writes messages of one room and phase as whole client frames, each over the last one. */
export interface Encoder {
  /** The frame is `bytes[start … end)` until the next `write`. */
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /**
   * @param from index of the sending connection
   * @param seq counts from 1 per sender, room and phase
   * @param atUs when the message was meant to be sent
   * @param lagUs how much later it was
   */
  write(from: number, seq: number, atUs: number, lagUs: number): void;
}

/** Reads messages of one room. */
export interface Decoder {
  /** What one takes. */
  readonly messageBytes: number;
  /** Of the message read last. */
  readonly from: number;
  readonly seq: number;
  readonly at: number;
  readonly lagUs: number;
  /** Whether it is of another phase than this decoder's. */
  readonly isLate: boolean;
  /** Whether `bytes[start … end)` is exactly a message that an encoder for this room wrote, in whatever phase. */
  read(bytes: Uint8Array, start: number, end: number): boolean;
}

/** Anything that is no delivery where it arrived. */
export type Other =
  /** Intact, and of whatever room and phase. */
  | { readonly kind: "message"; readonly phase: number }
  /** A message of the load with other bytes. */
  | { readonly kind: "corrupted" }
  | { readonly kind: "error-reply"; readonly text: string }
  | { readonly kind: "unknown" };
