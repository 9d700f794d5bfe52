import { nowUs } from "../../machine/clock.ts";
import { createRandom, shuffle } from "../../plan/random.ts";
import type { ConnectionFailure } from "../../result/reasons.ts";
import { Upgrades } from "../../websocket/handshake.ts";
import type { Refusal } from "../../websocket/refusal.ts";
import type { Adapter } from "../adapters/adapter.ts";
import { bytesSince, type CompressionBytes, compressionBytes } from "../compression.ts";
import { Connection, type ConnectionOwner } from "../connection.ts";
import { closeAll } from "../goodbye.ts";
import { Openings } from "../openings.ts";
import { countOwn, indexOf } from "../places.ts";
import type { Sockets } from "../sockets/socket.ts";
import type { Target } from "../target.ts";
import { UsageMeter } from "../usage-meter.ts";
import type { AttackStart, Command, PhaseProgress, Report } from "../worker-protocol.ts";
import { Account } from "./account.ts";
import { AdapterTalk } from "./adapter-talk.ts";
import { AttackLoad } from "./attack-load.ts";
import type { AttackReport, AttackSetup, OpenReport, StageSums } from "./attack-orders.ts";
import { ConnectionOpener } from "./connection-opener.ts";
import { keepAlive } from "./keep-alive.ts";
import { LeavingConnections } from "./leaving-connections.ts";
import { PlainTalk } from "./plain-talk.ts";
import { ReadyConnections } from "./ready-connections.ts";
import { StagedConnections } from "./staged-connections.ts";
import type { Talk, TalkListener } from "./talk.ts";

const progressIntervalMs = 200;
/** How often it is looked for connections that are due, or late. */
const tendIntervalMs = 5;
/** An open loop must not be late because much arrives at once. */
const arrivalsPerTurn = 16;

