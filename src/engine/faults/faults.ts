import { encodeClientFrame, opcode } from "../../websocket/frame.ts";
import type { Connection } from "../connection.ts";
import type { ChaosOrder, MendReport, WorkerSetup } from "../worker-protocol.ts";
import { GarbageThrower } from "./garbage.ts";

const retryMs = 100;
const pollMs = 20;
const pumpMs = 20;
/**
 * What a slow reader asks for: the room's own traffic, a few hundred bytes a second, would wait in the kernel's
 * buffers all through the strike, and no server would ever see that it is not read.
 */
const echoBytes = 32 << 10;
const echoesPerSlowReader = 256;
/** Together they may make a server keep 128 MiB. */
const mostAskingReaders = 16;

const encoder = new TextEncoder();
const mask = 0x3c9a51e7;
const crashFrame = encodeClientFrame(opcode.text, encoder.encode('{"type":"crash"}'), mask);

export interface FaultsOptions {
  readonly order: ChaosOrder;
  readonly setup: WorkerSetup;
  /** All of the worker's connections by their place; one that comes back takes the place of the one that was lost. */
  readonly connections: Connection[];
  readonly create: (place: number) => Connection;
  /** Microseconds on the run's epoch. */
  readonly clockUs: () => number;
  /** Whether anything is said in its room. */
  readonly isSpokenTo: (connection: Connection) => boolean;
  /** Between two messages of one room. */
  readonly roomIntervalUs: number;
}

/** One worker's part of a fault: strikes its victims, lets up, and brings back whoever lost its connection. */
export class Faults {
  readonly #options: FaultsOptions;
  /** By place. */
  readonly #victims: Set<number>;
  /** Since when each that is not back wishes to be. */
  readonly #wishedUs = new Map<number, number>();
  /** Waiting for their turn. */
  #queue: number[] = [];
  readonly #opening = new Set<number>();
  /** Back, and since then without a message. */
  readonly #unserved = new Map<number, number>();
  readonly #throwers: GarbageThrower[] = [];
  readonly #timers = new Set<Timer>();
  #wanted = 0;
  #opened = 0;
  #slowestUs: number | null = null;
  #struckLost = 0;
  #struckDelivered = 0;
  #isStopped = false;

