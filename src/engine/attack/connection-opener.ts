import { nowUs } from "../../machine/clock.ts";
import type { ConnectionFailure } from "../../result/reasons.ts";
import type { Connection } from "../connection.ts";
import { FailureTally } from "../failure-tally.ts";
import type { Openings } from "../openings.ts";
import { countOwn, indexOf } from "../places.ts";
import type { AttackSetup } from "./attack-orders.ts";

/** A connection that was lost is opened again after this; twice as late after each attempt that fails. */
const leastReconnectMs = 100;
const mostReconnectMs = 5000;
/** One that is closed before this counts as such an attempt: a server that says 1013 is not to be stormed. */
const leastLifeMs = 1000;

/** A connection that is to be opened again, or is being opened. */
interface Attempt {
  readonly place: number;
  readonly atUs: number;
  /** How often it failed before, since it was lost; null for its first. */
  readonly failures: number | null;
}

interface OpenerOptions {
  readonly setup: Pick<
    AttackSetup,
    | "worker"
    | "workers"
    | "connections"
    | "connectionStages"
    | "connectRatePerSecond"
    | "connectBatch"
    | "connectTimeoutMs"
    | "sourceAddresses"
  >;
  readonly openings: Openings;
  /** Of all connections of the worker. */
  readonly places: number;
  /** On the attack's epoch. */
  readonly clockUs: () => number;
  readonly create: (place: number) => Connection;
  /** Whether the place's last connection needs it no longer. */
  readonly isFree: (place: number) => boolean;
  /** It was upgraded, and given up before it was ready. */
  readonly onGivenUp: (connection: Connection) => void;
  /** It will not be open. @returns whether it still should */
  readonly onFailed: (connection: Connection) => boolean;
  /** Once: every connection that is to be open before the load has been tried. */
  readonly onTried: () => void;
}

/** Opens a worker's connections: at their rate, when the stages want them, and again where they were lost. */
export class ConnectionOpener {
  readonly reconnectFailures = new FailureTally();
  readonly #options: OpenerOptions;
  /** By place: how often it was opened again in a row, and when it was ready last. */
  readonly #reopenings: Uint8Array;
  readonly #readyUs: Float64Array;
  readonly #upgradedUs = new Map<Connection, number>();
  /** How many are opened before the load, the next of them, and since when: the others follow from the rate. */
  readonly #first: number;
  #next = 0;
  #openUs = 0;
  #isOpeningFirst = false;
  /** To be opened and not yet due, in order of their times. */
  #waiting: Attempt[] = [];
  /** Being opened, the oldest first. */
  readonly #opening = new Map<Connection, Attempt>();
  #notAttempted = 0;

  constructor(options: OpenerOptions) {
    const { setup, places } = options;
    this.#options = options;
    this.#reopenings = new Uint8Array(places);
    this.#readyUs = new Float64Array(places);
    // Of stages the very first, if it is the worker's: the others come with the load.
    this.#first = countOwn(setup, setup.connectionStages === null ? setup.connections : 1);
  }

  get notAttempted(): number {
    return this.#notAttempted;
  }

  /** How many are being opened. */
  get pending(): number {
    return this.#opening.size;
  }

  isOpening(connection: Connection): boolean {
    return this.#opening.has(connection);
  }

  /** @param startUs when the first one is due */
  begin(startUs: number): void {
    this.#isOpeningFirst = true;
    this.#openUs = startUs;
  }

  /** Begins none of those that are still to be opened before the load, and has no more patience. */
  stop(): void {
    this.#notAttempted += this.#first - this.#next;
    this.#next = this.#first;
    this.end();
    this.settle();
  }