const silent = { say: () => null, hear: () => false };

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
  /** By place; null before its first attempt. */
  readonly #connections: (Connection | null)[];
  readonly #account = new Account();
  readonly #talk: Talk;
  readonly #usage = new UsageMeter();
  readonly #openings: Openings;
  readonly #opener: ConnectionOpener;
  readonly #ready: ReadyConnections;
  readonly #leaving: LeavingConnections;
  readonly #staged: StagedConnections;
  readonly #timers: Timer[];
  #progressTimer: Timer | null = null;
  #load: AttackLoad | null = null;
  #hasStarted = false;
  #bytesAtStart: CompressionBytes = { ...compressionBytes };

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
    this.#ready = new ReadyConnections(this.#connections);
    this.#talk =
      adapter === null
        ? new PlainTalk(setup, places, this.#account, this)
        : new AdapterTalk(adapter, setup, this.#account, this);
    this.#openings = new Openings(setup.target.tls !== null);
    this.#opener = this.#createOpener();
    this.#leaving = new LeavingConnections({
      isOpening: (connection) => this.#opener.isOpening(connection),
      isAwaited: (connection) => this.#talk.waiting(connection) > 0,
      onGoodbye: (connection) => this.#talk.closed(connection),
      patienceMs: setup.replyTimeoutMs,
    });
    this.#staged = new StagedConnections({
      setup,
      connections: this.#connections,
      opener: this.#opener,
      ready: this.#ready,
      leaving: this.#leaving,
      clockUs: () => this.#nowUs(),
      onUnready: (connection) => this.#noteUnready(connection),
      sums: () => this.#sums(),
    });
    this.#timers = [
      setInterval(() => this.#tend(), tendIntervalMs),
      ...keepAlive(this.#ready, setup.pingIntervalSeconds, this.#talk),
    ];
  }

  obey(command: Command): void {
    switch (command.kind) {
      case "open":
        this.#open(command.startUs);
        break;
      case "stop-connecting":
        this.#opener.stop();
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
    this.#opener.noteUpgraded(connection);
    this.#talk.opened(connection);
  }

  onReady(connection: Connection): void {
    if (!this.#opener.noteReady(connection)) return;
    // The stages may have closed it meanwhile.
    if (this.#leaving.has(connection)) {
      this.#staged.released += 1;
    } else {
      this.#ready.add(connection.place);
      this.#load?.noteReady(connection);
    }
    this.#opener.settle();
  }

  onRefused(connection: Connection, reason: string): void {
    this.#account.noteRejection(reason);
    if (!this.#opener.isOpening(connection)) return;
    this.#opener.giveUp(connection, { kind: "protocol", rule: "join-answer" });
  }

  onFailed(connection: Connection, failure: ConnectionFailure, refusal: Refusal | null): void {
    if (refusal !== null) this.#openings.noteRefusal(refusal);
    this.#opener.noteFailed(connection, failure);
  }

  onDied(connection: Connection, failure: ConnectionFailure): void {
    const owed = this.#talk.closed(connection);
    // It was upgraded and had not joined.
    if (this.#opener.isOpening(connection)) {
      this.#opener.noteFailed(connection, failure);
      return;
    }
    this.#account.lostOnClosed += owed;
    // It was to be closed anyway.
    if (this.#leaving.delete(connection)) return;
    this.#openings.noteDied(failure);
    this.#noteUnready(connection);
    if (this.#setup.reconnect) this.#opener.reopen(connection.place);
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

  onBlocked(): void {}

  onUnblocked(): void {}

  #createOpener(): ConnectionOpener {
    const setup = this.#setup;
    return new ConnectionOpener({
      setup,
      openings: this.#openings,
      places: this.#connections.length,
      clockUs: () => this.#nowUs(),
      create: (place) => {
        const connection = new Connection(indexOf(setup, place), place, this);
        this.#connections[place] = connection;
        return connection;
      },
      isFree: (place) => {
        const connection = this.#connections[place] ?? null;
        return connection === null || !this.#leaving.has(connection);
      },
      onGivenUp: (connection) => this.#talk.closed(connection),
      onFailed: (connection) => !this.#leaving.delete(connection),
      onTried: () => this.#report({ kind: "opened", report: this.#describeOpening() }),
    });
  }

  #open(startUs: number): void {
    this.#usage.reset();
    this.#progressTimer = setInterval(() => this.#tellProgress(), progressIntervalMs);
    this.#opener.begin(startUs);
    this.#tend();
  }

  #tend(): void {
    const atUs = this.#nowUs();
    this.#staged.tend(atUs, this.#load?.finishedSending ?? false);
    this.#leaving.tend(atUs);
    this.#opener.tend(atUs);
    if (this.#hasStarted) this.#load?.tend(atUs);
    this.#opener.settle();
  }

  #noteUnready(connection: Connection): void {
    this.#ready.delete(connection.place);
    this.#load?.noteClosed(connection);
  }

  #attack(start: AttackStart): void {
    const setup = this.#setup;
    const { startUs } = start;
    this.#account.recorder.begin(startUs);
    this.#bytesAtStart = { ...compressionBytes };
    this.#talk.begin(start);
    const order = shuffle(createRandom(setup.seed + setup.worker), this.#ready);
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
    this.#staged.begin(startUs);
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
    const sums = this.#staged.end();
    const account = this.#account;
    const { deaths, reopened } = this.#openings;
    const report: AttackReport = {
      ...this.#progress(true),
      ...account.report(),
      planned: this.#load?.planned ?? account.recorder.sent + account.unsent,
      compression: this.target.compression === null ? null : bytesSince(this.#bytesAtStart),
      died: deaths.total,
      deaths: deaths.list(),
      reconnected: reopened,
      reconnectFailures: this.#opener.reconnectFailures.list(),
      staged: sums === null ? null : { opening: this.#describeOpening(), sums },
      ready: this.#ready.count,
      usage: this.#usage.read(),
    };
    this.#report({ kind: "attacked", report });
  }

  async #close(): Promise<void> {
    this.#usage.stop();
    for (const timer of this.#timers) clearInterval(timer);
    const own = this.#connections.filter((connection) => connection !== null);
    await closeAll([...own, ...this.#leaving.closing]);
    this.#report({ kind: "closed" });
  }

  #tellProgress(): void {
    this.#report({
      kind: "connecting",
      progress: {
        ...this.#openings.progress(),
        reconnected: this.#openings.reopened,
        released: this.#staged.released,
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
      errors: unsent + this.#openings.deaths.total + duplicated + unmatched,
      // With all that the stages have asked for.
      finishedSending: this.#load?.finishedSending === true && this.#staged.isDone,
      lastArrivalUs: recorder.lastArrivalUs,
      seconds: recorder.takeSeconds(this.#nowUs(), all),
    };
  }

  #describeOpening(): OpenReport {
    const { compressed, refusals } = this.#openings;
    return {
      ...this.#openings.report(this.#opener.notAttempted),
      ready: this.#ready.count,
      readyByRoom: this.#ready.countByRoom(this.#setup.rooms),
      compressed,
      refusals,
    };
  }

  #sums(): StageSums {
    const { recorder } = this.#account;
    const { opened, failed, deaths } = this.#openings;
    return {
      opened,
      failed,
      died: deaths.total,
      released: this.#staged.released,
      open: this.#ready.count,
      sent: recorder.sent,
      answered: recorder.delivered,
    };
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
