import { nowUs } from "../../machine/clock.ts";
import { countOf, createDueTimes, loadSeconds } from "../../plan/attack/rate.ts";
import type { ConnectionFailure } from "../../result/reasons.ts";
import type { Refusal } from "../../websocket/refusal.ts";
import { Account } from "../attack/account.ts";
import type { AttackReport, AttackSetup, OpenReport } from "../attack/attack-orders.ts";
import { bytesSince, type CompressionBytes, compressionBytes } from "../compression.ts";
import { closeAll, goodbyeMs } from "../goodbye.ts";
import { Openings } from "../openings.ts";
import { countOwn, indexOf } from "../places.ts";
import type { Sockets } from "../sockets/socket.ts";
import type { Target } from "../target.ts";
import { UsageMeter } from "../usage-meter.ts";
import type { Command, ConnectProgress, PhaseProgress, Report } from "../worker-protocol.ts";
import { Iteration } from "./iteration.ts";
import { Rooms } from "./rooms.ts";
import type { Scenario } from "./scenario.ts";
import { ScenarioAccount } from "./scenario-account.ts";
import type { ScenarioProgress } from "./scenario-report.ts";
import { createUser, type Stage } from "./user.ts";
import { nameFailure, type SocketHost, UserSocket } from "./user-socket.ts";

const progressIntervalMs = 200;
/** How often it is looked for what is due. */
const tendIntervalMs = 5;
/** A user begins again this long after a failure; twice as late after each further one in a row. */
const leastRetryMs = 100;
const mostRetryMs = 5000;

const isPastEnd = "the load is over";
const isPastIteration = "the iteration has ended before this was done: await it";

/** One of this worker's users. */
interface Place {
  /** Over all workers. */
  readonly user: number;
  readonly row: Readonly<Record<string, string>>;
  iterations: number;
  failuresInARow: number;
}

/** One worker's users, each of whom goes through the scenario again and again. Obeys the commands of an attack. */
export class ScenarioWorker implements SocketHost, Stage {
  readonly sockets: Sockets;
  readonly target: Target;
  readonly account = new Account();
  readonly tally = new ScenarioAccount();
  readonly rooms = new Rooms();
  readonly users: number;
  readonly replyTimeoutMs: number;
  readonly #scenario: Scenario;
  readonly #file: string;
  readonly #setup: AttackSetup;
  readonly #report: (report: Report) => void;
  readonly #openings: Openings;
  readonly #usage = new UsageMeter();
  readonly #timers: Timer[] = [];
  readonly #running = new Map<Place, Iteration>();
  /** Not yet begun, in order; of an open loop those that are free. */
  #idle: Place[];
  readonly #told = new Map<UserSocket, (problem: string | null) => void>();
  readonly #open = new Set<UserSocket>();
  readonly #leaving = new Set<UserSocket>();
  #startUs = Number.POSITIVE_INFINITY;
  #endUs = Number.POSITIVE_INFINITY;
  /** Of an open loop: iterations that were due so far, of this worker's. */
  #due = 0;
  #dueUs: ((iteration: number) => number) | null = null;
  #count = 0;
  #isCut = false;
  #isFinished = false;
  #bytesAtStart: CompressionBytes = { ...compressionBytes };

