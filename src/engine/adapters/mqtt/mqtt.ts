import { ShowdownError } from "../../../errors.ts";
import { printable } from "../../../text/printable.ts";
import type { Client, Session } from "../adapter.ts";
import { reasonOf } from "../json.ts";
import { choice, defineAdapter, flag, seconds, template } from "../options.ts";
import {
  encodeTopic,
  FieldReader,
  type Level,
  level,
  PacketReader,
  type PacketSink,
  packetType,
  pingreq,
  readProperties,
  writeConnect,
  writePuback,
  writePublish,
  writeSubscribe,
} from "./packet.ts";
import { connectReturnCodes, reasonCodes } from "./reasons.ts";

const options = {
  version: choice(["3.1.1", "5"], "3.1.1", "of the protocol"),
  qos: choice(["0", "1"], "1", "1: the server acknowledges each message"),
  topic: template("showdown/{{room}}", "the topic to subscribe to, and to publish to"),
  subscribe: flag(true, "whether the topic is subscribed to"),
  "no-local": flag(false, "version 5: the sender isn't given its own messages"),
  "client-id": template("showdown-{{connection}}", "of each connection; no two may share one"),
  username: template("", "none where empty"),
  password: template("", "none where empty"),
  "keep-alive": seconds(60, 2, 65_535, "after which a silent client is dead; it pings after half of it"),
};

