import type { Client, Session } from "./adapter.ts";
import type { Body } from "./body.ts";
import { isObject, parseJson, reasonOf, toJson, valueAt } from "./json.ts";
import { body, choice, defineAdapter, delivery, json, pointer, seconds, text } from "./options.ts";

const options = {
  subprotocol: choice(
    ["graphql-transport-ws", "graphql-ws"],
    "graphql-transport-ws",
    "graphql-ws: the older one, of subscriptions-transport-ws",
  ),
  init: json("", "payload of `connection_init`, as JSON"),
  query: text("{ __typename }", "the operation that is sent for each message"),
  variables: body("{}", "its variables, as JSON", false),
  subscription: text("", "what each connection subscribes to first; nothing where empty"),
  "subscription-variables": json("{}", "its variables, as JSON"),
  message: pointer("/message", "where a subscription's `data` has the message, as a JSON pointer"),
  delivery: delivery("room"),
  ping: seconds(30, 1, 3600, "between two pings of the client"),
};

/** What the two call the same: graphql-ws's PROTOCOL.md, and that of subscriptions-transport-ws. */
const dialects = {
  "graphql-transport-ws": { subscribe: "subscribe", next: "next" },
  "graphql-ws": { subscribe: "start", next: "data" },
} as const;

/**
 * GraphQL over WebSocket (https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md). The operation's result is
 * the reply; a subscription gets what others publish.
 */
export const graphql = defineAdapter("graphql", options, (values) => ({
  subprotocols: [values.subprotocol],
  path: "/graphql",
  answers: { reply: true, delivery: values.subscription === "" ? "nobody" : values.delivery },
  heartbeatSeconds: values.ping,
  createSession(client): Session {
    const subscription = {
      query: values.subscription,
      variables: values["subscription-variables"]?.(client) ?? {},
    };
    return new GraphqlSession(client, {
      dialect: values.subprotocol,
      init: values.init === null ? "" : `,"payload":${JSON.stringify(values.init(client))}`,
      query: JSON.stringify(values.query),
      variables: values.variables.createBody(client),
      subscription: values.subscription === "" ? null : JSON.stringify(subscription),
      message: values.message,
    });
  },
}));

/** A message is another operation, by its own number. */
const subscriptionId = "s";

interface Words {
  readonly dialect: keyof typeof dialects;
  readonly init: string;
  /** JSON. */
  readonly query: string;
  readonly variables: Body;
  readonly subscription: string | null;
  readonly message: readonly string[];
}

class GraphqlSession implements Session {
  readonly #client: Client;
  readonly #words: Words;
  readonly #isLegacy: boolean;
  readonly #subscribe: string;
  readonly #next: string;
  #state: "connecting" | "subscribing" | "ready" = "connecting";

  constructor(client: Client, words: Words) {
    const { subscribe, next } = dialects[words.dialect];
    this.#client = client;
    this.#words = words;
    this.#isLegacy = words.dialect === "graphql-ws";
    this.#subscribe = `{"type":"${subscribe}","id":"`;
    this.#next = next;
  }

  opened(): void {
    this.#client.say(`{"type":"connection_init"${this.#words.init}}`);
  }

  publish(payload: string, id: number): void {
    const { query, variables } = this.#words;
    if (id === 1 && !variables.accepts(payload))
      this.#client.refuse("the message is no JSON, as variables has it");
    this.#client.say(
      `${this.#subscribe}${id}","payload":{"query":${query},"variables":${variables.write(payload)}}}`,
    );
  }

  heartbeat(): void {
    // The older one has pings of the server only.
    if (!this.#isLegacy) this.#client.say('{"type":"ping"}');
  }

  received(message: string | Uint8Array): void {
    const said = typeof message === "string" ? parseJson(message) : undefined;
    if (!isObject(said) || typeof said.type !== "string") {
      const shown = typeof message === "string" ? reasonOf(message) : `${message.length} bytes`;
      this.#client.refuse(`no message of ${this.#words.dialect}: ${shown}`);
      return;
    }
    const { type, id, payload } = said;
    switch (type) {
      case this.#next:
        this.#hearNext(id, payload);
        break;
      case "complete":
        if (id === subscriptionId) this.#client.refuse("the server ended the subscription");
        break;
      case "connection_ack":
        this.#hearAck();
        break;
      case "ping":
        this.#client.say('{"type":"pong"}');
        break;
      case "pong":
        // Everything is answered in order: what was subscribed to before this has been heard.
        if (this.#state === "subscribing") this.#becomeReady();
        break;
      case "ka":
        break;
      case "error":
      case "connection_error":
        this.#client.refuse(reasonOfErrors(payload));
        break;
      default:
        this.#client.refuse(`no message of ${this.#words.dialect}: ${reasonOf(message as string)}`);
    }
  }

  #hearAck(): void {
    if (this.#state !== "connecting") {
      this.#client.refuse("the server acknowledged the connection twice");
      return;
    }
    const { subscription } = this.#words;
    if (subscription === null) {
      this.#becomeReady();
      return;
    }
    this.#state = "subscribing";
    this.#client.say(`${this.#subscribe}${subscriptionId}","payload":${subscription}}`);
    // Nothing tells that a subscription has begun. The newer protocol has a ping to ask with, the older one nothing.
    if (this.#isLegacy) this.#becomeReady();
    else this.#client.say('{"type":"ping"}');
  }

  #becomeReady(): void {
    this.#state = "ready";
    this.#client.ready();
  }

  #hearNext(id: unknown, payload: unknown): void {
    const { data, errors } = isObject(payload) ? payload : { data: undefined, errors: payload };
    if (errors !== undefined && errors !== null) {
      this.#client.refuse(reasonOfErrors(errors));
    } else if (id === subscriptionId) {
      const found = valueAt(data, this.#words.message);
      const message = typeof found === "string" ? found : toJson(found);
      if (message === null) this.#client.refuse(`no message in the subscription's data: ${reasonOf(data)}`);
      else this.#client.deliver(message);
    } else if (typeof id === "string" && /^[1-9]\d{0,14}$/.test(id)) {
      this.#client.reply(Number(id));
    } else {
      this.#client.refuse(`a result of no operation: ${reasonOf(id)}`);
    }
  }
}

/** The first of GraphQL's errors, or whatever else was said. */
function reasonOfErrors(said: unknown): string {
  const first = Array.isArray(said) ? said[0] : said;
  return reasonOf(isObject(first) && typeof first.message === "string" ? first.message : first);
}
