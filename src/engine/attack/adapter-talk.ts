import { parseTemplate } from "../../plan/attack/template.ts";
import { encodeClientFrame, opcode } from "../../websocket/frame.ts";
import type { Adapter, Client, Session } from "../adapters/adapter.ts";
import { arrival, Ledger } from "../audit/ledger.ts";
import type { Connection } from "../connection.ts";
import { countOwn } from "../places.ts";
import type { AttackStart } from "../worker-protocol.ts";
import type { Account } from "./account.ts";
import type { AttackSetup, StrayRule } from "./attack-orders.ts";
import { answer, Outstanding } from "./outstanding.ts";
import type { Talk, TalkListener } from "./talk.ts";
import { TemplateWriter } from "./template-writer.ts";

/**
 * As the field `{{stamp}}` writes it: sender, number, when it was due, and how much later it was sent. It was due so long
 * after the load's start, the one moment that all machines have in common.
 */
const stamp = /@(\d+)\.(\d+)\.(\d+)\.(\d+)@/;
const utf8 = new TextEncoder();

/** What an adapter says and hears, audited: replies by their numbers, deliveries by their stamps. */
export class AdapterTalk implements Talk {
  readonly heartbeatSeconds: number | null;
  readonly #adapter: Adapter;
  readonly #setup: AttackSetup;
  readonly #account: Account;
  readonly #listener: TalkListener;
  readonly #writer: TemplateWriter;
  /** By place. */
  readonly #sessions: (Session | null)[];
  readonly #outstanding: Outstanding[];
  /** A stream for each receiver of the worker's own and each sender of its room; null where nothing is delivered. */
  readonly #ledger: Ledger | null;
  readonly #membersPerRoom: number;
  #start: AttackStart = { startUs: 0, members: [], near: [] };
  /** What was said last could be sent. */
  #isSent = true;

