import { nowUs } from "../../machine/clock.ts";
import { secondsOf } from "../../plan/attack/rate.ts";
import { createRandom, shuffle } from "../../plan/random.ts";
import type { ConnectionFailure } from "../../result/reasons.ts";
import { Histogram } from "../../stats/histogram.ts";
import { Upgrades } from "../../websocket/handshake.ts";
import type { Refusal } from "../../websocket/refusal.ts";
import type { Adapter } from "../adapters/adapter.ts";
import { bytesSince, type CompressionBytes, compressionBytes } from "../compression.ts";
import { Connection, type ConnectionOwner } from "../connection.ts";
import { FailureTally } from "../failure-tally.ts";
import { countOwn, indexOf } from "../places.ts";
import type { Sockets } from "../sockets/socket.ts";
import type { Target } from "../target.ts";
import { UsageMeter } from "../usage-meter.ts";
import type { AttackStart, Command, PhaseProgress, Report } from "../worker-protocol.ts";
import { Account } from "./account.ts";
import { AdapterTalk } from "./adapter-talk.ts";
import { AttackLoad } from "./attack-load.ts";
import type { AttackReport, AttackSetup, OpenReport, RefusalSample, StageSums } from "./attack-orders.ts";
import { ConnectionRamp } from "./connection-ramp.ts";
import { goodbyeMs, LeavingConnections } from "./leaving-connections.ts";
import { PlainTalk } from "./plain-talk.ts";
import type { Talk, TalkListener } from "./talk.ts";

const progressIntervalMs = 200;
/** How often it is looked for connections that are due, or late. */
const tendIntervalMs = 5;
/** A connection that was lost is opened again after this; twice as late after each attempt that fails. */
const leastReconnectMs = 100;
const mostReconnectMs = 5000;
/** One that is closed before this counts as such an attempt: a server that says 1013 is not to be stormed. */
const leastLifeMs = 1000;
/** Of each status one is kept, of so many. */
const mostRefusals = 8;
/** An open loop must not be late because much arrives at once. */
const arrivalsPerTurn = 16;

const silent = { say: () => null, hear: () => false };
const emptyPayload = new Uint8Array(0);

/** A connection that is to be opened again, or is being opened. */
interface Attempt {
  readonly place: number;
  readonly atUs: number;
  /** How often it failed before, since it was lost; null for its first. */
  readonly failures: number | null;
}

/** One worker's part of an attack: opens its connections, sends its load, and accounts for what comes back. */
export class AttackWorker implements ConnectionOwner, TalkListener {
  readonly target: Target;
  readonly upgrades: Upgrades;
  readonly sockets: Sockets;
  readonly protocol = { createDialogue: () => silent };
  readonly keepsRefusals = true;
  /** Microseconds on the attack's epoch. */
  arrivedUs = 0;
  readonly #setup: AttackSetup;
  readonly #report: (report: Report) => void;
  readonly #account = new Account();
  readonly #talk: Talk;
  /** By place; null before its first attempt. */
  readonly #connections: (Connection | null)[];
  /** By place: how often it was opened again in a row, and when it was ready last. */
  readonly #reopenings: Uint8Array;
  readonly #readyUs: Float64Array;
  /** By place: 1 where messages may be sent on it. */
  readonly #isReady: Uint8Array;
  #ready = 0;
  readonly #usage = new UsageMeter();
  readonly #tcp = new Histogram();
  /** Stays empty where no TLS is spoken. */
  readonly #tls = new Histogram();
  readonly #upgrade = new Histogram();
  readonly #join = new Histogram();
  readonly #upgradedUs = new Map<Connection, number>();
  readonly #failures = new FailureTally();
  readonly #deaths = new FailureTally();
  readonly #reconnectFailures = new FailureTally();
  readonly #refusals = new Map<number, RefusalSample>();
  /** The next place to be opened for the first time, and when the first of all was: the others follow from the rate. */
  #nextPlace = 0;
  #openUs = 0;
  /** To be opened again and not yet due, in order of their times. */
  #waiting: Attempt[] = [];
  /** Being opened, the oldest first. */
  readonly #opening = new Map<Connection, Attempt>();
  #attempted = 0;
  #opened = 0;
  /** Of those that opened. */
  #compressed = 0;
  #bytesAtStart: CompressionBytes = { ...compressionBytes };
  #failedInARow = 0;
  #notAttempted = 0;
  #reconnected = 0;
  #firstAttemptUs: number | null = null;
  #lastOpenedUs: number | null = null;
  #isOpening = false;
  #load: AttackLoad | null = null;
  #hasStarted = false;
  /** Null where all connections are opened before the load, or it has not begun. */
  #ramp: ConnectionRamp | null = null;
  #startUs = 0;
  #stagesEndUs = 0;
  readonly #leaving: LeavingConnections;
  /** Open ones that the stages closed. */
  #released = 0;
  readonly #stageSums: StageSums[] = [];
  readonly #timers: Timer[] = [];
  #progressTimer: Timer | null = null;

