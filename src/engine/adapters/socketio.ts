import type { Client, Session } from "./adapter.ts";
import type { Body } from "./body.ts";
import { isObject, parseJson, reasonOf } from "./json.ts";
import { body, defineAdapter, delivery, flag, json, name, text } from "./options.ts";

const options = {
  namespace: name("/", "the namespace to connect to"),
  auth: json("", "what is said in CONNECT, as JSON"),
  join: text("", "event that joins the room, with an acknowledgement; none where empty"),
  "join-data": json('"{{room}}"', "its argument, as JSON"),
  event: name("message", "event that carries a message"),
  data: body('"{{message}}"', "its argument, as JSON"),
  ack: flag(true, "whether each message asks for an acknowledgement"),
  delivery: delivery("nobody"),
  "deliver-event": text("", "event that carries it to others; as `event` where empty"),
};

/**
 * Socket.IO from version 3 on: version 5 of its protocol, over version 4 of Engine.IO's
 * (https://socket.io/docs/v4/socket-io-protocol/, https://socket.io/docs/v4/engine-io-protocol/). Over WebSocket alone:
 * nothing is polled, and nothing is upgraded.
 */
export const socketIo = defineAdapter("socketio", options, (values) => ({
  path: "/socket.io/?EIO=4&transport=websocket",
  answers: { reply: values.ack, delivery: values.delivery },
  explainRefusal,
  createSession(client): Session {
    const { namespace, join } = values;
    return new SocketIoSession(client, {
      namespace: namespace === "/" ? "" : `${namespace},`,
      auth: values.auth === null ? "" : JSON.stringify(values.auth(client)),
      join: join === "" ? null : JSON.stringify([join, values["join-data"]?.(client)]),
      event: values.event,
      body: values.data.createBody(client),
      asksForAck: values.ack,
      deliverEvent: values.delivery === "nobody" ? null : values["deliver-event"] || values.event,
    });
  },
}));

/** What Engine.IO's server answers in the body of a 400: `{"code":0,"message":"Transport unknown"}`. */
const refusals: Readonly<Record<number, string>> = {
  0: "the server takes no WebSocket for a new session: it forces HTTP polling first (`transports`), which this adapter doesn't do",
  1: "the server knows no such session: the URL must not name one (sid)",
  2: "the server takes no WebSocket here",
  3: "the server found the upgrade wrong",
  4: "the server's allowRequest has refused it",
  5: "the server speaks another version of Engine.IO than 4, as Socket.IO before version 3 does",
};

function explainRefusal(status: number, said: string): string | null {
  const answer = parseJson(said);
  if (status < 400 || !isObject(answer) || typeof answer.code !== "number") return null;
  return refusals[answer.code] ?? null;
}

/** Engine.IO's packet types: the first character of a message. */
const engine = { open: "0", close: "1", ping: "2", pong: "3", message: "4", noop: "6" } as const;
/** Socket.IO's: the first of an Engine.IO message. */
const packet = {
  connect: "0",
  disconnect: "1",
  event: "2",
  ack: "3",
  connectError: "4",
  binaryEvent: "5",
  binaryAck: "6",
} as const;
/** `TYPE[ATTACHMENTS-][NAMESPACE,][ID][JSON]` */
const packetShape = /^4([0-6])(?:(\d{1,9})-)?(?:(\/[^,]*),)?(\d{1,15})?/;
/** The acknowledgement of a join; messages count from 1. */
const joinId = 0;

interface Words {
  /** With its comma; empty for the main one. */
  readonly namespace: string;
  readonly auth: string;
  readonly join: string | null;
  readonly event: string;
  readonly body: Body;
  readonly asksForAck: boolean;
  readonly deliverEvent: string | null;
}

/** A packet whose binary parts are still to come, each in a message of its own. */
interface Awaited {
  readonly type: string;
  readonly id: number | null;
  readonly said: readonly unknown[];
  /** Still to come. */
  left: number;
  /** Of the next one. */
  number: number;
  /** Whether one of them was the message. */
  isHeard: boolean;
}

class SocketIoSession implements Session {
  readonly #client: Client;
  readonly #words: Words;
  readonly #eventStart: string;
  #state: "opening" | "connecting" | "joining" | "ready" = "opening";
  #awaited: Awaited | null = null;

  constructor(client: Client, words: Words) {
    this.#client = client;
    this.#words = words;
    this.#eventStart = `[${JSON.stringify(words.event)},`;
  }

  /** The server speaks first. */
  opened(): void {}