  /** Gives up what is being opened, and what waits for it. */
  end(): void {
    for (const connection of [...this.#opening.keys()]) this.#expire(connection);
    this.#waiting = [];
  }

  /** Opens what is due, gives up what takes too long. */
  tend(atUs: number): void {
    if (this.#isOpeningFirst) this.#openDue(atUs);
    let due = 0;
    while (due < this.#waiting.length && (this.#waiting[due] as Attempt).atUs <= atUs) due += 1;
    if (due > 0) this.#beginAll(this.#waiting.splice(0, due));
    const lateUs = atUs - this.#options.setup.connectTimeoutMs * 1000;
    for (const [connection, attempt] of this.#opening) {
      if (attempt.atUs > lateUs) break;
      this.#expire(connection);
    }
  }

  /** Tells once that every first attempt has come to an end. */
  settle(): void {
    const { openings, onTried } = this.#options;
    if (!this.#isOpeningFirst || openings.opened + openings.failed + this.#notAttempted < this.#first) return;
    this.#isOpeningFirst = false;
    onTried();
  }

  /** At once. */
  want(place: number): void {
    this.#beginAll([{ place, atUs: this.#options.clockUs(), failures: null }]);
  }

  /** Does not open it again. */
  unwant(place: number): void {
    this.#waiting = this.#waiting.filter((attempt) => attempt.place !== place);
  }

  noteUpgraded(connection: Connection): void {
    const { times } = connection;
    if (times === null) return;
    this.#options.openings.noteUpgraded(connection);
    this.#upgradedUs.set(connection, times.upgradeUs);
  }

  /** @returns whether it was being opened */
  noteReady(connection: Connection): boolean {
    const attempt = this.#opening.get(connection);
    if (attempt === undefined) return false;
    this.#opening.delete(connection);
    const { openings, clockUs } = this.#options;
    const machineUs = nowUs();
    openings.noteJoined(machineUs - (this.#upgradedUs.get(connection) ?? machineUs));
    this.#upgradedUs.delete(connection);
    const atUs = clockUs();
    this.#reopenings[connection.place] = Math.min(255, (attempt.failures ?? -1) + 1);
    this.#readyUs[connection.place] = atUs;
    if (attempt.failures === null) openings.noteOpened(connection, atUs);
    else openings.noteReopened();
    return true;
  }

  noteFailed(connection: Connection, failure: ConnectionFailure): void {
    const attempt = this.#opening.get(connection);
    if (attempt === undefined) return;
    this.#opening.delete(connection);
    this.#upgradedUs.delete(connection);
    const isWanted = this.#options.onFailed(connection);
    if (attempt.failures === null) {
      this.#options.openings.noteFailed(failure);
    } else {
      this.reconnectFailures.note(failure);
      if (isWanted) this.#reopen(connection.place, attempt.failures + 1);
    }
    this.settle();
  }

  /** It was upgraded and will not be ready. */
  giveUp(connection: Connection, failure: ConnectionFailure): void {
    connection.abandon();
    this.#options.onGivenUp(connection);
    this.noteFailed(connection, failure);
  }

  /** After it was lost. */
  reopen(place: number): void {
    const isShort = this.#options.clockUs() - (this.#readyUs[place] as number) < leastLifeMs * 1000;
    this.#reopen(place, isShort ? (this.#reopenings[place] as number) : 0);
  }

  #openDue(untilUs: number): void {
    const { setup } = this.#options;
    const most = setup.connectBatch ?? Number.POSITIVE_INFINITY;
    for (; this.#next < this.#first && this.#opening.size < most; this.#next += 1) {
      const place = this.#next;
      const atUs = this.#openUs + (indexOf(setup, place) / (setup.connectRatePerSecond ?? 1)) * 1e6;
      if (atUs > untilUs) return;
      this.#begin({ place, atUs, failures: null });
    }
  }

  #beginAll(attempts: readonly Attempt[]): void {
    const { isFree } = this.#options;
    const held = attempts.filter(({ place }) => !isFree(place));
    for (const attempt of attempts) if (isFree(attempt.place)) this.#begin(attempt);
    this.#waiting.unshift(...held);
  }

  #begin(attempt: Attempt): void {
    const { setup, openings, clockUs, create } = this.#options;
    const { sourceAddresses } = setup;
    const { place } = attempt;
    const connection = create(place);
    const atUs = clockUs();
    this.#opening.set(connection, { ...attempt, atUs });
    if (attempt.failures === null) openings.noteAttempt(atUs);
    connection.open(sourceAddresses[place % Math.max(1, sourceAddresses.length)] ?? null);
  }

  #expire(connection: Connection): void {
    if (connection.state === "open") this.giveUp(connection, { kind: "timeout", stage: "join" });
    else connection.expire();
  }

  #reopen(place: number, failures: number): void {
    const waitMs = Math.min(mostReconnectMs, leastReconnectMs * 2 ** failures);
    const attempt = { place, atUs: this.#options.clockUs() + waitMs * 1000, failures };
    const at = this.#waiting.findLastIndex(({ atUs }) => atUs <= attempt.atUs);
    this.#waiting.splice(at + 1, 0, attempt);
  }
}