  constructor(options: FaultsOptions) {
    this.#options = options;
    const { worker, workers } = options.setup;
    this.#victims = new Set(
      options.order.victims
        .filter((index) => index % workers === worker)
        .map((index) => (index - worker) / workers),
    );
  }

  begin(): void {
    const { order, clockUs } = this.#options;
    this.#later((order.strikeUs - clockUs()) / 1000, () => this.#strike());
    this.#later((order.relentUs - clockUs()) / 1000, () => this.#relent());
  }

  /** Whether it was one of those that come back. */
  noteOpened(connection: Connection): boolean {
    const place = this.#place(connection);
    if (!this.#opening.delete(place)) return false;
    const nowUs = this.#options.clockUs();
    const wishedUs = this.#wishedUs.get(place) ?? nowUs;
    this.#wishedUs.delete(place);
    this.#opened += 1;
    this.#slowestUs = Math.max(this.#slowestUs ?? 0, nowUs - wishedUs);
    if (this.#options.isSpokenTo(connection)) this.#unserved.set(place, nowUs);
    this.#openNext();
    return true;
  }

  /** Whether it was one of those that come back; it is tried again. */
  noteFailed(connection: Connection): boolean {
    const place = this.#place(connection);
    if (!this.#opening.delete(place)) return false;
    this.#later(retryMs, () => this.#enqueue(place));
    this.#openNext();
    return true;
  }

  noteDied(connection: Connection): void {
    const place = this.#place(connection);
    if (this.#victims.has(place)) this.#struckLost += 1;
    this.#unserved.delete(place);
    this.#wishBack(place);
  }

  noteMessage(connection: Connection): void {
    const place = this.#place(connection);
    if (this.#unserved.size > 0) this.#unserved.delete(place);
    if (this.#victims.has(place)) this.#struckDelivered += 1;
  }

  /** So far; to be asked when the load has ended. */
  report(): { readonly struckLost: number; readonly struckDelivered: number; readonly unserved: number } {
    const { order, roomIntervalUs } = this.#options;
    // Who came back too late for its room's next messages can't be called unserved.
    const latestUs = order.endUs - 2 * roomIntervalUs;
    const unserved = [...this.#unserved.values()].filter((openedUs) => openedUs < latestUs).length;
    return { struckLost: this.#struckLost, struckDelivered: this.#struckDelivered, unserved };
  }

  /** Waits until all are back; those that are not in time stay away. */
  async mend(timeoutMs: number): Promise<Omit<MendReport, "alive">> {
    const untilMs = performance.now() + timeoutMs;
    while (this.#wishedUs.size > 0 && performance.now() < untilMs) await Bun.sleep(pollMs);
    this.stop();
    return { wanted: this.#wanted, opened: this.#opened, slowestUs: this.#slowestUs };
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const thrower of this.#throwers) thrower.stop();
    for (const place of this.#opening) this.#options.connections[place]?.abandon();
    this.#opening.clear();
    this.#queue = [];
  }

  #strike(): void {
    const { order, connections } = this.#options;
    const struck = [...this.#victims].filter((place) => connections[place]?.state === "open");
    switch (order.fault) {
      case "slow-readers":
        for (const place of struck) this.#stopReading(place);
        break;
      case "resets":
      case "storm":
        for (const place of struck) connections[place]?.abandon();
        for (const place of struck) this.#wishBack(place);
        break;
      case "crash":
        for (const place of struck) connections[place]?.send(crashFrame, 0, crashFrame.length);
        break;
      case "garbage":
        this.#throwGarbage();
        break;
      case "kill":
        // The tool's own business, since the process is its child.
        break;
    }
  }

  #relent(): void {
    const { fault } = this.#options.order;
    if (fault === "slow-readers") {
      for (const place of this.#victims) this.#options.connections[place]?.resumeReading();
    }
    for (const thrower of this.#throwers) thrower.stop();
  }

  #stopReading(place: number): void {
    const { connections, order, setup } = this.#options;
    const connection = connections[place];
    if (connection === undefined) return;
    connection.pauseReading();
    const isAsking = order.victims.indexOf(connection.index) < mostAskingReaders;
    if (!isAsking) return;
    const frame = slowReaderFrame(connection.index);
    let asked = 0;
    const pump = () => {
      while (asked < echoesPerSlowReader && connection.send(frame, 0, frame.length)) asked += 1;
      if (asked < echoesPerSlowReader && connection.state === "open" && this.#isStriking()) {
        this.#later(pumpMs, pump);
      }
    };
    // Not all victims in one turn: filling the kernel's buffers takes milliseconds.
    this.#later(setup.worker + this.#timers.size, pump);
  }

  #isStriking(): boolean {
    return this.#options.clockUs() < this.#options.order.relentUs;
  }

  #throwGarbage(): void {
    const { order, setup } = this.#options;
    const { host, port, path, sourceAddresses, worker } = setup;
    for (let number = 0; number < order.garbage; number += 1) {
      const target = { host, port, path, sourceAddress: sourceAddresses[0] ?? null };
      const thrower = new GarbageThrower(target, number + worker);
      this.#throwers.push(thrower);
      thrower.start();
    }
  }

  /** Whoever was struck stays away until the fault lets up, where the fault is to be away; all others come back at once. */
  #wishBack(place: number): void {
    const { order, clockUs } = this.#options;
    const staysAway =
      this.#victims.has(place) && (order.fault === "resets" || order.fault === "slow-readers");
    const nowUs = clockUs();
    const fromUs = staysAway ? Math.max(nowUs, order.relentUs) : nowUs;
    this.#wanted += 1;
    this.#wishedUs.set(place, fromUs);
    if (fromUs > nowUs) this.#later((fromUs - nowUs) / 1000, () => this.#enqueue(place));
    else this.#enqueue(place);
  }

  #enqueue(place: number): void {
    this.#queue.push(place);
    this.#openNext();
  }

  #openNext(): void {
    const { order, connections, create, setup } = this.#options;
    const most = order.fault === "storm" ? Number.POSITIVE_INFINITY : order.rejoinBatch;
    while (!this.#isStopped && this.#opening.size < most) {
      const place = this.#queue.shift();
      if (place === undefined) return;
      const connection = create(place);
      connections[place] = connection;
      this.#opening.add(place);
      const { sourceAddresses } = setup;
      connection.open(sourceAddresses[place % Math.max(1, sourceAddresses.length)] ?? null);
      this.#later(setup.connectTimeoutMs, () => connection.expire());
    }
  }

  #place(connection: Connection): number {
    const { worker, workers } = this.#options.setup;
    return (connection.index - worker) / workers;
  }

  #later(delayMs: number, run: () => void): void {
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer);
        if (!this.#isStopped) run();
      },
      Math.max(0, delayMs),
    );
    this.#timers.add(timer);
  }
}

function slowReaderFrame(index: number): Uint8Array {
  const head = `{"type":"echo","from":"c${index}","seq":1,"at":0,"text":"`;
  const text = `${head}${"s".repeat(echoBytes - head.length - 2)}"}`;
  return encodeClientFrame(opcode.text, encoder.encode(text), mask);
}
