/** What an arrival was among the messages that were sent. */
export const answer = {
  inOrder: 0,
  /** A later message has been answered before. */
  reordered: 1,
  /** It has been answered before. */
  duplicate: 2,
  /** No message that was sent, or one that is too old to be known. */
  unknown: 3,
} as const;
export type Answer = (typeof answer)[keyof typeof answer];

const state = { waiting: 0, answered: 1, givenUp: 2 } as const;

/** Most connections of a large attack send a message or two. */
const leastCapacity = 4;
/** Answered messages are kept as long as there is room, to know a duplicate by. */
const keptCapacity = 32;
/** Past it the oldest is no longer awaited: a connection has sent so many since. */
const mostCapacity = 65_536;
/** A message that is neither the next nor among so many around it answers nothing. */
const searched = 1024;

/**
 * What one connection has sent, by sequence numbers from 1, and what of it has been answered: a ring of numbers, so that
 * a message costs no object.
 */
export class Outstanding {
  /** Of the message that was answered last: when it was due, and how much later it was sent. */
  atUs = 0;
  lagUs = 0;
  /** Sent and neither answered nor given up. */
  waiting = 0;
  /** Whether the message that was answered last had not been given up. */
  wasWaiting = false;
  #capacity = leastCapacity;
  #next = 1;
  /** No message before it is awaited. */
  #first = 1;
  /** What is older is not known any more. */
  #known = 1;
  #highest = 0;
  /** Hash, lag and state of each. */
  #words = new Int32Array(3 * leastCapacity);
  #times = new Float64Array(leastCapacity);

  /** The number of the next message. */
  get next(): number {
    return this.#next;
  }

  /** The oldest that waits; 0 where none does. */
  get oldest(): number {
    this.#advance();
    return this.#first < this.#next ? this.#first : 0;
  }

  dueUs(seq: number): number {
    return this.#times[seq & (this.#capacity - 1)] as number;
  }

  add(hash: number, atUs: number, lagUs: number): void {
    if (this.#next - this.#known >= this.#capacity) this.#makeRoom();
    const at = this.#next & (this.#capacity - 1);
    this.#words[3 * at] = hash;
    this.#words[3 * at + 1] = lagUs;
    this.#words[3 * at + 2] = state.waiting;
    this.#times[at] = atUs;
    this.#next += 1;
    this.waiting += 1;
  }

  bySequence(seq: number): Answer {
    if (!(seq >= this.#known && seq < this.#next && Number.isInteger(seq))) return answer.unknown;
    return this.#stateOf(seq) === state.answered ? answer.duplicate : this.#take(seq);
  }

  /** The next one in order that is not answered. */
  byOrder(): Answer {
    const seq = this.oldest;
    return seq === 0 ? answer.unknown : this.#take(seq);
  }

  byHash(hash: number): Answer {
    const due = this.#highest + 1;
    if (due < this.#next && this.#hashOf(due) === hash) return this.#take(due);
    const from = Math.max(this.#known, due - searched);
    const to = Math.min(this.#next, due + searched);
    let isDuplicate = false;
    for (let seq = from; seq < to; seq += 1) {
      if (this.#hashOf(seq) !== hash) continue;
      if (this.#stateOf(seq) !== state.answered) return this.#take(seq);
      isDuplicate = true;
    }
    return isDuplicate ? answer.duplicate : answer.unknown;
  }

  /** Its answer may still come, and counts. */
  giveUp(seq: number): void {
    if (this.#stateOf(seq) !== state.waiting) return;
    this.#words[3 * (seq & (this.#capacity - 1)) + 2] = state.givenUp;
    this.waiting -= 1;
  }

  /** The connection is gone: nothing of it is awaited, nor known. @returns how many had no answer */
  forget(): number {
    let unanswered = 0;
    for (let seq = this.#known; seq < this.#next; seq += 1) {
      if (this.#stateOf(seq) !== state.answered) unanswered += 1;
    }
    this.#known = this.#next;
    this.#first = this.#next;
    this.#highest = this.#next - 1;
    this.waiting = 0;
    return unanswered;
  }

  #take(seq: number): Answer {
    const at = seq & (this.#capacity - 1);
    this.wasWaiting = this.#words[3 * at + 2] === state.waiting;
    if (this.wasWaiting) this.waiting -= 1;
    this.#words[3 * at + 2] = state.answered;
    this.atUs = this.#times[at] as number;
    this.lagUs = this.#words[3 * at + 1] as number;
    if (seq < this.#highest) return answer.reordered;
    this.#highest = seq;
    return answer.inOrder;
  }

  #advance(): void {
    while (this.#first < this.#next && this.#stateOf(this.#first) !== state.waiting) this.#first += 1;
  }

  #hashOf(seq: number): number {
    return this.#words[3 * (seq & (this.#capacity - 1))] as number;
  }

  #stateOf(seq: number): number {
    return this.#words[3 * (seq & (this.#capacity - 1)) + 2] as number;
  }

  /** Forgets the oldest if it is answered, or grows. */
  #makeRoom(): void {
    this.#advance();
    const isRoomy = this.#capacity >= keptCapacity && this.#first > this.#known;
    if (isRoomy || this.#capacity >= mostCapacity) {
      if (this.#stateOf(this.#known) === state.waiting) this.waiting -= 1;
      this.#known += 1;
      this.#first = Math.max(this.#first, this.#known);
      return;
    }
    const capacity = 2 * this.#capacity;
    const words = new Int32Array(3 * capacity);
    const times = new Float64Array(capacity);
    for (let seq = this.#known; seq < this.#next; seq += 1) {
      const from = seq & (this.#capacity - 1);
      const to = seq & (capacity - 1);
      words.set(this.#words.subarray(3 * from, 3 * from + 3), 3 * to);
      times[to] = this.#times[from] as number;
    }
    this.#capacity = capacity;
    this.#words = words;
    this.#times = times;
  }
}
