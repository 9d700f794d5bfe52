import { availableParallelism } from "node:os";
import { nowUs } from "../machine/clock.ts";
import { pinProcess } from "../machine/pin.ts";
import { preferMainThread } from "../machine/priority.ts";
import type { ConnectionFailure, Failures } from "../result/reasons.ts";
import { Upgrades } from "../websocket/handshake.ts";
import type { AttackSetup } from "./attack/attack-orders.ts";
import type { AttackWorker } from "./attack/attack-worker.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import { Connector } from "./connector.ts";
import { FailureTally } from "./failure-tally.ts";
import { Faults } from "./faults/faults.ts";
import { closeAll } from "./goodbye.ts";
import { countOpen, type Liveness, noteOpen } from "./liveness.ts";
import { MessagePhase } from "./message-phase.ts";
import { countOwn, indexOf, roomWithin } from "./places.ts";
import type { Protocol } from "./protocols/protocol.ts";
import { createProtocol } from "./protocols/protocols.ts";
import type { ScenarioWorker } from "./scenario/scenario-worker.ts";
import type { Sockets } from "./sockets/socket.ts";
import type { Target } from "./target.ts";
import { UsageMeter } from "./usage-meter.ts";
import type { Command, PhaseOrder, Report, WorkerReady, WorkerSetup } from "./worker-protocol.ts";

const progressIntervalMs = 200;
/** The one address that every machine has. */
const loopback = "127.0.0.1";

/**
 * Makes a worker of this process. The caller brings the commands and takes the reports.
 *
 * @param createSockets called once, with the first setup's target and how many workers share a CPU
 */
export function createWorker(
  createSockets: (target: Target, crowd: number) => Sockets,
  report: (report: Report) => void,
): (command: Command) => void {
  let worker: Worker | AttackWorker | ScenarioWorker | null = null;
  let sockets: Sockets | null = null;
  return (command) => {
    if (command.kind === "setup") {
      sockets ??= createSockets(command.setup.target, crowdOf(command.setup));
      const runWorker = new Worker(command.setup, sockets, report);
      worker = runWorker;
      report({ kind: "ready", ready: runWorker.describe() });
    } else if (command.kind === "setup-attack") {
      sockets ??= createSockets(command.setup.target, crowdOf(command.setup));
      void createAttackWorker(command.setup, sockets, report).then((created) => {
        worker = created;
        report({
          kind: "ready",
          ready: { pinFailure: null, sourceAddresses: command.setup.sourceAddresses },
        });
      });
    } else if (command.kind === "load-scenario") {
      const { file } = command;
      void import("./scenario/load-scenario.ts")
        .then(({ describeScenario }) => describeScenario(file))
        .then((loaded) => report({ kind: "scenario", loaded }));
    } else {
      worker?.obey(command);
    }
  };
}

/** Workers for each CPU that they have. */
function crowdOf({
  workers,
  machines,
  cpus = null,
}: {
  readonly workers: number;
  readonly machines: number;
  readonly cpus?: readonly number[] | null;
}) {
  return workers / machines / (cpus?.length ?? availableParallelism());
}

async function createAttackWorker(
  setup: AttackSetup,
  sockets: Sockets,
  report: (report: Report) => void,
): Promise<AttackWorker | ScenarioWorker> {
  const { adapter: named, scenario } = setup;
  if (scenario !== null) {
    const [{ ScenarioWorker }, { loadScenario }] = await Promise.all([
      import("./scenario/scenario-worker.ts"),
      import("./scenario/load-scenario.ts"),
    ]);
    return new ScenarioWorker(await loadScenario(scenario), scenario, setup, sockets, report);
  }
  // A third of the memory of a worker without connections, which a run's can do without.
  const [{ AttackWorker }, { loadAdapter }] = await Promise.all([
    import("./attack/attack-worker.ts"),
    import("./adapters/adapters.ts"),
  ]);
  const adapter = named === null ? null : await loadAdapter(named.name, named.options);
  // As in a run: the compiler's and the collector's threads must not delay what is due.
  if (setup.pacing === "spin") preferMainThread(setup.load.kind === "open");
  return new AttackWorker(setup, adapter, sockets, report);
}

