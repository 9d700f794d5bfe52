import { encodeClientFrame, opcode } from "../../websocket/frame.ts";
import type { Connection } from "../connection.ts";
import { isOwn, placeOf } from "../places.ts";
import type { Sockets } from "../sockets/socket.ts";
import type { ChaosOrder, ReconnectReport, WorkerSetup } from "../worker-protocol.ts";
import { GarbageSender } from "./garbage.ts";

const retryMs = 100;
const pollMs = 20;
const pumpMs = 20;
/**
 * What a slow reader asks for: the room's own traffic, a few hundred bytes a second, would wait in the kernel's
 * buffers all through the fault, and no server would ever see that it is not read.
 */
const echoBytes = 32 << 10;
const echoesPerSlowReader = 256;
/** Together they may make a server keep 128 MiB. */
const mostAskingReaders = 16;

const encoder = new TextEncoder();
const mask = 0x3c9a51e7;
const crashFrame = encodeClientFrame(opcode.text, encoder.encode('{"type":"crash"}'), mask);

interface FaultsOptions {
  readonly order: ChaosOrder;
  readonly setup: WorkerSetup;
  readonly sockets: Sockets;
  /** That exist here, of the setup's. */
  readonly sourceAddresses: readonly string[];
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

/** One worker's part of a fault: injects it into its faulty clients, clears it, and brings back whoever lost its connection. */
export class Faults {
  readonly #options: FaultsOptions;
  /** By place. */
  readonly #faulty: Set<number>;
  /** Since when each that is not back wishes to be. */
  readonly #wishedUs = new Map<number, number>();
  /** Waiting for their turn. */
  #queue: number[] = [];
  readonly #opening = new Set<number>();
  /** Back, and since then without a message. */
  readonly #unserved = new Map<number, number>();
  readonly #garbage: GarbageSender[] = [];
  readonly #timers = new Set<Timer>();
  #startUs = 0;
  #wanted = 0;
  #opened = 0;
  #slowestUs: number | null = null;
  #faultyLost = 0;
  #faultyDelivered = 0;
  #isStopped = false;

  constructor(options: FaultsOptions) {
    this.#options = options;
    const { setup, order } = options;
    this.#faulty = new Set(
      order.faulty.filter((index) => isOwn(setup, index)).map((index) => placeOf(setup, index)),
    );
  }

  /** @param startUs of the load, on the run's epoch */
  begin(startUs: number): void {
    const { order, clockUs } = this.#options;
    this.#startUs = startUs;
    this.#later((startUs + order.injectUs - clockUs()) / 1000, () => this.#inject());
    this.#later((startUs + order.clearUs - clockUs()) / 1000, () => this.#clear());
  }

