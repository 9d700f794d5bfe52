import type { Client, Session } from "./adapter.ts";
import type { Body } from "./body.ts";
import { isObject, parseJson, reasonOf } from "./json.ts";
import { body, defineAdapter, delivery, json, name } from "./options.ts";

const options = {
  channel: name("ChatChannel", "the channel's class"),
  params: json('{"room":"{{room}}"}', "its params, as JSON"),
  action: name("speak", "the channel's method that takes a message"),
  data: body('{"message":"{{message}}"}', "what it is given, as JSON"),
  broadcast: body('{"message":"{{message}}"}', "what the channel sends, as JSON"),
  delivery: delivery("room"),
};

/**
 * Rails' Action Cable (https://docs.anycable.io/misc/action_cable_protocol). It has no replies: a channel sends to its
 * streams, or to the one who performs an action (`transmit`, with delivery=sender).
 */
export const actionCable = defineAdapter("actioncable", options, (values) => ({
  subprotocols: ["actioncable-v1-json"],
  path: "/cable",
  answers: { reply: false, delivery: values.delivery },
  createSession(client): Session {
    const identifier = JSON.stringify({ channel: values.channel, ...(values.params?.(client) as object) });
    // The action is a key of the data, which is a string of JSON in the message.
    const data = values.data.createBody(client);
    return new ActionCableSession(client, {
      identifier,
      writeData: (payload) => withAction(values.action, data.write(payload)),
      data,
      broadcast: values.broadcast.createBody(client),
      isDelivered: values.delivery !== "nobody",
    });
  },
}));

/** @param data an object's JSON */
function withAction(action: string, data: string): string {
  const rest = data.slice(1).trimStart();
  return `{"action":${JSON.stringify(action)}${rest === "}" ? "" : ","}${rest}`;
}

interface Words {
  readonly identifier: string;
  readonly data: Body;
  readonly broadcast: Body;
  readonly isDelivered: boolean;
  writeData(payload: string): string;
}

class ActionCableSession implements Session {
  readonly #client: Client;
  readonly #words: Words;
  readonly #identifier: string;
  #state: "connecting" | "subscribing" | "ready" = "connecting";

  constructor(client: Client, words: Words) {
    this.#client = client;
    this.#words = words;
    this.#identifier = JSON.stringify(words.identifier);
  }

  /** The server speaks first. */
  opened(): void {}

  publish(payload: string, id: number): void {
    const { data, writeData } = this.#words;
    if (id === 1 && !data.accepts(payload)) this.#client.refuse("the message is no JSON, as data has it");
    const written = JSON.stringify(writeData(payload));
    this.#client.say(`{"command":"message","identifier":${this.#identifier},"data":${written}}`);
  }

  received(message: string | Uint8Array): void {
    const said = typeof message === "string" ? parseJson(message) : undefined;
    if (!isObject(said)) {
      const shown = typeof message === "string" ? reasonOf(message) : `${message.length} bytes`;
      this.#client.refuse(`no message of Action Cable: ${shown}`);
      return;
    }
    switch (said.type) {
      case undefined:
        this.#hearMessage(said.identifier, said.message);
        break;
      case "ping":
        break;
      case "welcome":
        this.#hearWelcome();
        break;
      case "confirm_subscription":
        if (this.#state !== "subscribing" || said.identifier !== this.#words.identifier) {
          this.#client.refuse("a subscription was confirmed that was not awaited");
        } else {
          this.#state = "ready";
          this.#client.ready();
        }
        break;
      case "reject_subscription":
        this.#client.refuse("the channel rejected the subscription");
        break;
      case "disconnect":
        this.#client.refuse(`disconnected: ${reasonOf(said.reason)}`);
        break;
      default:
        this.#client.refuse(`no message of Action Cable: ${reasonOf(said)}`);
    }
  }

  #hearWelcome(): void {
    if (this.#state !== "connecting") {
      this.#client.refuse("the server welcomed the connection twice");
      return;
    }
    this.#state = "subscribing";
    this.#client.say(`{"command":"subscribe","identifier":${this.#identifier}}`);
  }

  #hearMessage(identifier: unknown, said: unknown): void {
    const { broadcast, isDelivered } = this.#words;
    if (!isDelivered) return;
    const message = identifier === this.#words.identifier ? broadcast.read(said) : null;
    if (message === null) this.#client.refuse(`a broadcast without a message: ${reasonOf(said)}`);
    else this.#client.deliver(message);
  }
}
