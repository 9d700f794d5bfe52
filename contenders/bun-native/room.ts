import type { Socket } from "./connection.ts";

/** One connection's place in one room. */
export interface Membership {
  readonly room: Room;
  readonly socket: Socket;
  /** How many of the room's messages the connection's books already hold. */
  recorded: number;
}

/** The members of a topic, and the sizes of what was published to it since its members were settled. */
export class Room {
  readonly name: string;
  readonly memberships = new Set<Membership>();
  #frames: number[] = [];
  #firstFrame = 0;
  #written = 0;

  constructor(name: string) {
    this.name = name;
  }

  get published(): number {
    return this.#firstFrame + this.#frames.length;
  }

  /** How many messages were published in turns that are over: they have left or are held for each member. */
  get written(): number {
    return this.#written;
  }

  endTurn(): void {
    this.#written = this.published;
  }

  /** Adds a member; what was published before is not for it. */
  join(socket: Socket): Membership {
    const membership: Membership = { room: this, socket, recorded: this.published };
    this.memberships.add(membership);
    return membership;
  }

  noteFrame(frameBytes: number): void {
    this.#frames.push(frameBytes);
  }

  /** Enters what the member has not been charged with yet into its outbox. */
  record(membership: Membership): void {
    const { outbox } = membership.socket.data;
    for (let i = membership.recorded - this.#firstFrame; i < this.#frames.length; i++) {
      const frameBytes = this.#frames[i];
      if (frameBytes !== undefined) outbox.pushMessage(frameBytes);
    }
    membership.recorded = this.published;
  }

  /** Forgets the frames once every member has recorded them. */
  forget(): void {
    this.#firstFrame = this.published;
    this.#frames.length = 0;
  }
}