  /** @param file of the scenario, absolute */
  constructor(
    scenario: Scenario,
    file: string,
    setup: AttackSetup,
    sockets: Sockets,
    report: (report: Report) => void,
  ) {
    this.#scenario = scenario;
    this.#file = file;
    this.#setup = setup;
    this.#report = report;
    this.sockets = sockets;
    this.target = setup.target;
    this.users = countOwn(setup, setup.connections);
    this.replyTimeoutMs = setup.replyTimeoutMs;
    this.#openings = new Openings(setup.target.tls !== null);
    const { columns, rows } = setup;
    this.#idle = Array.from({ length: this.users }, (_, place) => ({
      user: indexOf(setup, place),
      row: Object.fromEntries(columns.map((name, at) => [name, rows[place]?.[at] ?? ""])),
      iterations: 0,
      failuresInARow: 0,
    }));
    process.on("unhandledRejection", this.#onStray);
  }

  obey(command: Command): void {
    switch (command.kind) {
      case "attack":
        this.#begin(command.startUs);
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

  nowUs(): number {
    return Math.floor(nowUs() - this.#setup.epochUs);
  }

  open(user: number, target: Target, told: (problem: string | null) => void): UserSocket {
    const { sourceAddresses, connectTimeoutMs } = this.#setup;
    const { attempted } = this.#openings;
    const source = sourceAddresses[attempted % Math.max(1, sourceAddresses.length)] ?? null;
    const socket = new UserSocket(user, target, this);
    const timer = setTimeout(() => socket.connection.expire(), connectTimeoutMs);
    this.#told.set(socket, (problem) => {
      clearTimeout(timer);
      this.#told.delete(socket);
      told(problem);
    });
    this.#openings.noteAttempt(this.nowUs());
    socket.connection.open(source);
    return socket;
  }

  close(socket: UserSocket): void {
    if (this.#told.has(socket)) {
      socket.connection.abandon();
      this.#told.get(socket)?.("the scenario has closed the connection");
    }
    this.rooms.leave(socket);
    if (!this.#open.delete(socket)) return;
    this.#leaving.add(socket);
    socket.close();
    setTimeout(() => {
      socket.connection.abandon();
      this.#leaving.delete(socket);
    }, goodbyeMs);
  }

  noteOpened(socket: UserSocket): void {
    this.#openings.noteUpgraded(socket.connection);
    this.#openings.noteOpened(socket.connection, this.nowUs());
    this.#open.add(socket);
    this.#told.get(socket)?.(null);
  }

  noteFailed(socket: UserSocket, failure: ConnectionFailure, refusal: Refusal | null): void {
    this.#openings.noteFailed(failure);
    if (refusal !== null) this.#openings.noteRefusal(refusal);
    this.#told.get(socket)?.(`no connection (${nameFailure(failure)})`);
  }

  noteDied(socket: UserSocket, failure: ConnectionFailure): void {
    this.#openings.noteDied(failure);
    this.#open.delete(socket);
    this.rooms.leave(socket);
  }

  #begin(startUs: number): void {
    const { load, worker, workers } = this.#setup;
    this.account.recorder.begin(startUs);
    this.#startUs = startUs;
    this.#endUs = startUs + loadSeconds(load) * 1e6;
    if (load.kind === "open") {
      const all = countOf(load.segments);
      this.#count = Math.max(0, Math.ceil((all - worker) / workers));
      const due = createDueTimes(load.segments);
      this.#dueUs = (iteration) => startUs + due(iteration * workers + worker);
    }
    this.#usage.reset();
    this.#bytesAtStart = { ...compressionBytes };
    this.#every(progressIntervalMs, () => this.#tellProgress());
    this.#every(tendIntervalMs, () => this.#tend());
  }

  #tend(): void {
    const atUs = this.nowUs();
    if (atUs < this.#endUs) {
      if (this.#dueUs === null) this.#startUsers(atUs);
      else this.#startDue(this.#dueUs, atUs);
      return;
    }
    if (!this.#isCut) {
      // Nobody begins any more: where all wait for others, nobody comes.
      const isHopeless = this.#running.size > 0 && this.rooms.waiting === this.#running.size;
      const isLate = atUs >= this.#endUs + this.replyTimeoutMs * 1000;
      if (isLate || isHopeless) this.#cut(isLate);
    }
    if (this.#running.size > 0 || this.#isFinished) return;
    // The last of an open loop are due as the load ends.
    if (this.#dueUs !== null) this.tally.iterations.unstarted += this.#count - this.#due;
    this.#isFinished = true;
    this.#tellProgress();
  }

  /** Users begin one after another, as connections of other loads are opened. */
  #startUsers(atUs: number): void {
    // Null where stages say how connections open, which a scenario has none of.
    const { connectRatePerSecond } = this.#setup;
    const every = connectRatePerSecond === null ? 0 : 1e6 / connectRatePerSecond;
    let [first] = this.#idle;
    while (first !== undefined && this.#startUs + first.user * every <= atUs) {
      this.#idle.shift();
      this.#iterate(first);
      [first] = this.#idle;
    }
  }

  #startDue(dueUs: (iteration: number) => number, atUs: number): void {
    while (this.#due < this.#count && dueUs(this.#due) <= atUs) {
      this.#due += 1;
      const free = this.#idle.shift();
      if (free === undefined) this.tally.iterations.unstarted += 1;
      else this.#iterate(free);
    }
  }

  #iterate(place: Place): void {
    const atUs = this.nowUs();
    if (this.#isCut || atUs >= this.#endUs) return;
    const iteration = new Iteration(this.#file, atUs);
    place.iterations += 1;
    this.tally.iterations.started += 1;
    this.#running.set(place, iteration);
    const { user, row } = place;
    const given = createUser(this, iteration, { user, row, iteration: place.iterations });
    const done = async () => await this.#scenario.run(given);
    done().then(
      () => this.#noteFinished(place, iteration),
      (error: unknown) => this.#noteFailed(place, iteration, error),
    );
  }

  #noteFinished(place: Place, iteration: Iteration): void {
    if (iteration.isOver) return;
    this.tally.noteFinished(this.nowUs() - iteration.startedUs);
    place.failuresInARow = 0;
    this.#leave(place, iteration, isPastIteration);
    // In a later turn: one that awaits nothing must not keep the process for itself.
    setImmediate(() => this.#goOn(place));
  }

  #noteFailed(place: Place, iteration: Iteration, error: unknown): void {
    if (iteration.isOver) return;
    this.tally.iterations.failed += 1;
    this.tally.noteFailure("thrown", messageOf(error), iteration.placeOf(error) ?? iteration.last.place);
    const waitMs = Math.min(mostRetryMs, leastRetryMs * 2 ** place.failuresInARow);
    place.failuresInARow += 1;
    this.#leave(place, iteration, isPastIteration);
    setTimeout(() => this.#goOn(place), waitMs);
  }

  /** At a rate it waits for its turn; else it begins again at once. */
  #goOn(place: Place): void {
    if (this.#dueUs === null) this.#iterate(place);
    else this.#idle.push(place);
  }

  #leave(place: Place, iteration: Iteration, message: string): void {
    this.#running.delete(place);
    iteration.end(message);
    for (const socket of iteration.sockets) this.close(socket);
  }

  /** Ends whatever still goes on. @param isTold where each was is listed */
  #cut(isTold: boolean): void {
    this.#isCut = true;
    for (const [place, iteration] of [...this.#running]) {
      const { call, place: where } = iteration.last;
      this.tally.iterations.unended += 1;
      if (isTold) this.tally.noteFailure("unended", call, where);
      // What it does in `finally` still happens: its connections close only then.
      this.#running.delete(place);
      iteration.end(isPastEnd);
      setTimeout(() => this.#leave(place, iteration, isPastEnd), 0);
    }
  }

  /** A promise of the scenario's own failed, and nobody awaits it. */
  readonly #onStray = (error: unknown): void => {
    if (this.#isCut) return;
    const file = new Iteration(this.#file, 0);
    this.tally.noteFailure("thrown", `not awaited: ${messageOf(error)}`, file.placeOf(error));
  };

  #settle(): void {
    const openAtEnd = this.#open.size;
    this.#cut(false);
    const { account, tally } = this;
    const { deaths } = this.#openings;
    const { compression } = this.target;
    const report: AttackReport = {
      ...this.#progress(true),
      ...account.report(),
      staged: null,
      planned: account.recorder.sent + account.unsent,
      compression: compression === null ? null : bytesSince(this.#bytesAtStart),
      died: deaths.total,
      deaths: deaths.list(),
      reconnected: 0,
      reconnectFailures: [],
      ready: openAtEnd,
      usage: this.#usage.read(),
      scenarioEnd: {
        opening: this.#describeOpening(),
        failures: tally.listFailures(),
        otherFailures: tally.otherFailures,
      },
    };
    this.#report({ kind: "attacked", report });
  }

  async #close(): Promise<void> {
    this.#usage.stop();
    for (const timer of this.#timers) clearInterval(timer);
    process.off("unhandledRejection", this.#onStray);
    for (const socket of this.#open) this.close(socket);
    await closeAll([...this.#leaving].map(({ connection }) => connection));
    for (const { connection } of this.#told.keys()) connection.abandon();
    this.#report({ kind: "closed" });
  }

  #tellProgress(): void {
    this.#report({ kind: "connecting", progress: this.#connectProgress() });
    this.#report({ kind: "progress", progress: this.#progress(false) });
  }

  /** Those that are open and those that died: what the scenario closed itself is of no interest while it goes on. */
  #connectProgress(): ConnectProgress {
    const progress = this.#openings.progress();
    return { ...progress, opened: this.#open.size + progress.died };
  }

  #describeOpening(): OpenReport {
    const { attempted, opened, failed, compressed, refusals } = this.#openings;
    return {
      // The scenario or the load's end took back what is neither open nor failed.
      ...this.#openings.report(attempted - opened - failed),
      ready: this.#open.size,
      readyByRoom: [],
      compressed,
      refusals,
    };
  }

  #progress(all: boolean): PhaseProgress & { readonly scenario: ScenarioProgress } {
    const { recorder, expected, unsent } = this.account;
    return {
      sent: recorder.sent,
      expected,
      delivered: recorder.delivered,
      errors: unsent + this.#openings.deaths.total + this.tally.iterations.failed,
      finishedSending: this.#isFinished,
      lastArrivalUs: recorder.lastArrivalUs,
      seconds: recorder.takeSeconds(this.nowUs(), all),
      scenario: this.tally.takeProgress(),
    };
  }

  #every(intervalMs: number, work: () => void): void {
    this.#timers.push(setInterval(work, intervalMs));
  }
}

/** Of whatever was thrown, in its own words. */
function messageOf(error: unknown): string {
  try {
    if (!(error instanceof Error)) return `threw ${String(error)}`;
    return error.name === "Error" ? error.message : `${error.name}: ${error.message}`;
  } catch {
    return "threw what has no text";
  }
}
