import { nowUs } from "../machine/clock.ts";
import { preferMainThread } from "../machine/main-thread.ts";
import { pinProcess } from "../machine/pin.ts";
import type { Workload } from "../plan/plan.ts";
import { Histogram } from "../stats/histogram.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import { Connector } from "./connector.ts";
import { Faults } from "./faults/faults.ts";
import { MessagePhase } from "./message-phase.ts";
import { sockets } from "./sockets/system-sockets.ts";
import type { Command, PhaseOrder, Report, WorkerSetup, WorkerUsage } from "./worker-protocol.ts";

const progressIntervalMs = 200;
const heartbeatMs = 10;
/** How long a server may take to close what was said goodbye to. */
const goodbyeMs = 2000;

/** The generator process: owns its share of the connections and does what the tool's commands say. */
class Worker implements ConnectionOwner {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly #setup: WorkerSetup;
  readonly #connections: Connection[];
  /** Per workload the last sequence number of each connection, carried from phase to phase. */
  readonly #seqs: Readonly<Record<Workload, Int32Array>>;
  readonly #connector: Connector;
  readonly #loopDelay = new Histogram();
  readonly #heartbeat: Timer;
  #phase: MessagePhase | null = null;
  /** In a chaos phase, until its connections are back. */
  #faults: Faults | null = null;
  #progressTimer: Timer | null = null;
  #blocked = 0;
  #cpuAtStart = process.cpuUsage();