/** MQTT 3.1.1 or 5 in binary messages (version 3.1.1, section 6). */
export const mqtt = defineAdapter("mqtt", options, (values) => ({
  subprotocols: ["mqtt"],
  path: "/mqtt",
  answers: {
    reply: values.qos === "1",
    delivery: !values.subscribe
      ? "nobody"
      : values.version === "5" && values["no-local"]
        ? "others-in-room"
        : "room",
  },
  heartbeatSeconds: Math.floor(values["keep-alive"] / 2),
  createSession(client): Session {
    const credentials = { username: values.username(client), password: values.password(client) };
    const topic = values.topic(client);
    check(
      topic !== "" && !/[+#\0]/.test(topic),
      `option topic=${topic}: expected one topic, without + and #`,
    );
    check(
      values.version === "5" || credentials.password === "" || credentials.username !== "",
      "option password: version 3.1.1 has it only beside a username",
    );
    return new MqttSession(client, {
      level: level[values.version],
      qos: Number(values.qos),
      topic,
      subscribes: values.subscribe,
      noLocal: values.version === "5" && values["no-local"],
      connect: writeConnect({
        level: level[values.version],
        clientId: values["client-id"](client),
        keepAliveSeconds: values["keep-alive"],
        ...credentials,
      }),
    });
  },
}));

function check(isRight: boolean, problem: string): void {
  if (!isRight) throw new ShowdownError("usage", `adapter mqtt: ${printable(problem, { most: 200 })}`);
}

/** Messages have the packet identifiers up to this one, over and over; the last is the subscription's. */
const mostMessageIds = 65_534;
const subscribeId = 65_535;

interface Words {
  readonly level: Level;
  readonly qos: number;
  readonly topic: string;
  readonly subscribes: boolean;
  readonly noLocal: boolean;
  readonly connect: Uint8Array;
}

class MqttSession implements Session, PacketSink {
  readonly #client: Client;
  readonly #words: Words;
  readonly #topic: Uint8Array;
  readonly #reader = new PacketReader(this);
  #state: "connecting" | "subscribing" | "ready" = "connecting";
  /** How many publications of QoS 1 may wait for their PUBACK; those beyond wait here. */
  #receiveMaximum = mostMessageIds;
  /** By packet identifier: the number of the message that has it, while it waits for its PUBACK. */
  readonly #unacknowledged = new Map<number, number>();
  /** Not yet sent, from `#sentOfWaiting` on. */
  #waiting: { readonly payload: string; readonly id: number }[] = [];
  #sentOfWaiting = 0;

  constructor(client: Client, words: Words) {
    this.#client = client;
    this.#words = words;
    this.#topic = encodeTopic(words.topic);
  }

  opened(): void {
    this.#client.say(this.#words.connect);
  }

  publish(payload: string, id: number): void {
    const { level, qos } = this.#words;
    if (qos === 0) this.#client.say(writePublish(level, this.#topic, 0, payload));
    else if (this.#sentOfWaiting < this.#waiting.length || !this.#send(payload, id)) {
      this.#waiting.push({ payload, id });
    }
  }

  heartbeat(): void {
    this.#client.say(pingreq);
  }

  received(message: string | Uint8Array): void {
    if (typeof message === "string") this.#client.refuse(`text, where MQTT is binary: ${reasonOf(message)}`);
    else this.#reader.push(message);
  }

  onMalformed(what: string): void {
    this.#client.refuse(`malformed MQTT: ${what}`);
  }

  onPacket(type: number, flags: number, body: Uint8Array): void {
    const fields = new FieldReader(body);
    switch (type) {
      case packetType.publish:
        this.#hearPublish(flags, fields);
        break;
      case packetType.puback:
        this.#hearPuback(fields);
        break;
      case packetType.connack:
        this.#hearConnack(fields);
        break;
      case packetType.suback:
        this.#hearSuback(fields);
        break;
      case packetType.pingresp:
        break;
      case packetType.disconnect:
        this.#refuse("disconnected", fields.isAtEnd ? 0 : fields.byte(), fields);
        break;
      default:
        this.onMalformed(`packet type ${type}, which no server sends to such a client`);
        return;
    }
    if (fields.isMalformed) this.onMalformed(`packet type ${type} of ${body.length} bytes`);
  }

  /** False where too many wait for their PUBACK. */
  #send(payload: string, id: number): boolean {
    const packetId = ((id - 1) % mostMessageIds) + 1;
    const holder = this.#unacknowledged.get(packetId);
    // A message that could not be sent comes again under its number.
    if (holder !== id && (holder !== undefined || this.#unacknowledged.size >= this.#receiveMaximum)) {
      return false;
    }
    this.#unacknowledged.set(packetId, id);
    this.#client.say(writePublish(this.#words.level, this.#topic, packetId, payload));
    return true;
  }

  #hearConnack(fields: FieldReader): void {
    fields.byte();
    const code = fields.byte();
    if (fields.isMalformed) return;
    if (this.#state !== "connecting") {
      this.#client.refuse("the server acknowledged the connection twice");
      return;
    }
    const { level, topic, subscribes, qos, noLocal } = this.#words;
    if (code !== 0) {
      // A server that knows no version 5 answers it as in its own.
      if (code >= 128) this.#refuse("connection refused", code, fields);
      else this.#client.refuse(`connection refused: ${connectReturnCodes[code] ?? `return code ${code}`}`);
      return;
    }
    if (level === 5) {
      const { receiveMaximum, maximumQos } = readProperties(fields);
      if (fields.isMalformed) return;
      this.#receiveMaximum = Math.min(receiveMaximum ?? mostMessageIds, mostMessageIds);
      if (maximumQos !== null && maximumQos < qos) {
        this.#client.refuse("the server allows QoS 0 only: say --adapter-option qos=0");
        return;
      }
    }
    if (!subscribes) {
      this.#becomeReady();
      return;
    }
    this.#state = "subscribing";
    this.#client.say(writeSubscribe(level, subscribeId, topic, qos, noLocal));
  }

  #hearSuback(fields: FieldReader): void {
    const packetId = fields.uint16();
    if (this.#words.level === 5 && !fields.isMalformed) readProperties(fields);
    const code = fields.byte();
    if (fields.isMalformed) return;
    if (this.#state !== "subscribing" || packetId !== subscribeId) {
      this.#client.refuse("a SUBACK that was not awaited");
    } else if (code >= 128) {
      this.#client.refuse(`subscription refused: ${reasonCodes[code] ?? `reason code ${code}`}`);
    } else {
      this.#becomeReady();
    }
  }

  #becomeReady(): void {
    this.#state = "ready";
    this.#client.ready();
  }

  #hearPublish(flags: number, fields: FieldReader): void {
    const qos = (flags >>> 1) & 3;
    if (qos > 1) {
      this.onMalformed(`a message of QoS ${qos}, where at most ${this.#words.qos} was asked for`);
      return;
    }
    fields.take(fields.uint16());
    const packetId = qos === 1 ? fields.uint16() : 0;
    if (this.#words.level === 5) readProperties(fields);
    if (fields.isMalformed) return;
    if (qos === 1) this.#client.say(writePuback(packetId));
    // What was retained before this load is none of its messages.
    const isRetained = (flags & 1) === 1;
    if (!isRetained) this.#client.deliver(fields.rest());
  }

  #hearPuback(fields: FieldReader): void {
    const packetId = fields.uint16();
    const code = fields.isAtEnd ? 0 : fields.byte();
    if (fields.isMalformed) return;
    const id = this.#unacknowledged.get(packetId);
    if (id === undefined) {
      this.#client.refuse("a PUBACK that was not awaited");
      return;
    }
    this.#unacknowledged.delete(packetId);
    if (code >= 128) this.#refuse("message refused", code, fields);
    else this.#client.reply(id);
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    for (;;) {
      const next = this.#waiting[this.#sentOfWaiting];
      if (next === undefined || !this.#send(next.payload, next.id)) break;
      this.#sentOfWaiting += 1;
    }
    if (this.#sentOfWaiting === this.#waiting.length) {
      this.#waiting = [];
      this.#sentOfWaiting = 0;
    }
  }

  /** With the reason code of version 5, and the server's own words where it has some. */
  #refuse(what: string, code: number, fields: FieldReader): void {
    const { reason } = fields.isAtEnd ? { reason: null } : readProperties(fields);
    const known = code === 0 ? null : (reasonCodes[code] ?? `reason code ${code}`);
    const said = [known, reason === null ? null : reasonOf(reason)].filter((part) => part !== null);
    this.#client.refuse(said.length === 0 ? what : `${what}: ${said.join(", ")}`);
  }
}
