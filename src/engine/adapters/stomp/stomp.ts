import type { Client, Session } from "../adapter.ts";
import { reasonOf } from "../json.ts";
import { defineAdapter, delivery, flag, name, template } from "../options.ts";
import { type Frame, FrameReader, type FrameSink, writeFrame } from "./frame.ts";

const options = {
  host: template("/", "the virtual host"),
  login: template("", "none where empty"),
  passcode: template("", "none where empty"),
  destination: template("/topic/{{room}}", "where messages are sent"),
  subscription: template("", "what is subscribed to; as `destination` where empty"),
  "content-type": name("text/plain", "of the messages"),
  receipt: flag(true, "whether each message, and the subscription, asks for a receipt"),
  delivery: delivery("room"),
};

/** In milliseconds: as often as the load calls `heartbeat`, and half as often is promised. */
const heartbeatMs = 10_000;

/** STOMP 1.2 (https://stomp.github.io/stomp-specification-1.2.html), a frame in a message. */
export const stomp = defineAdapter("stomp", options, (values) => ({
  subprotocols: ["v12.stomp"],
  path: "/ws",
  answers: { reply: values.receipt, delivery: values.delivery },
  heartbeatSeconds: heartbeatMs / 1000,
  createSession(client): Session {
    const destination = values.destination(client);
    return new StompSession(client, {
      connect: [
        ["accept-version", "1.2"],
        ["host", values.host(client)],
        ["heart-beat", `${2 * heartbeatMs},0`],
        ...given("login", values.login(client)),
        ...given("passcode", values.passcode(client)),
      ],
      destination,
      subscription: values.delivery === "nobody" ? null : values.subscription(client) || destination,
      contentType: values["content-type"],
      asksForReceipt: values.receipt,
    });
  },
}));

type Headers = readonly (readonly [name: string, value: string])[];

function given(name: string, value: string): Headers {
  return value === "" ? [] : [[name, value.replaceAll(/[\r\n]/g, "")]];
}

/** The receipt of the subscription; messages have their numbers. */
const subscribeReceipt = "s";
const subscriptionId = "0";

interface Words {
  readonly connect: Headers;
  readonly destination: string;
  readonly subscription: string | null;
  readonly contentType: string;
  readonly asksForReceipt: boolean;
}

class StompSession implements Session, FrameSink {
  readonly #client: Client;
  readonly #words: Words;
  readonly #reader = new FrameReader(this);
  /** Of SEND, up to what differs. */
  readonly #sendHead: string;
  #isText = true;
  #state: "connecting" | "subscribing" | "ready" = "connecting";

  constructor(client: Client, words: Words) {
    this.#client = client;
    this.#words = words;
    const head = writeFrame("SEND", [
      ["destination", words.destination],
      ["content-type", words.contentType],
    ]);
    // Without the empty line and the end.
    this.#sendHead = head.slice(0, -2);
  }

  opened(): void {
    this.#client.say(writeFrame("CONNECT", this.#words.connect, "", false));
  }

  publish(payload: string, id: number): void {
    const receipt = this.#words.asksForReceipt ? `receipt:${id}\n` : "";
    this.#client.say(
      `${this.#sendHead}${receipt}content-length:${Buffer.byteLength(payload)}\n\n${payload}\0`,
    );
  }

  /** A line end is a heart-beat. */
  heartbeat(): void {
    this.#client.say("\n");
  }

  received(message: string | Uint8Array): void {
    this.#isText = typeof message === "string";
    this.#reader.push(typeof message === "string" ? Buffer.from(message) : message);
  }

  onMalformed(what: string): void {
    this.#client.refuse(`malformed STOMP: ${reasonOf(what)}`);
  }

  onFrame({ command, headers, body }: Frame): void {
    switch (command) {
      case "MESSAGE":
        this.#client.deliver(this.#isText ? textOf(body) : body);
        break;
      case "RECEIPT":
        this.#hearReceipt(headers.get("receipt-id"));
        break;
      case "CONNECTED":
        this.#hearConnected(headers.get("version"));
        break;
      case "ERROR":
        this.#client.refuse(
          reasonOf([headers.get("message"), textOf(body).trim()].filter(Boolean).join(": ")),
        );
        break;
      default:
        this.onMalformed(`a frame ${command}`);
    }
  }

  #hearConnected(version: string | undefined): void {
    if (this.#state !== "connecting") {
      this.#client.refuse("the server connected twice");
      return;
    }
    if (version !== "1.2") {
      this.#client.refuse(`the server speaks version ${reasonOf(version ?? "1.0")} of STOMP, not 1.2`);
      return;
    }
    const { subscription, asksForReceipt } = this.#words;
    if (subscription === null) {
      this.#becomeReady();
      return;
    }
    this.#state = "subscribing";
    const headers: Headers = [
      ["id", subscriptionId],
      ["destination", subscription],
      ["ack", "auto"],
    ];
    const receipt: Headers = asksForReceipt ? [["receipt", subscribeReceipt]] : [];
    this.#client.say(writeFrame("SUBSCRIBE", [...headers, ...receipt]));
    if (!asksForReceipt) this.#becomeReady();
  }

  #becomeReady(): void {
    this.#state = "ready";
    this.#client.ready();
  }

  #hearReceipt(id: string | undefined): void {
    if (id === subscribeReceipt && this.#state === "subscribing") this.#becomeReady();
    else if (id !== undefined && /^[1-9]\d{0,14}$/.test(id)) this.#client.reply(Number(id));
    else this.#client.refuse("a receipt that was not awaited");
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}