/** Owns its share of the connections and does what the tool's commands say. */
class Worker implements ConnectionOwner {
  readonly target: Target;
  readonly upgrades: Upgrades;
  readonly sockets: Sockets;
  readonly protocol: Protocol;
  readonly #setup: WorkerSetup;
  readonly #report: (report: Report) => void;
  readonly #sourceAddresses: readonly string[];
  readonly #connections: Connection[];
  readonly #connector: Connector;
  readonly #usage = new UsageMeter();
  #phase: MessagePhase | null = null;
  /** After the last report, and before the phase that is prepared. */
  #deathsBetween = new FailureTally();
  #deathsBefore: Failures = [];
  /** In a chaos phase, until its connections are back. */
  #faults: Faults | null = null;
  #progressTimer: Timer | null = null;
  #blocked = 0;

  constructor(setup: WorkerSetup, sockets: Sockets, report: (report: Report) => void) {
    const { target, protocol, joins, messageBytes, seed, worker } = setup;
    this.target = target;
    this.upgrades = new Upgrades(target);
    this.sockets = sockets;
    this.protocol = createProtocol(protocol, { joins, messageBytes, seed: seed + worker + 1 });
    this.#setup = setup;
    this.#report = report;
    this.#sourceAddresses = findUsable(setup.sourceAddresses, sockets);
    this.#connections = Array.from({ length: countOwn(setup, setup.connections) }, (_, place) =>
      this.#createConnection(place),
    );
    this.#connector = new Connector({
      connections: this.#connections,
      sourceAddresses: this.#sourceAddresses,
      timeoutMs: setup.connectTimeoutMs,
      epochUs: setup.epochUs,
      clockUs: nowUs,
      speaksTls: target.tls !== null,
    });
  }

  describe(): WorkerReady {
    const { cpus } = this.#setup;
    const pinFailure = cpus === null ? null : pinProcess(cpus);
    return { pinFailure, sourceAddresses: this.#sourceAddresses };
  }

  obey(command: Command): void {
    switch (command.kind) {
      case "connect":
        void this.#connect(command.batch);
        break;
      case "stop-connecting":
        this.#connector.stop();
        break;
      case "release":
        this.#release(command.count);
        break;
      case "prepare":
        this.#prepare(command.order);
        break;
      case "start":
        this.#start(command.startUs);
        break;
      case "settle":
        this.#settle();
        break;
      case "reconnect":
        void this.#reconnect(command.timeoutMs);
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
    this.#phase?.onArrival();
  }

  onOpened(connection: Connection): void {
    if (this.#faults?.noteOpened(connection)) return;
    this.#connector.noteOpened(connection);
  }

  onFailed(connection: Connection, failure: ConnectionFailure): void {
    if (this.#faults?.noteFailed(connection)) return;
    this.#connector.noteFailed(failure);
  }

  onDied(connection: Connection, failure: ConnectionFailure): void {
    if (this.#phase === null) {
      this.#connector.noteDied(failure);
      this.#deathsBetween.note(failure);
    }
    this.#phase?.onDied(connection, failure);
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

  async #connect(batch: number): Promise<void> {
    this.#usage.reset();
    Bun.gc(true);
    const idleRssBytes = process.memoryUsage.rss();
    const opened = await this.#connector.run(batch, (progress) =>
      this.#report({ kind: "connecting", progress }),
    );
    // What opening has left behind is no connection's.
    Bun.gc(true);
    this.#deathsBetween = new FailureTally();
    const alive = this.#alive();
    this.#report({
      kind: "connected",
      report: { ...opened, open: countOpen(alive), usage: this.#usage.read(), idleRssBytes, alive },
    });
  }

  #prepare(order: PhaseOrder): void {
    const { epochUs, pacing } = this.#setup;
    // Before each phase, since the compiler and the collector start threads when they need them. Not for bursts:
    // they have no due times that compiling could delay, and without it they would be slow.
    if (pacing === "spin") preferMainThread(order.pattern.kind === "steady");
    const phase: MessagePhase = new MessagePhase({
      setup: this.#setup,
      order,
      protocol: this.protocol,
      connections: this.#connections,
      clockUs: () => Math.floor(nowUs() - epochUs),
      isBlocked: () => this.#blocked > 0,
      wakesWithinUs: this.sockets.wakesWithinUs,
      onStart: () => this.#usage.reset(),
      onMilestone: () => this.#report({ kind: "progress", progress: phase.progress() }),
    });
    this.#phase = phase;
    this.#deathsBefore = this.#deathsBetween.list();
    this.#deathsBetween = new FailureTally();
    this.#faults = this.#createFaults(order);
    this.#report({ kind: "prepared" });
  }

  #start(startUs: number): void {
    const phase = this.#phase;
    if (phase === null) return;
    phase.begin(startUs);
    this.#faults?.begin(startUs);
    this.#progressTimer = setInterval(
      () => this.#report({ kind: "progress", progress: phase.progress() }),
      progressIntervalMs,
    );
    this.sockets.pace(() => phase.turn(), phase.arrivalsPerTurn);
  }

  #settle(): void {
    if (this.#progressTimer !== null) clearInterval(this.#progressTimer);
    this.sockets.rest();
    const phase = this.#phase;
    if (phase === null) return;
    this.#phase = null;
    const settled = { ...phase.settle(), deathsBefore: this.#deathsBefore, usage: this.#usage.read() };
    const chaos = this.#faults === null ? null : phase.reportImpact(this.#faults.report());
    this.#report({ kind: "settled", report: chaos === null ? settled : { ...settled, chaos } });
  }

  async #reconnect(timeoutMs: number): Promise<void> {
    const back = (await this.#faults?.reconnect(timeoutMs)) ?? { wanted: 0, opened: 0, slowestUs: null };
    this.#faults = null;
    this.#report({ kind: "reconnected", report: { ...back, alive: this.#alive() } });
  }

  #release(count: number): void {
    const open = this.#connections.filter(({ state }) => state === "open");
    for (const connection of open.slice(Math.max(0, open.length - count))) connection.close();
    this.#report({ kind: "released", alive: this.#alive() });
  }

  async #close(): Promise<void> {
    this.#usage.stop();
    this.#faults?.stop();
    await closeAll(this.#connections);
    this.#report({ kind: "closed" });
  }

  #createConnection(place: number): Connection {
    return new Connection(indexOf(this.#setup, place), place, this);
  }

  #createFaults({ chaos, rooms, pattern }: PhaseOrder): Faults | null {
    if (chaos === undefined || rooms === null || pattern.kind !== "steady") return null;
    const { group, senders, sends } = rooms;
    return new Faults({
      order: chaos,
      setup: this.#setup,
      sockets: this.sockets,
      sourceAddresses: this.#sourceAddresses,
      connections: this.#connections,
      create: (place) => this.#createConnection(place),
      clockUs: () => nowUs() - this.#setup.epochUs,
      isSpokenTo: ({ index }) => (senders[roomWithin(group, index)] ?? []).length > 0,
      roomIntervalUs: (pattern.seconds * 1e6 * group.count) / sends,
    });
  }

  #alive(): Liveness {
    return noteOpen(this.#connections);
  }
}

/**
 * In containers and network namespaces loopback may have one address only. Where even that can't be bound, those asked
 * for stay, so that each connection tells why it failed.
 */
function findUsable(addresses: readonly string[], sockets: Sockets): readonly string[] {
  const usable = addresses.filter((address) => sockets.canBind(address));
  if (usable.length > 0 || addresses.length === 0) return usable;
  return sockets.canBind(loopback) ? [loopback] : addresses;
}
