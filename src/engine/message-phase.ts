import type { RoomGroup } from "../plan/plan.ts";
import type { ConnectionFailure } from "../result/reasons.ts";
import { DeliveryAudit } from "./audit/delivery-audit.ts";
import { bytesSince, type CompressionBytes, compressionBytes } from "./compression.ts";
import type { Connection } from "./connection.ts";
import { FailureTally } from "./failure-tally.ts";
import { Impact } from "./faults/impact.ts";
import { noteOpen } from "./liveness.ts";
import { burstPacer, mostSendsPerTurn, type Pacer, steadyPacer } from "./pacing/pacer.ts";
import { echoSchedule, plannedByRoom, type Schedule, senderSchedule } from "./pacing/schedule.ts";
import { roomOf, roomWithin } from "./places.ts";
import { type Decoder, type Encoder, echoRoom, type Protocol } from "./protocols/protocol.ts";
import { Recorder } from "./recorder.ts";
import { SegmentSample } from "./segment-sample.ts";
import type {
  ChaosReport,
  CompressionReport,
  PhaseOrder,
  PhaseProgress,
  PhaseReport,
  WorkerSetup,
} from "./worker-protocol.ts";

interface MessagePhaseOptions {
  readonly setup: WorkerSetup;
  readonly order: PhaseOrder;
  readonly protocol: Protocol;
  /** All of the worker's connections, open or not, by their place. */
  readonly connections: readonly Connection[];
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
/** Echo has one account for all. */
const echoGroup: RoomGroup = { first: echoRoom, count: 1 };

/**
 * One worker's part of a phase with messages: sends by schedule, measures what the audit lets pass. Making it is the
 * preparation; it begins when everybody is ready.
 */
export class MessagePhase {
  readonly #options: MessagePhaseOptions;
  readonly #order: PhaseOrder;
  readonly #connections: readonly Connection[];
  readonly #clockUs: () => number;
  readonly #recorder: Recorder;
  readonly #audit: DeliveryAudit;
  readonly #schedule: Schedule;
  readonly #isEcho: boolean;
  readonly #group: RoomGroup;
  readonly #encoders: Encoder[];
  /** Last sequence number of each connection by its place. */
  readonly #seqs: Int32Array;
  readonly #deliveredTo: Int32Array;
  readonly #segments: SegmentSample;
  readonly #sentByRoom: number[] | null;
  readonly #members: readonly number[];
  /** Senders of the only room; 0 where no broadcasts are told apart. */
  readonly #broadcasters: number;
  readonly #dueHere: number;
  /** Chaos: what unaffected clients see, and who is faulty, by place: 1. */
  readonly #impact: Impact | null;
  readonly #faulty: Uint8Array;
  /** Places of the unaffected clients to whom something is said. */
  readonly #audited: readonly number[];
  #bytesBefore: CompressionBytes = compressionBytes;
  #pacer: Pacer | null = null;
  #startUs = 0;
  #hasStarted = false;
  #nowUs = 0;
  #expected = 0;
  #unsent = 0;
  readonly #deaths = new FailureTally();
  readonly #closed = new Set<number>();
  #finishedSending = false;
  /** Closed loop: when no more is sent; 0 in the other patterns. */
  #closedUntilUs = 0;

  constructor(options: MessagePhaseOptions) {
    const { setup, order, protocol, connections } = options;
    const { rooms, chaos } = order;
    this.#options = options;
    this.#order = order;
    this.#connections = connections;
    this.#clockUs = options.clockUs;
    this.#isEcho = rooms === null;
    const group = rooms?.group ?? echoGroup;
    this.#group = group;
    this.#seqs = new Int32Array(connections.length);
    this.#deliveredTo = new Int32Array(connections.length);
    this.#sentByRoom = rooms === null ? null : new Array<number>(group.count).fill(0);
    this.#members = rooms?.members ?? [];
    this.#encoders = Array.from({ length: group.count }, (_, room) =>
      protocol.createEncoder(roomOf(group, room), order.phase),
    );

