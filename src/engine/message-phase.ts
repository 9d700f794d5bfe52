import { DeliveryAudit } from "./audit/delivery-audit.ts";
import type { Connection } from "./connection.ts";
import { Impact } from "./faults/impact.ts";
import { burstPacer, mostSendsPerTurn, type Pacer, steadyPacer } from "./pacing/pacer.ts";
import { echoSchedule, plannedByRoom, type Schedule, senderSchedule } from "./pacing/schedule.ts";
import { echoRoom } from "./protocols/chaos-chat/message-format.ts";
import type { MessageReader } from "./protocols/chaos-chat/message-reader.ts";
import { MessageWriter } from "./protocols/chaos-chat/message-writer.ts";
import { Recorder } from "./recorder.ts";
import type {
  ChaosReport,
  PhaseOrder,
  PhaseProgress,
  PhaseReport,
  RoomsOrder,
  WorkerSetup,
} from "./worker-protocol.ts";

export interface MessagePhaseOptions {
  readonly setup: WorkerSetup;
  readonly order: PhaseOrder;
  /** All of the worker's connections, open or not, by their place. */
  readonly connections: readonly Connection[];
  /** Last sequence number of each connection in this workload; carried from phase to phase. */
  readonly seqs: Int32Array;
  /** Microseconds since the run's epoch. */
  readonly clockUs: () => number;
  readonly isBlocked: () => boolean;
  /** See `Sockets`. */
  readonly wakesWithinUs: number;
  /** The phase's moment has come: what was used before was preparation. */
  readonly onStart: () => void;
  /** Everything is sent, or everything that can be known to be due here has arrived. */
  readonly onMilestone: () => void;
}

/** Between two looks at whether a send is due: 16 arrivals take less than 50 µs. */
const arrivalsBetweenDueSends = 16;

/** One worker's part of a phase with messages: sends by schedule, measures what the audit lets pass. */
export class MessagePhase {
  readonly #setup: WorkerSetup;
  readonly #order: PhaseOrder;
  readonly #connections: readonly Connection[];
  readonly #seqs: Int32Array;
  readonly #clockUs: () => number;
  readonly #onMilestone: () => void;
  readonly #onStart: () => void;
  readonly #recorder: Recorder;
  readonly #audit: DeliveryAudit;
  readonly #schedule: Schedule;
  readonly #pacer: Pacer;
  readonly #isEcho: boolean;
  readonly #writers: MessageWriter[];
  readonly #deliveredTo: Int32Array;
  readonly #sentBy: Int32Array;
  readonly #sentByRoom: number[] | null;
  readonly #members: readonly number[];
  readonly #roomCount: number;
  readonly #tracksBroadcasts: boolean;
  readonly #dueHere: number;
  /** Chaos: what the bystanders see, and who is none, by place: 1 for a victim. */
  readonly #impact: Impact | null;
  readonly #struck: Uint8Array;
  /** Places of the bystanders to whom something is said. */
  readonly #audited: readonly number[];
  #hasStarted = false;
  #nowUs = 0;
  #expected = 0;
  #unsent = 0;
  #died = 0;
  readonly #diedByReason: Record<string, number> = {};
  readonly #closed = new Set<number>();
  #finishedSending = false;
  /** Closed loop: when no more is sent; 0 in the other patterns. */
  #closedUntilUs = 0;

  constructor(options: MessagePhaseOptions) {
    const { setup, order, connections } = options;
    this.#setup = setup;
    this.#order = order;
    this.#connections = connections;
    this.#clockUs = options.clockUs;
    this.#onMilestone = options.onMilestone;
    this.#onStart = options.onStart;
    this.#isEcho = order.rooms === null;
    this.#seqs = options.seqs;
    this.#deliveredTo = new Int32Array(connections.length);
    this.#sentBy = new Int32Array(connections.length);
    this.#sentByRoom = order.rooms === null ? null : new Array<number>(order.rooms.group.count).fill(0);
    this.#members = order.rooms?.members ?? [];

    const { first, count } = order.rooms?.group ?? { first: echoRoom, count: 1 };
    this.#roomCount = count;
    const rooms = Array.from({ length: count }, (_, room) => first + room);
    this.#writers = rooms.map(
      (room) => new MessageWriter(room, setup.messageBytes, setup.seed + setup.worker + 1),
    );

