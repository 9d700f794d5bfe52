import type { AttackLoad as LoadPlan } from "../../plan/attack/plan.ts";
import { createDueTimes, loadSeconds } from "../../plan/attack/rate.ts";
import type { Connection } from "../connection.ts";
import { burstPacer, mostSendsPerTurn, type Pacer, steadyPacer } from "../pacing/pacer.ts";
import type { Account } from "./account.ts";
import type { AttackSetup } from "./attack-orders.ts";
import { type OwnMessages, shareMessages } from "./own-messages.ts";
import type { Talk } from "./talk.ts";

/** With `tick` pacing messages are due together, in steps of so long. */
const tickUs = 1000;
/** Between two looks at what has no answer. */
const tendIntervalUs = 100_000;

interface AttackLoadOptions {
  readonly setup: Pick<
    AttackSetup,
    "worker" | "workers" | "pacing" | "load" | "connectionStages" | "replyTimeoutMs"
  >;
  readonly talk: Talk;
  readonly account: Account;
  /** Those that messages may be sent on; in the order in which they take turns. */
  readonly ready: readonly Connection[];
  /** Of all connections of the worker. */
  readonly places: number;
  readonly clockUs: () => number;
  /** See `Sockets`. */
  readonly wakesWithinUs: number;
  /** On the attack's epoch. */
  readonly startUs: number;
  readonly onMilestone: () => void;
}

/** When one worker sends, and on which of its connections. */
export class AttackLoad {
  /** Messages of this worker; of a closed loop those that were sent. */
  readonly planned: number | null;
  readonly #options: AttackLoadOptions;
  readonly #pacer: Pacer;
  /** In turn; where one closes, the last takes its place. */
  readonly #turn: Connection[];
  /** Where each place stands in turn; -1 where it does not. */
  readonly #atInTurn: Int32Array;
  #next = 0;
  #endUs: number;
  #tendUs = 0;
  #finishedSending = false;

  constructor(options: AttackLoadOptions) {
    this.#options = options;
    const { load, connectionStages } = options.setup;
    this.#turn = [...options.ready];
    this.#atInTurn = new Int32Array(options.places).fill(-1);
    for (const [at, { place }] of this.#turn.entries()) this.#atInTurn[place] = at;
    this.#endUs = options.startUs + loadSeconds(load) * 1e6;
    const own = load.kind === "open" ? shareMessages(load.segments, connectionStages, options.setup) : null;
    this.planned = own?.count ?? null;
    this.#pacer = load.kind === "open" && own !== null ? this.#openLoop(load, own) : this.#closedLoop();
  }

  get finishedSending(): boolean {
    return this.#finishedSending;
  }

  turn(): number {
    const waitUs = this.#options.startUs - this.#options.clockUs();
    return waitUs > 0 ? waitUs : this.#pacer.turn();
  }

  stop(): void {
    this.#pacer.stop();
    this.#endUs = 0;
  }

  /** It came late, or came back. */
  noteReady(connection: Connection): void {
    this.#atInTurn[connection.place] = this.#turn.length;
    this.#turn.push(connection);
    const { load } = this.#options.setup;
    if (load.kind === "closed") this.#fill(connection, load.inFlight);
  }

  noteClosed({ place }: Connection): void {
    const at = this.#atInTurn[place] as number;
    if (at < 0) return;
    this.#atInTurn[place] = -1;
    const last = this.#turn.pop() as Connection;
    if (last.place === place) return;
    this.#turn[at] = last;
    this.#atInTurn[last.place] = at;
  }

  /** Closed loop: one message of the connection is no longer under way. */
  noteAnswered(connection: Connection): void {
    if (this.planned === null) this.#fill(connection, 1);
  }

  /** From time to time: gives up what has no answer, and sees the end of a closed loop in which nothing comes. */
  tend(nowUs: number): void {
    const { setup, talk } = this.#options;
    if (this.planned !== null || nowUs < this.#tendUs) return;
    this.#tendUs = nowUs + tendIntervalUs;
    for (const connection of [...this.#turn]) talk.giveUp(connection, nowUs - setup.replyTimeoutMs * 1000);
    if (nowUs >= this.#endUs) this.#finish();
  }

  #openLoop(load: Extract<LoadPlan, { kind: "open" }>, { count, message }: OwnMessages): Pacer {
    const { setup, account, clockUs, wakesWithinUs, startUs } = this.#options;
    const due = createDueTimes(load.segments, setup.pacing === "tick" ? tickUs : 0);
    return steadyPacer({
      count,
      pacing: setup.pacing === "spin" ? "spin" : "timer",
      wakesWithinUs,
      isOwed: () => account.recorder.delivered < account.expected,
      clockUs,
      dueUs: (send) => startUs + due(message(send)),
      send: (_, dueUs, nowUs) => this.#send(this.#nextConnection(), dueUs, nowUs),
      finish: () => this.#finish(),
    });
  }

  /** Only the first messages: the others follow from answers. */
  #closedLoop(): Pacer {
    const { load } = this.#options.setup;
    const inFlight = load.kind === "closed" ? load.inFlight : 0;
    const first = [...this.#turn];
    return burstPacer({
      count: first.length,
      batch: mostSendsPerTurn,
      send: (number) => this.#fill(first[number] as Connection, inFlight),
      isBlocked: () => false,
      finish: () => {},
    });
  }

  #fill(connection: Connection, count: number): void {
    const nowUs = this.#options.clockUs();
    if (nowUs >= this.#endUs) {
      this.#finish();
      return;
    }
    for (let left = count; left > 0; left -= 1) this.#send(connection, nowUs, nowUs);
  }

  #nextConnection(): Connection | undefined {
    const turn = this.#turn;
    if (this.#next >= turn.length) this.#next = 0;
    return turn[this.#next++];
  }

  #send(connection: Connection | undefined, dueUs: number, nowUs: number): void {
    const { talk, account } = this.#options;
    if (connection === undefined || !talk.send(connection, dueUs, nowUs)) account.unsent += 1;
  }

  #finish(): void {
    if (this.#finishedSending) return;
    this.#finishedSending = true;
    this.#options.onMilestone();
  }
}