    this.#impact = chaos === undefined ? null : new Impact(chaos, connections.length);
    this.#faulty = new Uint8Array(connections.length);
    const faulty = new Set(chaos?.faulty);
    for (const { index, place } of connections) this.#faulty[place] = faulty.has(index) ? 1 : 0;
    const alive = connections.filter(({ state, place }) => state === "open" && this.#faulty[place] === 0);
    this.#audited = alive
      .filter(({ index }) => (rooms?.senders[roomWithin(group, index)] ?? []).length > 0)
      .map(({ place }) => place);
    // In a room where nobody sends nothing arrives.
    const places = rooms === null ? alive.map(({ place }) => place) : this.#audited;
    this.#segments = new SegmentSample(places.map((place) => connections[place] as Connection));
    this.#schedule =
      rooms === null
        ? echoSchedule(
            alive.map(({ place }) => place),
            order,
            setup,
          )
        : senderSchedule(rooms, order, setup);

    this.#audit = new DeliveryAudit({
      setup,
      order,
      protocol,
      places: connections.length,
      deliver: (place, slot, message) => this.#onDelivery(place, slot, message),
    });
    const tracksBroadcasts = order.pattern.kind === "burst" && order.workload === "broadcast";
    this.#broadcasters = tracksBroadcasts ? (rooms?.senders[0]?.length ?? 0) : 0;
    this.#recorder = new Recorder(tracksBroadcasts ? (rooms?.sends ?? 0) : 0);
    const planned = rooms === null ? null : plannedByRoom(rooms);
    this.#dueHere =
      planned === null
        ? this.#schedule.count
        : alive.reduce((due, { index }) => due + (planned[roomWithin(group, index)] ?? 0), 0);
  }

  begin(startUs: number): void {
    this.#startUs = startUs;
    this.#recorder.begin(startUs);
    this.#impact?.begin(startUs);
    this.#segments.begin();
    this.#bytesBefore = { ...compressionBytes };
    this.#pacer = this.#createPacer();
  }

  /** Sends what is due, from the start on; for the socket loop, see `Sockets.pace`. */
  turn(): number {
    if (this.#pacer === null) return Number.POSITIVE_INFINITY;
    if (!this.#hasStarted) {
      const waitUs = this.#startUs - this.#clockUs();
      if (waitUs > 0) return waitUs;
      this.#hasStarted = true;
      this.#options.onStart();
    }
    return this.#pacer.turn();
  }

  stop(): void {
    this.#pacer?.stop();
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
    const { place } = connection;
    if (this.#impact !== null && this.#faulty[place] === 1) return;
    this.#audit.read(place, connection.index, bytes, start, end, isText);
  }

  onDied({ place }: Connection, failure: ConnectionFailure): void {
    if (this.#faulty[place] === 1) return;
    this.#deaths.note(failure);
    this.#closed.add(place);
  }

  progress(all = false): PhaseProgress {
    return {
      sent: this.#recorder.sent,
      expected: this.#expected,
      delivered: this.#recorder.delivered,
      errors: this.#unsent + this.#deaths.total + this.#audit.errors,
      finishedSending: this.#finishedSending,
      lastArrivalUs: this.#recorder.lastArrivalUs,
      seconds: this.#recorder.takeSeconds(this.#clockUs(), all),
    };
  }

  settle(): Omit<PhaseReport, "usage" | "deathsBefore"> {
    this.stop();
    const recorder = this.#recorder;
    return {
      ...this.progress(true),
      planned: this.#schedule.count,
      unsent: this.#unsent,
      ...this.#audit.report(),
      died: this.#deaths.total,
      deaths: this.#deaths.list(),
      closed: [...this.#closed].map((place) => ({
        room: roomWithin(this.#group, (this.#connections[place] as Connection).index),
        sent: this.#isEcho ? (this.#seqs[place] as number) : null,
        delivered: this.#deliveredTo[place] as number,
      })),
      alive: noteOpen(this.#connections),
      firstSendUs: recorder.sent > 0 ? recorder.firstSendUs : null,
      lastSendUs: recorder.sent > 0 ? recorder.lastSendUs : null,
      lastDeliveryUs: recorder.delivered > 0 ? recorder.lastDeliveryUs : null,
      uncorrected: recorder.uncorrected.toSparse(),
      sendLag: recorder.sendLag.toSparse(),
      silences: recorder.silences,
      receivers: recorder.receivers(),
      sentByRoom: this.#sentByRoom,
      segments: this.#segments.end(this.#deliveredTo),
      ...(this.#options.setup.target.compression === null ? {} : { compression: this.#countCompressed() }),
    };
  }

  /** What unaffected clients saw, with what is known of the faulty ones; null outside of chaos. */
  reportImpact(faulty: Pick<ChaosReport, "faultyLost" | "faultyDelivered" | "unserved">): ChaosReport | null {
    return this.#impact === null ? null : { ...this.#impact.report(this.#audited), ...faulty };
  }

  #countCompressed(): CompressionReport {
    const connections = this.#connections.filter(({ isCompressed }) => isCompressed).length;
    return { connections, ...bytesSince(this.#bytesBefore) };
  }

  #createPacer(): Pacer {
    const { setup, isBlocked, wakesWithinUs, onMilestone } = this.#options;
    const schedule = this.#schedule;
    const clockUs = this.#clockUs;
    const startUs = this.#startUs;
    const { pattern } = this.#order;
    const finish = () => {
      this.#finishedSending = true;
      onMilestone();
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
      pacing: setup.pacing,
      wakesWithinUs,
      // What is owed by a room that others send to as well is not known here.
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
      this.#options.onMilestone();
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
    const room = roomWithin(this.#group, connection.index);
    const encoder = this.#encoders[room] as Encoder;
    encoder.write(connection.index, seq, atUs, lagUs);
    if (!connection.send(encoder.bytes, encoder.start, encoder.end)) {
      this.#unsent += 1;
      return;
    }
    this.#seqs[place] = seq;
    this.#recorder.recordSend(nowUs, lagUs);
    if (this.#sentByRoom === null) {
      this.#expected += 1;
    } else {
      this.#sentByRoom[room] = (this.#sentByRoom[room] as number) + 1;
      this.#expected += this.#members[room] as number;
    }
  }

  #onDelivery(place: number, slot: number, { seq, at, lagUs }: Decoder): void {
    this.#deliveredTo[place] = (this.#deliveredTo[place] as number) + 1;
    if (this.#closedUntilUs > 0) this.#sendNext(place);
    // Senders take turns, so that a sender's k-th message is the room's (k - 1) × senders + slot, from 0.
    const broadcast = this.#broadcasters === 0 ? -1 : (seq - 1) * this.#broadcasters + slot;
    this.#recorder.recordDelivery(this.#nowUs, at, lagUs, broadcast);
    this.#impact?.recordDelivery(place, this.#nowUs, at, lagUs);
    if (this.#recorder.delivered === this.#dueHere) this.#options.onMilestone();
  }
}