  constructor(
    setup: AttackSetup,
    adapter: Adapter | null,
    sockets: Sockets,
    report: (report: Report) => void,
  ) {
    this.#setup = setup;
    this.target = setup.target;
    this.upgrades = new Upgrades(setup.target);
    this.sockets = sockets;
    this.#report = report;
    if (mayReadLater(setup, adapter)) sockets.readLater();
    const places = countOwn(setup, setup.connections);
    this.#connections = new Array<null>(places).fill(null);
    this.#reopenings = new Uint8Array(places);
    this.#readyUs = new Float64Array(places);
    this.#isReady = new Uint8Array(places);
    this.#talk =
      adapter === null
        ? new PlainTalk(setup, places, this.#account, this)
        : new AdapterTalk(adapter, setup, this.#account, this);
    this.#leaving = new LeavingConnections({
      isOpening: (connection) => this.#opening.has(connection),
      isAwaited: (connection) => this.#talk.waiting(connection) > 0,
      onGoodbye: (connection) => this.#talk.closed(connection),
      patienceMs: setup.replyTimeoutMs,
    });
    this.#startTimers();
  }

  obey(command: Command): void {
    switch (command.kind) {
      case "open":
        this.#open(command.startUs);
        break;
      case "stop-connecting":
        this.#stopConnecting();
        break;
      case "attack":
        this.#attack(command);
        break;
      case "settle-attack":
        this.#settle();
        break;
      case "close":
        void this.#close();
        break;
    }
  }

  clockUs(): number {
    return nowUs();
  }