  constructor(setup: WorkerSetup) {
    this.host = setup.host;
    this.port = setup.port;
    this.path = setup.path;
    this.#setup = setup;
    const owned = Math.max(0, Math.ceil((setup.connections - setup.worker) / setup.workers));
    this.#connections = Array.from({ length: owned }, (_, place) => this.#createConnection(place));
    this.#seqs = {
      echo: new Int32Array(owned),
      broadcast: new Int32Array(owned),
      rooms: new Int32Array(owned),
    };
    this.#connector = new Connector({
      connections: this.#connections,
      sourceAddresses: setup.sourceAddresses,
      timeoutMs: setup.connectTimeoutMs,
      epochUs: setup.epochUs,
      clockUs: nowUs,
    });
    this.#heartbeat = this.#startHeartbeat();
  }

  clockUs(): number {
    return nowUs();
  }

  onArrival(): void {
    this.#phase?.onArrival();
  }

  onOpened(connection: Connection): void {
    if (this.#faults?.noteOpened(connection)) return;
    this.#connector.noteOpened(connection);
  }

  onFailed(connection: Connection, reason: string): void {
    if (this.#faults?.noteFailed(connection)) return;
    this.#connector.noteFailed(reason);
  }

  onDied(connection: Connection, reason: string): void {
    this.#phase?.onDied(connection, reason);
    this.#faults?.noteDied(connection);
  }

  onMessage(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    this.#faults?.noteMessage(connection);
    this.#phase?.onMessage(connection, bytes, start, end, isText);
  }

  onBlocked(): void {
    this.#blocked += 1;
  }

  onUnblocked(): void {
    this.#blocked -= 1;
  }

  async connect(batch: number): Promise<void> {
    this.#resetUsage();
    const idleRssBytes = process.memoryUsage.rss();
    const opened = await this.#connector.run(batch, (progress) => report({ kind: "connecting", progress }));
    report({
      kind: "connected",
      report: { ...opened, usage: this.#usage(), idleRssBytes, alive: this.#alive() },
    });
  }

  stopConnecting(): void {
    this.#connector.stop();
  }

  startPhase(order: PhaseOrder): void {
    const { epochUs, pacing } = this.#setup;
    // Before each phase, since the compiler and the collector start threads when they need them. Not for bursts:
    // they have no due times that compiling could delay, and without it they would be slow.
    if (pacing === "spin") preferMainThread(order.pattern.kind === "steady");
    const phase = new MessagePhase({
      setup: this.#setup,
      order,
      connections: this.#connections,
      seqs: this.#seqs[order.workload],
      clockUs: () => Math.floor(nowUs() - epochUs),
      isBlocked: () => this.#blocked > 0,
      wakesWithinUs: sockets.wakesWithinUs,
      onStart: () => this.#resetUsage(),
      onMilestone: () => report({ kind: "progress", progress: phase.progress() }),
    });
    this.#phase = phase;
    this.#faults = this.#createFaults(order);
    this.#faults?.begin();
    this.#progressTimer = setInterval(
      () => report({ kind: "progress", progress: phase.progress() }),
      progressIntervalMs,
    );
    sockets.pace(() => phase.turn(), phase.arrivalsPerTurn);
  }

  settle(): void {
    if (this.#progressTimer !== null) clearInterval(this.#progressTimer);
    sockets.rest();
    const phase = this.#phase;
    if (phase === null) return;
    this.#phase = null;
    const settled = { ...phase.settle(), usage: this.#usage() };
    const chaos = this.#faults === null ? null : phase.reportImpact(this.#faults.report());
    report({ kind: "settled", report: chaos === null ? settled : { ...settled, chaos } });
  }

  async mend(timeoutMs: number): Promise<void> {
    const mended = (await this.#faults?.mend(timeoutMs)) ?? { wanted: 0, opened: 0, slowestUs: null };
    this.#faults = null;
    report({ kind: "mended", report: { ...mended, alive: this.#alive() } });
  }

  release(count: number): void {
    const open = this.#connections.filter(({ state }) => state === "open");
    for (const connection of open.slice(Math.max(0, open.length - count))) connection.close();
    report({ kind: "released", alive: this.#alive() });
  }

  async close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#faults?.stop();
    for (const connection of this.#connections) connection.close();
    const untilUs = nowUs() + goodbyeMs * 1000;
    while (nowUs() < untilUs && this.#connections.some(({ state }) => state === "closing"))
      await Bun.sleep(10);
    for (const connection of this.#connections) connection.abandon();
    report({ kind: "closed" });
  }

  #createConnection(place: number): Connection {
    const { worker, workers, joins } = this.#setup;
    const index = place * workers + worker;
    return new Connection(
      index,
      joins.map(({ first, count }) => first + (index % count)),
      this,
    );
  }

  #createFaults({ chaos, rooms, pattern }: PhaseOrder): Faults | null {
    if (chaos === undefined || rooms === null || pattern.kind !== "steady") return null;
    const { count } = rooms.group;
    return new Faults({
      order: chaos,
      setup: this.#setup,
      connections: this.#connections,
      create: (place) => this.#createConnection(place),
      clockUs: () => nowUs() - this.#setup.epochUs,
      isSpokenTo: ({ index }) => (rooms.senders[index % count] ?? []).length > 0,
      roomIntervalUs: (pattern.seconds * 1e6 * count) / rooms.sends,
    });
  }

  #alive(): number[] {
    return this.#connections.filter(({ state }) => state === "open").map(({ index }) => index);
  }

  #startHeartbeat(): Timer {
    let dueUs = nowUs() + heartbeatMs * 1000;
    return setInterval(() => {
      const now = nowUs();
      this.#loopDelay.record(Math.floor(now - dueUs));
      dueUs = now + heartbeatMs * 1000;
    }, heartbeatMs);
  }

  #resetUsage(): void {
    this.#loopDelay.reset();
    this.#cpuAtStart = process.cpuUsage();
  }

  #usage(): WorkerUsage {
    const { user, system } = process.cpuUsage(this.#cpuAtStart);
    return {
      cpuMs: (user + system) / 1000,
      rssBytes: process.memoryUsage.rss(),
      loopDelay: this.#loopDelay.toSparse(),
    };
  }
}

/** Why this process does not run where it should; null when it does. */
function pin(cpus: readonly number[] | null): string | null {
  const result = cpus === null ? null : pinProcess(cpus);
  return result === null || result.pinned ? null : result.reason;
}

function report(message: Report): void {
  process.send?.(message);
}

let worker: Worker | null = null;

function obey(command: Command): void {
  switch (command.kind) {
    case "setup":
      worker = new Worker(command.setup);
      report({ kind: "ready", pinFailure: pin(command.setup.cpus) });
      break;
    case "connect":
      void worker?.connect(command.batch);
      break;
    case "stop-connecting":
      worker?.stopConnecting();
      break;
    case "release":
      worker?.release(command.count);
      break;
    case "start":
      worker?.startPhase(command.order);
      break;
    case "settle":
      worker?.settle();
      break;
    case "mend":
      void worker?.mend(command.timeoutMs);
      break;
    case "close":
      void worker?.close();
      break;
  }
}

process.on("message", (command: Command) => obey(command));
// The tool is gone: so is the reason to live.
process.on("disconnect", () => process.exit(0));
// Ctrl-C reaches the whole foreground group; the tool decides what it means.
process.on("SIGINT", () => {});
process.on("uncaughtException", (error) => {
  report({ kind: "fault", text: error.stack ?? String(error) });
  process.exit(1);
});