  constructor(adapter: Adapter, setup: AttackSetup, account: Account, listener: TalkListener) {
    const { message, messageEncoding, columns, rows, seed, worker, connections, rooms } = setup;
    const places = countOwn(setup, connections);
    this.#adapter = adapter;
    this.#setup = setup;
    this.#account = account;
    this.#listener = listener;
    this.heartbeatSeconds = adapter.heartbeatSeconds ?? null;
    this.#writer = new TemplateWriter({
      parts: parseTemplate(message, columns),
      encoding: messageEncoding,
      frameOpcode: opcode.text,
      columns,
      rows,
      seed: seed + worker + 1,
    });
    this.#sessions = new Array<null>(places).fill(null);
    this.#outstanding = Array.from({ length: places }, () => new Outstanding());
    this.#membersPerRoom = Math.ceil(connections / rooms);
    this.#ledger = adapter.answers.delivery === "nobody" ? null : new Ledger(places * this.#membersPerRoom);
  }

  begin(start: AttackStart): void {
    this.#start = start;
  }

  opened(connection: Connection): void {
    const client = this.#createClient(connection);
    this.#guard(connection, () => {
      const session = this.#adapter.createSession(client, this.#setup.adapter?.options ?? {});
      this.#sessions[connection.place] = session;
      session.opened();
    });
  }

  send(connection: Connection, dueUs: number, nowUs: number): boolean {
    const { place, index } = connection;
    const session = this.#sessions[place];
    const outstanding = this.#outstanding[place] as Outstanding;
    if (session == null) return false;
    const atUs = Math.floor(dueUs);
    const lagUs = Math.max(0, Math.floor(nowUs - atUs));
    const id = outstanding.next;
    const payload = this.#writer.writeText(place, index, id, atUs - this.#start.startUs, lagUs);
    this.#isSent = true;
    this.#guard(connection, () => session.publish(payload, id));
    if (!this.#isSent) return false;
    outstanding.add(0, atUs, lagUs);
    // Nobody tells when it is delivered everywhere: it does not wait.
    if (!this.#adapter.answers.reply) outstanding.bySequence(id);
    const room = index % this.#setup.rooms;
    const near = this.#owedDeliveries(this.#start.near[room] ?? 1);
    const deliveries = this.#owedDeliveries(this.#start.members[room] ?? 1);
    const owed = deliveries + (this.#adapter.answers.reply ? 1 : 0);
    this.#account.expectedDeliveries += deliveries;
    this.#account.expectedOneWay += deliveries - near;
    this.#account.noteSent(nowUs, lagUs, this.#writer.payloadLength, owed);
    return true;
  }

  received(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    this.#account.received += 1;
    this.#account.bytesReceived += end - start;
    const session = this.#sessions[connection.place];
    if (session == null) return;
    const part = bytes.subarray(start, end);
    this.#guard(connection, () => session.received(isText ? Buffer.from(part).toString() : part));
  }

  pong(): void {}

  waiting({ place }: Connection): number {
    return (this.#outstanding[place] as Outstanding).waiting;
  }

  closed({ place }: Connection): number {
    this.#sessions[place] = null;
    return (this.#outstanding[place] as Outstanding).forget();
  }

  giveUp(connection: Connection, dueUs: number): void {
    const outstanding = this.#outstanding[connection.place] as Outstanding;
    for (let seq = outstanding.oldest; seq !== 0; seq = outstanding.oldest) {
      if (outstanding.dueUs(seq) >= dueUs) return;
      outstanding.giveUp(seq);
      this.#listener.onAnswered(connection);
    }
  }

  heartbeat(connection: Connection): void {
    this.#guard(connection, () => this.#sessions[connection.place]?.heartbeat?.());
  }

  #createClient(connection: Connection): Client {
    const { index, place } = connection;
    const { columns, rows, rooms } = this.#setup;
    const row = Object.fromEntries(columns.map((name, at) => [name, rows[place]?.[at] ?? ""]));
    return {
      index,
      room: `room-${index % rooms}`,
      row,
      say: (message) => {
        const isText = typeof message === "string";
        const mask = (crypto.getRandomValues(new Uint32Array(1))[0] as number) | 1;
        const payload = isText ? utf8.encode(message) : message;
        const frame = encodeClientFrame(isText ? opcode.text : opcode.binary, payload, mask);
        if (!connection.send(frame, 0, frame.length)) this.#isSent = false;
      },
      ready: () => this.#listener.onReady(connection),
      reply: (id) => this.#onReply(connection, id),
      deliver: (payload) => this.#onDelivery(connection, payload),
      refuse: (reason) => this.#listener.onRefused(connection, reason),
    };
  }

  #onReply(connection: Connection, id: number): void {
    const outstanding = this.#outstanding[connection.place] as Outstanding;
    const kind = outstanding.bySequence(id);
    const isNew =
      kind !== answer.unknown && this.#account.noteAnswer(kind, outstanding, this.#listener.arrivedUs);
    if (kind === answer.unknown) this.#stray("reply-to-nothing", `reply to message ${id}`);
    if (isNew && outstanding.wasWaiting) this.#listener.onAnswered(connection);
  }

  #onDelivery(connection: Connection, payload: string | Uint8Array): void {
    const { place, index } = connection;
    const { rooms } = this.#setup;
    const text = typeof payload === "string" ? payload : Buffer.from(payload).toString();
    const [, from, seq, afterUs, lagUs] = stamp.exec(text) ?? [];
    const sender = Number(from);
    if (seq === undefined || this.#ledger === null) {
      this.#stray("delivery-without-stamp", text);
      return;
    }
    if (sender % rooms !== index % rooms) {
      this.#stray("delivery-of-another-room", text);
      return;
    }
    const slot = Math.floor(sender / rooms);
    const account = this.#account;
    const kind =
      slot < this.#membersPerRoom
        ? this.#ledger.arrive(place * this.#membersPerRoom + slot, Number(seq))
        : arrival.duplicate;
    if (kind === arrival.duplicate) {
      account.duplicated += 1;
      return;
    }
    if (kind === arrival.reordered) account.reordered += 1;
    account.deliveries += 1;
    const { arrivedUs } = this.#listener;
    const atUs = this.#start.startUs + Number(afterUs);
    if (this.#isNear(sender)) account.recorder.recordDelivery(arrivedUs, atUs, Number(lagUs), -1);
    else account.recorder.recordOneWay(arrivedUs, atUs);
    if (!this.#adapter.answers.reply && sender === index) this.#listener.onAnswered(connection);
  }

  /** Whether a connection is of this machine. */
  #isNear(index: number): boolean {
    const { worker, workers, machines } = this.#setup;
    return (index % workers) % machines === worker % machines;
  }

  /** Deliveries that a message of one of a room's members causes. */
  #owedDeliveries(members: number): number {
    const { delivery } = this.#adapter.answers;
    const deliveries = { nobody: 0, sender: 1, room: members, "others-in-room": Math.max(0, members - 1) };
    return deliveries[delivery];
  }

  #stray(rule: StrayRule, text: string): void {
    const { strays } = this.#account;
    strays.set(rule, (strays.get(rule) ?? 0) + 1);
    const bytes = utf8.encode(text);
    this.#account.noteStray(bytes, 0, bytes.length, true, () => null);
  }

  /** What an adapter throws is a fault of its own, and no reason to stop. */
  #guard(connection: Connection, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#isSent = false;
      this.#listener.onRefused(connection, `the adapter threw: ${error}`);
    }
  }
}