  onArrival(): void {
    this.arrivedUs = Math.floor(this.sockets.arrivalUs() - this.#setup.epochUs);
    this.#account.recorder.lastArrivalUs = this.arrivedUs;
  }

  onOpened(connection: Connection): void {
    const { times } = connection;
    if (times !== null) {
      this.#tcp.record(Math.floor(times.tcpUs - times.startUs));
      if (this.target.tls !== null) this.#tls.record(Math.floor(times.tlsUs - times.tcpUs));
      this.#upgrade.record(Math.floor(times.upgradeUs - times.tlsUs));
      this.#upgradedUs.set(connection, times.upgradeUs);
    }
    this.#talk.opened(connection);
  }

  onReady(connection: Connection): void {
    const attempt = this.#opening.get(connection);
    if (attempt === undefined) return;
    this.#opening.delete(connection);
    this.#join.record(Math.floor(nowUs() - (this.#upgradedUs.get(connection) ?? nowUs())));
    this.#upgradedUs.delete(connection);
    this.#reopenings[connection.place] = Math.min(255, (attempt.failures ?? -1) + 1);
    this.#readyUs[connection.place] = this.#nowUs();
    this.#failedInARow = 0;
    if (attempt.failures === null) {
      this.#opened += 1;
      if (connection.isCompressed) this.#compressed += 1;
      this.#lastOpenedUs = this.#nowUs();
    } else {
      this.#reconnected += 1;
    }
    // The stages may have closed it meanwhile.
    if (this.#leaving.has(connection)) {
      this.#released += 1;
    } else {
      this.#isReady[connection.place] = 1;
      this.#ready += 1;
      this.#load?.noteReady(connection);
    }
    this.#settleOpening();
  }

  onRefused(connection: Connection, reason: string): void {
    this.#account.noteRejection(reason);
    if (!this.#opening.has(connection)) return;
    connection.abandon();
    this.#talk.closed(connection);
    this.#noteFailed(connection, { kind: "protocol", rule: "join-answer" });
  }

  onFailed(connection: Connection, failure: ConnectionFailure, refusal: Refusal | null): void {
    if (refusal !== null && !this.#refusals.has(refusal.status) && this.#refusals.size < mostRefusals) {
      const { status, location, body } = refusal;
      this.#refusals.set(status, { status, location, body });
    }
    this.#noteFailed(connection, failure);
  }

  onDied(connection: Connection, failure: ConnectionFailure): void {
    const owed = this.#talk.closed(connection);
    // It was upgraded and had not joined.
    if (this.#opening.has(connection)) {
      this.#noteFailed(connection, failure);
      return;
    }
    this.#account.lostOnClosed += owed;
    // It was to be closed anyway.
    if (this.#leaving.delete(connection)) return;
    this.#deaths.note(failure);
    this.#noteUnready(connection);
    if (!this.#setup.reconnect) return;
    const { place } = connection;
    const isShort = this.#nowUs() - (this.#readyUs[place] as number) < leastLifeMs * 1000;
    this.#reopen(place, isShort ? (this.#reopenings[place] as number) : 0);
  }

  onMessage(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    this.#talk.received(connection, bytes, start, end, isText);
  }

  onPong(connection: Connection, payload: Uint8Array): void {
    this.#talk.pong(connection, payload);
  }

  onAnswered(connection: Connection): void {
    if (this.#leaving.size > 0 && this.#leaving.has(connection)) return;
    this.#load?.noteAnswered(connection);
  }

  onWanted(place: number): void {
    // At once: at a peak it may be unwanted in the same turn, and counts all the same.
    this.#beginAll([{ place, atUs: this.#nowUs(), failures: null }]);
  }

  onUnwanted(place: number): void {
    this.#waiting = this.#waiting.filter((attempt) => attempt.place !== place);
    const connection = this.#connections[place] ?? null;
    if (connection === null) return;
    if (this.#isReady[place] === 1) {
      this.#noteUnready(connection);
      this.#released += 1;
    } else if (!this.#opening.has(connection)) {
      return;
    }
    this.#leaving.add(connection, this.#nowUs());
  }

  #noteUnready(connection: Connection): void {
    this.#ready -= this.#isReady[connection.place] as number;
    this.#isReady[connection.place] = 0;
    this.#load?.noteClosed(connection);
  }

  onStageEnded(): void {
    this.#stageSums.push(this.#sums());
  }

  onBlocked(): void {}

  onUnblocked(): void {}

  #open(startUs: number): void {
    this.#isOpening = true;
    this.#openUs = startUs;
    this.#usage.reset();
    this.#progressTimer = setInterval(() => this.#tellProgress(), progressIntervalMs);
    this.#tend();
  }

  #stopConnecting(): void {
    this.#notAttempted += this.#openedFirst - this.#nextPlace;
    this.#nextPlace = this.#openedFirst;
    this.#waiting = [];
    for (const connection of [...this.#opening.keys()]) this.#expire(connection);
    this.#settleOpening();
  }

  /** Opens what is due, gives up what takes too long. */
  #tend(): void {
    const atUs = this.#nowUs();
    if (this.#ramp !== null && atUs > this.#startUs) {
      // However late the last message is sent, its connection is there.
      const endUs = this.#load?.finishedSending ? Number.POSITIVE_INFINITY : this.#stagesEndUs - 1;
      this.#ramp.advance((Math.min(atUs, endUs) - this.#startUs) / 1e6);
    }
    this.#leaving.tend(atUs);
    if (this.#isOpening) this.#openDue(atUs);
    let due = 0;
    while (due < this.#waiting.length && (this.#waiting[due] as Attempt).atUs <= atUs) due += 1;
    if (due > 0) this.#beginAll(this.#waiting.splice(0, due));
    const lateUs = atUs - this.#setup.connectTimeoutMs * 1000;
    for (const [connection, attempt] of this.#opening) {
      if (attempt.atUs > lateUs) break;
      this.#expire(connection);
    }
    if (this.#hasStarted) this.#load?.tend(atUs);
    this.#settleOpening();
  }

  #beginAll(attempts: readonly Attempt[]): void {
    const held = attempts.filter((attempt) => !this.#isFree(attempt.place));
    for (const attempt of attempts) if (this.#isFree(attempt.place)) this.#begin(attempt);
    this.#waiting.unshift(...held);
  }

  /** Not so while replies to its last connection are awaited. */
  #isFree(place: number): boolean {
    const connection = this.#connections[place] ?? null;
    return connection === null || !this.#leaving.has(connection);
  }

  #openDue(nowUs: number): void {
    const { connectRatePerSecond } = this.#setup;
    for (; this.#nextPlace < this.#openedFirst; this.#nextPlace += 1) {
      const place = this.#nextPlace;
      const atUs = this.#openUs + (indexOf(this.#setup, place) / (connectRatePerSecond ?? 1)) * 1e6;
      if (atUs > nowUs) return;
      this.#begin({ place, atUs, failures: null });
    }
  }

  #begin(attempt: Attempt): void {
    const { place } = attempt;
    const connection = new Connection(indexOf(this.#setup, place), place, this);
    const { sourceAddresses } = this.#setup;
    const source = sourceAddresses[place % Math.max(1, sourceAddresses.length)] ?? null;
    this.#connections[place] = connection;
    this.#opening.set(connection, { ...attempt, atUs: this.#nowUs() });
    if (attempt.failures === null) this.#attempted += 1;
    this.#firstAttemptUs ??= this.#nowUs();
    connection.open(source);
  }

  #expire(connection: Connection): void {
    if (connection.state !== "open") {
      connection.expire();
      return;
    }
    connection.abandon();
    this.#talk.closed(connection);
    this.#noteFailed(connection, { kind: "timeout", stage: "join" });
  }

  #noteFailed(connection: Connection, failure: ConnectionFailure): void {
    const attempt = this.#opening.get(connection);
    if (attempt === undefined) return;
    this.#opening.delete(connection);
    this.#upgradedUs.delete(connection);
    const isWanted = !this.#leaving.delete(connection);
    if (attempt.failures === null) {
      this.#failures.note(failure);
      this.#failedInARow += 1;
    } else {
      this.#reconnectFailures.note(failure);
      if (isWanted) this.#reopen(connection.place, attempt.failures + 1);
    }
    this.#settleOpening();
  }

  #reopen(place: number, failures: number): void {
    const waitMs = Math.min(mostReconnectMs, leastReconnectMs * 2 ** failures);
    const attempt = { place, atUs: this.#nowUs() + waitMs * 1000, failures };
    const at = this.#waiting.findLastIndex(({ atUs }) => atUs <= attempt.atUs);
    this.#waiting.splice(at + 1, 0, attempt);
  }

  /** Connections of its own that are opened before the load: of stages the very first, if it is the worker's. */
  get #openedFirst(): number {
    const { connections, connectionStages } = this.#setup;
    return countOwn(this.#setup, connectionStages === null ? connections : 1);
  }

  #sums(): StageSums {
    const { recorder } = this.#account;
    return {
      opened: this.#opened,
      failed: this.#failures.total,
      died: this.#deaths.total,
      released: this.#released,
      open: this.#ready,
      sent: recorder.sent,
      answered: recorder.delivered,
    };
  }

  /** What the load came to by stages; the last of them has what came after its end, too. */
  #endStages(): AttackReport["staged"] {
    if (this.#setup.connectionStages === null) return null;
    for (const connection of [...this.#opening.keys()]) this.#expire(connection);
    const ended = this.#ramp?.isOver ? this.#stageSums.slice(0, -1) : this.#stageSums;
    this.#ramp = null;
    this.#waiting = [];
    return { opening: this.#describeOpening(), sums: [...ended, this.#sums()] };
  }

  /** Tells once that every first attempt has come to an end. */
  #settleOpening(): void {
    if (!this.#isOpening || this.#opened + this.#failures.total + this.#notAttempted < this.#openedFirst)
      return;
    this.#isOpening = false;
    this.#report({ kind: "opened", report: this.#describeOpening() });
  }

  #describeOpening(): OpenReport {
    const { rooms } = this.#setup;
    const readyByRoom = new Array<number>(rooms).fill(0);
    for (const { index } of this.#listReady()) {
      readyByRoom[index % rooms] = (readyByRoom[index % rooms] as number) + 1;
    }
    return {
      attempted: this.#attempted,
      opened: this.#opened,
      failed: this.#failures.total,
      failedInARow: this.#failedInARow,
      died: this.#deaths.total,
      ready: this.#ready,
      readyByRoom,
      compressed: this.#compressed,
      failures: this.#failures.list(),
      refusals: [...this.#refusals.values()],
      notAttempted: this.#notAttempted,
      firstAttemptUs: this.#firstAttemptUs,
      lastOpenedUs: this.#lastOpenedUs,
      tcp: this.#tcp.toSparse(),
      tls: this.target.tls === null ? null : this.#tls.toSparse(),
      upgrade: this.#upgrade.toSparse(),
      join: this.#join.toSparse(),
    };
  }

  #attack(start: AttackStart): void {
    const setup = this.#setup;
    const { startUs } = start;
    this.#account.recorder.begin(startUs);
    this.#bytesAtStart = { ...compressionBytes };
    this.#talk.begin(start);
    const order = shuffle(createRandom(setup.seed + setup.worker), this.#listReady());
    const load = new AttackLoad({
      setup,
      talk: this.#talk,
      account: this.#account,
      ready: order,
      places: this.#connections.length,
      clockUs: () => this.#nowUs(),
      wakesWithinUs: this.sockets.wakesWithinUs,
      startUs,
      onMilestone: () => this.#tellProgress(),
    });
    this.#load = load;
    this.#startUs = startUs;
    if (setup.connectionStages !== null) {
      this.#ramp = new ConnectionRamp(setup.connectionStages, setup, this);
      this.#stagesEndUs = startUs + secondsOf(setup.connectionStages) * 1e6;
    }
    this.sockets.pace(() => {
      if (!this.#hasStarted && this.#nowUs() >= startUs) {
        this.#hasStarted = true;
        this.#usage.reset();
      }
      return load.turn();
    }, arrivalsPerTurn);
  }

  #settle(): void {
    this.#load?.stop();
    this.sockets.rest();
    if (this.#progressTimer !== null) clearInterval(this.#progressTimer);
    const staged = this.#endStages();
    const account = this.#account;
    const report: AttackReport = {
      ...this.#progress(true),
      ...account.report(),
      planned: this.#load?.planned ?? account.recorder.sent + account.unsent,
      compression: this.target.compression === null ? null : bytesSince(this.#bytesAtStart),
      died: this.#deaths.total,
      deaths: this.#deaths.list(),
      reconnected: this.#reconnected,
      reconnectFailures: this.#reconnectFailures.list(),
      staged,
      ready: this.#ready,
      usage: this.#usage.read(),
    };
    this.#report({ kind: "attacked", report });
  }

  async #close(): Promise<void> {
    this.#usage.stop();
    for (const timer of this.#timers) clearInterval(timer);
    this.#waiting = [];
    const connections = [
      ...this.#connections.filter((connection) => connection !== null),
      ...this.#leaving.closing,
    ];
    for (const connection of connections) connection.close();
    const untilUs = nowUs() + goodbyeMs * 1000;
    while (nowUs() < untilUs && connections.some(({ state }) => state === "closing")) await Bun.sleep(10);
    for (const connection of connections) connection.abandon();
    this.#report({ kind: "closed" });
  }

  #tellProgress(): void {
    this.#report({
      kind: "connecting",
      progress: {
        attempted: this.#attempted,
        opened: this.#opened,
        failed: this.#failures.total,
        failedInARow: this.#failedInARow,
        died: this.#deaths.total,
        reconnected: this.#reconnected,
        released: this.#released,
      },
    });
    if (this.#load !== null) this.#report({ kind: "progress", progress: this.#progress(false) });
  }

  #progress(all: boolean): PhaseProgress {
    const { recorder, expected, unsent, duplicated, unmatched } = this.#account;
    return {
      sent: recorder.sent,
      expected,
      delivered: recorder.delivered,
      errors: unsent + this.#deaths.total + duplicated + unmatched,
      finishedSending: this.#isDone(),
      lastArrivalUs: recorder.lastArrivalUs,
      seconds: recorder.takeSeconds(this.#nowUs(), all),
    };
  }

  /** Nothing more will be sent, and its stages have come to their end with all that they asked for. */
  #isDone(): boolean {
    if (this.#load?.finishedSending !== true) return false;
    return this.#ramp === null || (this.#ramp.isOver && this.#leaving.size === 0 && this.#opening.size === 0);
  }

  #startTimers(): void {
    this.#every(tendIntervalMs, () => this.#tend());
    const { pingIntervalSeconds } = this.#setup;
    if (pingIntervalSeconds !== null) {
      this.#every(pingIntervalSeconds * 1000, () => {
        for (const connection of this.#listReady()) connection.ping(emptyPayload);
      });
    }
    const { heartbeatSeconds } = this.#talk;
    if (heartbeatSeconds !== null) {
      this.#every(heartbeatSeconds * 1000, () => {
        for (const connection of this.#listReady()) this.#talk.heartbeat(connection);
      });
    }
  }

  #every(intervalMs: number, work: () => void): void {
    this.#timers.push(setInterval(work, intervalMs));
  }

  *#listReady(): Iterable<Connection> {
    for (const [place, isReady] of this.#isReady.entries()) {
      if (isReady === 1) yield this.#connections[place] as Connection;
    }
  }

  #nowUs(): number {
    return Math.floor(nowUs() - this.#setup.epochUs);
  }
}

/**
 * Whether what arrives may wait for the next send. A closed loop sends when something arrives. Where a room's messages
 * come to everybody in it, several may wait on one connection, and the time of the last would be that of all.
 */
function mayReadLater({ load, pacing }: AttackSetup, adapter: Adapter | null): boolean {
  const { delivery } = adapter?.answers ?? { delivery: "nobody" };
  const isAlone = delivery === "nobody" || delivery === "sender";
  return load.kind === "open" && pacing !== "spin" && isAlone;
}