    const { chaos } = order;
    this.#impact = chaos === undefined ? null : new Impact(order.startUs, chaos, connections.length);
    this.#struck = new Uint8Array(connections.length);
    const victims = new Set(chaos?.victims);
    for (const [place, { index }] of connections.entries()) this.#struck[place] = victims.has(index) ? 1 : 0;
    const alive = connections.filter(
      (connection) => connection.state === "open" && this.#struck[this.#place(connection)] === 0,
    );
    const places = alive.map((connection) => this.#place(connection));
    this.#audited = alive
      .filter((connection) => (order.rooms?.senders[this.#room(connection)] ?? []).length > 0)
      .map((connection) => this.#place(connection));
    this.#schedule =
      order.rooms === null ? echoSchedule(places, order, setup) : senderSchedule(order.rooms, order, setup);

    this.#audit = new DeliveryAudit({
      setup,
      order,
      seqs: options.seqs,
      deliver: (place, slot, message) => this.#onDelivery(place, slot, message),
    });
    this.#tracksBroadcasts = order.pattern.kind === "burst" && order.workload === "broadcast";
    this.#recorder = new Recorder(order.startUs, this.#tracksBroadcasts ? (order.rooms?.sends ?? 0) : 0);
    const planned = order.rooms === null ? null : plannedByRoom(order.rooms);
    this.#dueHere =
      planned === null
        ? this.#schedule.count
        : alive.reduce((due, connection) => due + (planned[this.#room(connection)] ?? 0), 0);
    this.#pacer = this.#createPacer(options);
  }

  /** Sends what is due, from the order's start on; for the socket loop, see `Sockets.pace`. */
  turn(): number {
    if (!this.#hasStarted) {
      const waitUs = this.#order.startUs - this.#clockUs();
      if (waitUs > 0) return waitUs;
      this.#hasStarted = true;
      this.#onStart();
    }
    return this.#pacer.turn();
  }

  stop(): void {
    this.#pacer.stop();
  }

  /** A steady phase must not be late because much arrives at once. */
  get arrivalsPerTurn(): number {
    return this.#order.pattern.kind === "steady" ? arrivalsBetweenDueSends : Number.POSITIVE_INFINITY;
  }

  onArrival(): void {
    this.#nowUs = this.#clockUs();
    this.#recorder.lastArrivalUs = this.#nowUs;
  }

  onMessage(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    if (this.#impact !== null && this.#struck[this.#place(connection)] === 1) return;
    this.#audit.read(connection.index, bytes, start, end, isText);
  }

  onDied(connection: Connection, reason: string): void {
    if (this.#struck[this.#place(connection)] === 1) return;
    this.#died += 1;
    this.#diedByReason[reason] = (this.#diedByReason[reason] ?? 0) + 1;
    this.#closed.add(this.#place(connection));
  }

  progress(all = false): PhaseProgress {
    return {
      sent: this.#recorder.sent,
      expected: this.#expected,
      delivered: this.#recorder.delivered,
      corrupted: this.#audit.corrupted,
      errors: this.#unsent + this.#died + this.#audit.errors,
      finishedSending: this.#finishedSending,
      lastArrivalUs: this.#recorder.lastArrivalUs,
      seconds: this.#recorder.takeSeconds(this.#clockUs(), all),
    };
  }

  settle(): Omit<PhaseReport, "usage"> {
    this.stop();
    const recorder = this.#recorder;
    return {
      ...this.progress(true),
      planned: this.#schedule.count,
      unsent: this.#unsent,
      ...this.#audit.report(),
      died: this.#died,
      diedByReason: this.#diedByReason,
      closed: [...this.#closed].map((place) => ({
        room: this.#room(this.#connections[place] as Connection),
        sent: this.#isEcho ? (this.#sentBy[place] as number) : null,
        delivered: this.#deliveredTo[place] as number,
      })),
      alive: this.#connections.filter(({ state }) => state === "open").map(({ index }) => index),
      firstSendUs: recorder.sent > 0 ? recorder.firstSendUs : null,
      lastSendUs: recorder.sent > 0 ? recorder.lastSendUs : null,
      lastDeliveryUs: recorder.delivered > 0 ? recorder.lastDeliveryUs : null,
      uncorrected: recorder.uncorrected.toSparse(),
      sendLag: recorder.sendLag.toSparse(),
      silences: recorder.silences,
      receivers: recorder.receivers(),
      sentByRoom: this.#sentByRoom,
      lastSeqs: this.#lastSeqs(),
    };
  }

  /** What the bystanders saw, with what is known of the victims; null outside of chaos. */
  reportImpact(struck: Pick<ChaosReport, "struckLost" | "struckDelivered" | "unserved">): ChaosReport | null {
    return this.#impact === null ? null : { ...this.#impact.report(this.#audited), ...struck };
  }

  #lastSeqs(): PhaseReport["lastSeqs"] {
    const senders = new Set(this.#order.rooms?.senders.flat());
    return this.#connections
      .filter(({ index }) => senders.has(index))
      .map((connection) => [connection.index, this.#seqs[this.#place(connection)] as number]);
  }

  #place(connection: Connection): number {
    return (connection.index - this.#setup.worker) / this.#setup.workers;
  }

  /** Its room's number within the phase's group; 0 for echo, which has one account for all. */
  #room(connection: Connection): number {
    return connection.index % this.#roomCount;
  }

  #createPacer({ isBlocked, wakesWithinUs }: MessagePhaseOptions): Pacer {
    const schedule = this.#schedule;
    const clockUs = this.#clockUs;
    const { pattern, startUs } = this.#order;
    const finish = () => {
      this.#finishedSending = true;
      this.#onMilestone();
    };
    // A burst has no intended times: a message is due when its turn comes.
    const sendNow = (place: number) => {
      const nowUs = clockUs();
      this.#send(place, nowUs, nowUs);
    };
    if (pattern.kind === "burst") {
      const send = (number: number) => sendNow(schedule.sender(number));
      return burstPacer({ count: schedule.count, batch: pattern.batch, send, isBlocked, finish });
    }
    if (pattern.kind === "closed") return this.#createClosedLoop(startUs + pattern.seconds * 1e6, sendNow);
    return steadyPacer({
      count: schedule.count,
      pacing: this.#setup.pacing,
      wakesWithinUs,
      // What is owed by a room that others speak in too is not known here.
      isOwed: () => !this.#isEcho || this.#recorder.delivered < this.#expected,
      clockUs,
      dueUs: (number) => startUs + schedule.offsetUs(number),
      send: (number, dueUs, nowUs) => this.#send(schedule.sender(number), dueUs, nowUs),
      finish,
    });
  }

  /** Only the first message of each connection; the others follow from its arrivals. */
  #createClosedLoop(untilUs: number, send: (place: number) => void): Pacer {
    const places = this.#connections.flatMap(({ state }, place) => (state === "open" ? [place] : []));
    this.#closedUntilUs = untilUs;
    const first = burstPacer({
      count: places.length,
      batch: mostSendsPerTurn,
      send: (number) => send(places[number] as number),
      isBlocked: () => false,
      finish: () => {},
    });
    const stop = () => {
      first.stop();
      this.#closedUntilUs = 0;
    };
    return { turn: first.turn, stop };
  }

  /** Closed loop: one message of each connection is under way until the time is over. */
  #sendNext(place: number): void {
    if (this.#nowUs < this.#closedUntilUs) {
      // Sent within a microsecond of the arrival: a clock reading less.
      this.#send(place, this.#nowUs, this.#nowUs);
    } else if (!this.#finishedSending) {
      this.#finishedSending = true;
      this.#onMilestone();
    }
  }

  #send(place: number, dueUs: number, nowUs: number): void {
    const connection = this.#connections[place] as Connection;
    if (connection.state !== "open") {
      this.#unsent += 1;
      return;
    }
    const atUs = Math.floor(dueUs);
    const lagUs = Math.max(0, Math.floor(nowUs - atUs));
    const seq = (this.#seqs[place] as number) + 1;
    const room = this.#room(connection);
    const writer = this.#writers[room] as MessageWriter;
    writer.write(connection.index, seq, atUs, lagUs);
    if (!connection.send(writer.bytes, writer.start, writer.end)) {
      this.#unsent += 1;
      return;
    }
    this.#seqs[place] = seq;
    this.#recorder.recordSend(nowUs, lagUs);
    if (this.#sentByRoom === null) {
      this.#sentBy[place] = (this.#sentBy[place] as number) + 1;
      this.#expected += 1;
    } else {
      this.#sentByRoom[room] = (this.#sentByRoom[room] as number) + 1;
      this.#expected += this.#members[room] as number;
    }
  }

  #onDelivery(place: number, slot: number, { seq, at, lagUs }: MessageReader): void {
    this.#deliveredTo[place] = (this.#deliveredTo[place] as number) + 1;
    if (this.#closedUntilUs > 0) this.#sendNext(place);
    const broadcast = this.#tracksBroadcasts ? this.#broadcastNumber(slot, seq) : -1;
    this.#recorder.recordDelivery(this.#nowUs, at, lagUs, broadcast);
    this.#impact?.recordDelivery(place, this.#nowUs, at, lagUs);
    if (this.#recorder.delivered === this.#dueHere) this.#onMilestone();
  }

  /** The only room's senders take turns, so that a sender's k-th message is the room's k × senders + slot. */
  #broadcastNumber(slot: number, seq: number): number {
    const { lastSeqs, senders } = this.#order.rooms as RoomsOrder;
    return (seq - (lastSeqs[0]?.[slot] ?? 0) - 1) * (senders[0]?.length ?? 1) + slot;
  }
}
