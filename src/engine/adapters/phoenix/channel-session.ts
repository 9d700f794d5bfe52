import type { Client, Session } from "../adapter.ts";
import type { Body } from "../body.ts";
import { isObject, parseJson, reasonOf } from "../json.ts";
import { type Five, readBinaryMessage } from "./binary-message.ts";

/** What a connection says and expects in its channel. */
export interface ChannelWords {
  readonly topic: string;
  /** JSON of the join. */
  readonly params: string;
  readonly body: Body;
  /** A push of the message in `payload`, which is JSON. */
  writePush(ref: string, payload: string): string | Uint8Array;
  /** The payload of a message in what the channel said; undefined where it is something else. */
  readPayload(event: unknown, payload: unknown): unknown;
}

/** A ref is whatever text its client likes (Phoenix.Socket.Message); messages have their numbers. */
export const joinRef = "j";
const heartbeatRef = "h";

/** One connection in one channel. */
export class ChannelSession implements Session {
  readonly #client: Client;
  readonly #words: ChannelWords;
  #hasJoined = false;

  constructor(client: Client, words: ChannelWords) {
    this.#client = client;
    this.#words = words;
  }

  opened(): void {
    const { topic, params } = this.#words;
    this.#client.say(`["${joinRef}","${joinRef}",${JSON.stringify(topic)},"phx_join",${params}]`);
  }

  publish(payload: string, id: number): void {
    const { body } = this.#words;
    if (id === 1 && !body.accepts(payload)) this.#client.refuse("the message is no JSON, as payload has it");
    this.#client.say(this.#words.writePush(String(id), body.write(payload)));
  }

  heartbeat(): void {
    this.#client.say(`[null,"${heartbeatRef}","phoenix","heartbeat",{}]`);
  }

  received(message: string | Uint8Array): void {
    const said = typeof message === "string" ? parseJson(message) : readBinaryMessage(message);
    if (Array.isArray(said) && said.length === 5) {
      this.#hear(said);
    } else {
      const shown = typeof message === "string" ? reasonOf(message) : `${message.length} bytes`;
      this.#client.refuse(`no message of Phoenix: ${shown}`);
    }
  }

  #hear([ownRef, ref, topic, event, payload]: Five): void {
    if (topic === "phoenix" && ref === heartbeatRef) return;
    const isOwn = topic === this.#words.topic;
    if (event === "phx_reply") this.#hearReply(isOwn ? ref : null, payload);
    else if (!isOwn) return;
    else if (event === "phx_error") this.#client.refuse("the channel has crashed (phx_error)");
    else if (event === "phx_close") {
      if (ownRef === joinRef) this.#client.refuse("the server closed the channel (phx_close)");
    } else this.#hearEvent(event, payload);
  }

  /** @param ref null where it is of another topic: only a refusal can come from there */
  #hearReply(ref: unknown, payload: unknown): void {
    const { status, response } = isObject(payload) ? payload : { status: null, response: null };
    if (status !== "ok") {
      const reason = isObject(response) ? (response.reason ?? response) : response;
      this.#client.refuse(reasonOf(reason ?? payload));
    } else if (ref === joinRef) {
      if (this.#hasJoined) return;
      this.#hasJoined = true;
      this.#client.ready();
    } else if (typeof ref === "string" && /^[1-9]\d{0,14}$/.test(ref)) {
      this.#client.reply(Number(ref));
    }
  }

  #hearEvent(event: unknown, payload: unknown): void {
    if (event === "system" && isObject(payload) && payload.status === "error") {
      this.#client.refuse(reasonOf(payload.message));
      return;
    }
    const said = this.#words.readPayload(event, payload);
    if (said === undefined) return;
    const message = this.#words.body.read(said);
    if (message === null) this.#client.refuse(`an event without a message: ${reasonOf(said)}`);
    else this.#client.deliver(message);
  }
}
