import { type Decoder, echoRoom, type ProtocolOptions } from "./protocol.ts";

/** Decoders for messages at somebody they were not meant for, one for each room. */
export class StrayDecoders<D extends Decoder> {
  readonly #joins: ProtocolOptions["joins"];
  readonly #create: (room: number) => D;
  readonly #known = new Map<number, D>();

  constructor({ joins }: Pick<ProtocolOptions, "joins">, create: (room: number) => D) {
    this.#joins = joins;
    this.#create = create;
  }

  /** Null for a room that no connection joins: a server must not make us keep rooms of its own invention. */
  of(room: number | null): D | null {
    if (room === null || !(room === echoRoom || this.#isJoined(room))) return null;
    const decoder = this.#known.get(room) ?? this.#create(room);
    this.#known.set(room, decoder);
    return decoder;
  }

  #isJoined(room: number): boolean {
    return this.#joins.some(({ first, count }) => room >= first && room < first + count);
  }
}
