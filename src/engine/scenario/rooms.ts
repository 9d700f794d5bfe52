import type { UserSocket } from "./user-socket.ts";

/** Those who are in a room, and those who wait there for others. */
interface State {
  readonly members: Set<UserSocket>;
  readonly waiting: Set<() => void>;
}

/** The rooms of a worker. One that nobody is in any more is forgotten. */
export class Rooms {
  readonly #states = new Map<string, State>();

  /** How many wait for others, in all rooms. */
  get waiting(): number {
    return [...this.#states.values()].reduce((all, { waiting }) => all + waiting.size, 0);
  }

  join(name: string, socket: UserSocket): void {
    this.#at(name).members.add(socket);
  }

  membersOf(name: string): readonly UserSocket[] {
    return [...(this.#states.get(name)?.members ?? [])];
  }

  /** @param come called when so many are there @returns what takes it away again */
  meet(name: string, users: number, come: () => void): () => void {
    const { waiting } = this.#at(name);
    waiting.add(come);
    if (waiting.size >= users) {
      const all = [...waiting];
      waiting.clear();
      for (const one of all) one();
    }
    return () => {
      waiting.delete(come);
      this.#tidy(name);
    };
  }

  /** Of every room that it is in. */
  leave(socket: UserSocket): void {
    for (const [name, { members }] of this.#states) {
      if (members.delete(socket)) this.#tidy(name);
    }
  }

  #at(name: string): State {
    const known = this.#states.get(name);
    if (known !== undefined) return known;
    const state = { members: new Set<UserSocket>(), waiting: new Set<() => void>() };
    this.#states.set(name, state);
    return state;
  }

  #tidy(name: string): void {
    const state = this.#states.get(name);
    if (state?.members.size === 0 && state.waiting.size === 0) this.#states.delete(name);
  }
}