  /** Whether it was one of those that come back. */
  noteOpened(connection: Connection): boolean {
    const { place } = connection;
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
    const { place } = connection;
    if (!this.#opening.delete(place)) return false;
    this.#later(retryMs, () => this.#enqueue(place));
    this.#openNext();
    return true;
  }

  noteDied(connection: Connection): void {
    const { place } = connection;
    if (this.#faulty.has(place)) this.#faultyLost += 1;
    this.#unserved.delete(place);
    this.#wishBack(place);
  }

  noteMessage(connection: Connection): void {
    const { place } = connection;
    if (this.#unserved.size > 0) this.#unserved.delete(place);
    if (this.#faulty.has(place)) this.#faultyDelivered += 1;
  }

  /** So far; to be asked when the load has ended. */
  report(): { readonly faultyLost: number; readonly faultyDelivered: number; readonly unserved: number } {
    const { order, roomIntervalUs } = this.#options;
    // Who came back too late for its room's next messages can't be called unserved.
    const latestUs = this.#startUs + order.endUs - 2 * roomIntervalUs;
    const unserved = [...this.#unserved.values()].filter((openedUs) => openedUs < latestUs).length;
    return { faultyLost: this.#faultyLost, faultyDelivered: this.#faultyDelivered, unserved };
  }

  /** Waits until all are back; those that are not in time stay away. */
  async reconnect(timeoutMs: number): Promise<Omit<ReconnectReport, "alive">> {
    const untilMs = performance.now() + timeoutMs;
    while (this.#wishedUs.size > 0 && performance.now() < untilMs) await Bun.sleep(pollMs);
    this.stop();
    return { wanted: this.#wanted, opened: this.#opened, slowestUs: this.#slowestUs };
  }

  stop(): void {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    for (const sender of this.#garbage) sender.stop();
    for (const place of this.#opening) this.#options.connections[place]?.abandon();
    this.#opening.clear();
    this.#queue = [];
  }

  #inject(): void {
    const { order, connections } = this.#options;
    const faulty = [...this.#faulty].filter((place) => connections[place]?.state === "open");
    switch (order.fault) {
      case "slow-readers":
        for (const place of faulty) this.#stopReading(place);
        break;
      case "resets":
      case "storm":
        for (const place of faulty) connections[place]?.abandon();
        for (const place of faulty) this.#wishBack(place);
        break;
      case "crash":
        for (const place of faulty) connections[place]?.send(crashFrame, 0, crashFrame.length);
        break;
      case "garbage":
        this.#sendGarbage();
        break;
      case "kill":
        // The tool's own business, since the process is its child.
        break;
    }
  }

  #clear(): void {
    const { fault } = this.#options.order;
    if (fault === "slow-readers") {
      for (const place of this.#faulty) this.#options.connections[place]?.resumeReading();
    }
    for (const sender of this.#garbage) sender.stop();
  }

  #stopReading(place: number): void {
    const { connections, order, setup } = this.#options;
    const connection = connections[place];
    if (connection === undefined) return;
    connection.pauseReading();
    const isAsking = order.faulty.indexOf(connection.index) < mostAskingReaders;
    if (!isAsking) return;
    const frame = slowReaderFrame(connection.index);
    let asked = 0;
    const pump = () => {
      while (asked < echoesPerSlowReader && connection.send(frame, 0, frame.length)) asked += 1;
      if (asked < echoesPerSlowReader && connection.state === "open" && !this.#isCleared()) {
        this.#later(pumpMs, pump);
      }
    };
    // Not all in one turn: filling the kernel's buffers takes milliseconds.
    this.#later(setup.worker + this.#timers.size, pump);
  }

  #isCleared(): boolean {
    return this.#options.clockUs() >= this.#startUs + this.#options.order.clearUs;
  }

  #sendGarbage(): void {
    const { order, setup, sockets, sourceAddresses } = this.#options;
    const { target, worker } = setup;
    for (let number = 0; number < order.garbage; number += 1) {
      const options = { sockets, target, sourceAddress: sourceAddresses[0] ?? null };
      const sender = new GarbageSender(options, number + worker);
      this.#garbage.push(sender);
      sender.start();
    }
  }

  /** Faulty clients stay away until the fault is cleared, where being away is the fault; all others come back at once. */
  #wishBack(place: number): void {
    const { order, clockUs } = this.#options;
    const staysAway = this.#faulty.has(place) && (order.fault === "resets" || order.fault === "slow-readers");
    const nowUs = clockUs();
    const fromUs = staysAway ? Math.max(nowUs, this.#startUs + order.clearUs) : nowUs;
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
    const { order, connections, create, setup, sourceAddresses } = this.#options;
    const most = order.fault === "storm" ? Number.POSITIVE_INFINITY : order.reconnectBatch;
    while (!this.#isStopped && this.#opening.size < most) {
      const place = this.#queue.shift();
      if (place === undefined) return;
      const connection = create(place);
      connections[place] = connection;
      this.#opening.add(place);
      connection.open(sourceAddresses[place % Math.max(1, sourceAddresses.length)] ?? null);
      this.#later(setup.connectTimeoutMs, () => connection.expire());
    }
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
