import { parseTemplate } from "../../plan/attack/template.ts";
import { opcode } from "../../websocket/frame.ts";
import type { Connection } from "../connection.ts";
import type { Account } from "./account.ts";
import type { AttackSetup } from "./attack-orders.ts";
import { createMatcher, type Matcher } from "./matcher.ts";
import { answer, Outstanding } from "./outstanding.ts";
import type { Talk, TalkListener } from "./talk.ts";
import { messageOpcode, TemplateWriter } from "./template-writer.ts";

/** Of what was awaited, so much is shown beside what came. */
const mostAwaited = 200;

/** Messages of a template as they are, and replies that a matcher knows. */
export class PlainTalk implements Talk {
  readonly heartbeatSeconds = null;
  readonly #account: Account;
  readonly #listener: TalkListener;
  readonly #writer: TemplateWriter;
  readonly #matcher: Matcher;
  readonly #isPing: boolean;
  readonly #owed: 0 | 1;
  /** By place; none before the first message, so that a connection that only waits costs nothing here. */
  readonly #outstanding: (Outstanding | undefined)[];

  constructor(setup: AttackSetup, places: number, account: Account, listener: TalkListener) {
    const { reply, binary, messageEncoding, columns, rows, seed, worker } = setup;
    this.#account = account;
    this.#listener = listener;
    this.#isPing = reply.kind === "ping";
    this.#owed = reply.kind === "none" ? 0 : 1;
    this.#writer = new TemplateWriter({
      // A ping's payload has 125 bytes at most (RFC 6455, section 5.5).
      parts: this.#isPing ? [{ kind: "id" }] : parseTemplate(setup.message, columns),
      encoding: messageEncoding,
      frameOpcode: this.#isPing ? opcode.ping : messageOpcode(binary),
      columns,
      rows,
      seed: seed + worker + 1,
    });
    this.#matcher = createMatcher(reply, binary || this.#isPing);
    this.#outstanding = new Array<undefined>(places).fill(undefined);
  }

  begin(): void {}

  opened(connection: Connection): void {
    this.#listener.onReady(connection);
  }

  send(connection: Connection, dueUs: number, nowUs: number): boolean {
    const outstanding = this.#outstandingOf(connection.place);
    const writer = this.#writer;
    const atUs = Math.floor(dueUs);
    const lagUs = Math.max(0, Math.floor(nowUs - atUs));
    writer.write(connection.place, connection.index, outstanding.next, atUs, lagUs);
    if (!connection.send(writer.bytes, writer.start, writer.end)) return false;
    outstanding.add(writer.hash, atUs, lagUs);
    this.#account.noteSent(nowUs, lagUs, writer.payloadLength, this.#owed);
    return true;
  }

  received(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    const account = this.#account;
    account.received += 1;
    account.bytesReceived += end - start;
    if (this.#owed === 0 || this.#isPing) return;
    this.#match(connection, bytes, start, end, isText);
  }

  pong(connection: Connection, payload: Uint8Array): void {
    // An empty one answers a ping that keeps the connection alive.
    if (this.#isPing && payload.length > 0) this.#match(connection, payload, 0, payload.length, false);
  }

  waiting({ place }: Connection): number {
    return this.#owed * (this.#outstanding[place] as Outstanding).waiting;
  }

  closed({ place }: Connection): number {
    return this.#owed * (this.#outstanding[place]?.forget() ?? 0);
  }

  giveUp(connection: Connection, dueUs: number): void {
    const outstanding = this.#outstanding[connection.place];
    if (outstanding === undefined) return;
    for (let seq = outstanding.oldest; seq !== 0; seq = outstanding.oldest) {
      if (outstanding.dueUs(seq) >= dueUs) return;
      outstanding.giveUp(seq);
      this.#listener.onAnswered(connection);
    }
  }

  heartbeat(): void {}

  #outstandingOf(place: number): Outstanding {
    const known = this.#outstanding[place];
    if (known !== undefined) return known;
    const created = new Outstanding();
    this.#outstanding[place] = created;
    return created;
  }

  #match(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    const outstanding = this.#outstandingOf(connection.place);
    const kind = this.#matcher.match(outstanding, connection.index, bytes, start, end, isText);
    if (kind === answer.unknown) {
      this.#account.noteStray(bytes, start, end, isText, () => this.#describeAwaited(connection));
    } else if (
      this.#account.noteAnswer(kind, outstanding, this.#listener.arrivedUs) &&
      outstanding.wasWaiting
    ) {
      this.#listener.onAnswered(connection);
    }
  }

  /** The beginning of the oldest message without an answer, its times and random text apart. */
  #describeAwaited({ place, index }: Connection): string | null {
    const outstanding = this.#outstanding[place];
    const seq = outstanding?.oldest ?? 0;
    if (outstanding === undefined || seq === 0) return null;
    return this.#writer.writeText(place, index, seq, outstanding.dueUs(seq), 0).slice(0, mostAwaited);
  }
}