  publish(payload: string, id: number): void {
    const { namespace, body, asksForAck } = this.#words;
    if (id === 1 && !body.accepts(payload)) this.#client.refuse("the message is no JSON, as data has it");
    this.#client.say(
      `${engine.message}${packet.event}${namespace}${asksForAck ? id : ""}${this.#eventStart}${body.write(payload)}]`,
    );
  }

  received(message: string | Uint8Array): void {
    if (typeof message !== "string") {
      this.#hearAttachment(message);
      return;
    }
    switch (message[0]) {
      case engine.open:
        this.#hearOpen();
        break;
      case engine.ping:
        this.#client.say(engine.pong);
        break;
      case engine.message:
        this.#hearPacket(message);
        break;
      case engine.close:
        this.#client.refuse("the server closed the session");
        break;
      case engine.pong:
      case engine.noop:
        break;
      default:
        this.#client.refuse(`no packet of Engine.IO: ${reasonOf(message)}`);
    }
  }

  #hearOpen(): void {
    if (this.#state !== "opening") {
      this.#client.refuse("the server opened the session twice");
      return;
    }
    this.#state = "connecting";
    const { namespace, auth } = this.#words;
    this.#client.say(`${engine.message}${packet.connect}${namespace}${auth}`);
  }

  #hearPacket(message: string): void {
    const parts = packetShape.exec(message);
    if (parts === null) {
      this.#client.refuse(`no packet of Socket.IO: ${reasonOf(message)}`);
      return;
    }
    const [head, type, attachments, namespace = "", digits] = parts;
    const rest = message.slice(head.length);
    const said = rest === "" ? undefined : parseJson(rest);
    if (rest !== "" && said === undefined) {
      this.#client.refuse(`a packet of Socket.IO without JSON: ${reasonOf(message)}`);
      return;
    }
    // Those of other namespaces are not this conversation's.
    if (namespace !== "/" && namespace !== this.#words.namespace.slice(0, -1)) return;
    const id = digits === undefined ? null : Number(digits);
    switch (type) {
      case packet.connect:
        this.#hearConnect(said);
        break;
      case packet.connectError:
        this.#client.refuse(
          isObject(said) && typeof said.message === "string" ? reasonOf(said.message) : reasonOf(said),
        );
        break;
      case packet.disconnect:
        this.#client.refuse("the server disconnected the client from its namespace");
        break;
      default:
        if (!Array.isArray(said)) {
          this.#client.refuse(`a packet of Socket.IO without arguments: ${reasonOf(message)}`);
        } else if (type === packet.event) {
          this.#hearEvent(said, null);
        } else if (type === packet.ack) {
          this.#hearAck(id, said);
        } else {
          const left = Number(attachments ?? 0);
          this.#hearBinary({ type: type as string, id, said, left, number: 0, isHeard: false });
        }
    }
  }

  #hearConnect(said: unknown): void {
    if (this.#state === "opening" || !isObject(said) || typeof said.sid !== "string") {
      this.#client.refuse("the server speaks Socket.IO as before version 3, which this adapter doesn't");
      return;
    }
    if (this.#state !== "connecting") {
      this.#client.refuse("the server connected the namespace twice");
      return;
    }
    const { namespace, join } = this.#words;
    if (join === null) {
      this.#state = "ready";
      this.#client.ready();
      return;
    }
    this.#state = "joining";
    this.#client.say(`${engine.message}${packet.event}${namespace}${joinId}${join}`);
  }

  #hearEvent(said: readonly unknown[], bytes: Uint8Array | null): void {
    if (said[0] !== this.#words.deliverEvent) return;
    const payload = bytes ?? this.#words.body.read(said[1]);
    if (payload === null) this.#client.refuse(`an event without a message: ${reasonOf(said)}`);
    else this.#client.deliver(payload);
  }

  #hearAck(id: number | null, said: readonly unknown[]): void {
    // An error in an acknowledgement is nobody's rule, but everybody's habit.
    const error = isObject(said[0]) ? said[0].error : undefined;
    if (error !== undefined && error !== null) {
      this.#client.refuse(reasonOf(error));
    } else if (id === null) {
      this.#client.refuse("an acknowledgement without a number");
    } else if (id !== joinId) {
      this.#client.reply(id);
    } else if (this.#state === "joining") {
      this.#state = "ready";
      this.#client.ready();
    } else {
      this.#client.refuse("an acknowledgement of a join that was not awaited");
    }
  }

  #hearBinary(awaited: Awaited): void {
    if (awaited.left > 0) this.#awaited = awaited;
    else this.#finish(awaited);
  }

  /** Only that of the message matters, and only while it is delivered; the others are counted. */
  #hearAttachment(bytes: Uint8Array): void {
    const awaited = this.#awaited;
    if (awaited === null) {
      this.#client.refuse("a binary message that belongs to no packet");
      return;
    }
    const { type, said, number } = awaited;
    const place = this.#words.body.valueOf(said[1]);
    if (
      type === packet.binaryEvent &&
      isObject(place) &&
      place._placeholder === true &&
      place.num === number
    ) {
      awaited.isHeard = true;
      this.#hearEvent(said, bytes);
    }
    awaited.number += 1;
    awaited.left -= 1;
    if (awaited.left > 0) return;
    this.#awaited = null;
    this.#finish(awaited);
  }

  #finish({ type, id, said, isHeard }: Awaited): void {
    if (type === packet.binaryAck) this.#hearAck(id, said);
    else if (!isHeard) this.#hearEvent(said, null);
  }
}
