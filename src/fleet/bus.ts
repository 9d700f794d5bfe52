import {
  DiscardPolicy,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from "@nats-io/jetstream";
import { connect, credsAuthenticator, type NatsConnection } from "@nats-io/transport-node";
import { ShowdownError } from "../errors.ts";
import { printable } from "../text/printable.ts";
import type { BusAddress } from "./bus-address.ts";
import { type Message, type Received, readMessage, writeMessage } from "./messages.ts";

/** Final results, each under a subject of its own that takes no second message. */
const finalStream = "SHOWDOWN_FINAL";
const finalSubjects = "showdown.final.>";
/** Only agents' files have to last: what is left over in the stream goes. */
const finalDays = 7;
const connectMs = 5000;
const reconnectWaitMs = 200;
/** The server may just have come back, and JetStream later than the rest of it: shortly, and again. */
const apiMs = 1000;
/** Otherwise a server that is frozen or cut off is noticed after minutes. */
const pingMs = 5000;

export type Answer = (message: Message) => void;

/** The way to everyone of a fleet, by NATS. What is lost on it is said again by whoever said it. */
export interface Bus {
  /** Since when it is connected, by `performance.now()`; null while it is not. */
  readonly connectedMs: number | null;
  /** A message's size is limited; larger ones throw a `ShowdownError` of `fleet`. */
  readonly mostBytes: number;
  say(subject: string, message: Message): void;
  listen(subject: string, take: (received: Received, answer: Answer) => void): void;
  /** @returns null where no answer came in time, or nobody is there */
  ask(subject: string, message: Message, timeoutMs: number): Promise<Message | null>;
  /**
   * Keeps a message for good, unless there is one under its subject already.
   *
   * @returns whether there is one now
   */
  keep(subject: string, message: Message): Promise<boolean>;
  /** @returns what is kept there; null where nothing is, or the bus is away */
  find(subject: string): Promise<Message | null>;
  /** Waits until all has come that the server had for this program. @returns whether it did in time */
  catchUp(timeoutMs: number): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * @param name of this program among the connections of the server
 * @throws {ShowdownError} `fleet` where it can't be reached, or has no JetStream
 */
export async function openBus(address: BusAddress, name: string): Promise<Bus> {
  const { shown, servers, login, tls } = address;
  let connection: NatsConnection;
  try {
    connection = await connect({
      name,
      servers: [...servers],
      timeout: connectMs,
      // It may be away for longer than a load lasts: agents wait for it with their results.
      maxReconnectAttempts: -1,
      reconnectTimeWait: reconnectWaitMs,
      ignoreAuthErrorAbort: true,
      pingInterval: pingMs,
      ...(login.kind === "token" ? { token: login.token } : {}),
      ...(login.kind === "user" ? { user: login.user, pass: login.pass } : {}),
      ...(login.kind === "creds"
        ? { authenticator: credsAuthenticator(new TextEncoder().encode(login.text)) }
        : {}),
      ...(tls === null
        ? {}
        : {
            tls: {
              ...(tls.ca === null ? {} : { ca: tls.ca }),
              ...(tls.cert === null || tls.key === null ? {} : { cert: tls.cert, key: tls.key }),
            },
          }),
    });
  } catch (cause) {
    const { name: kind, message } = cause as Error;
    if (kind === "AuthorizationError" || kind === "UserAuthenticationExpiredError") {
      throw new ShowdownError("usage", `${shown}: the bus does not let us in: ${printable(message)}`, {
        hint: "look at the token, the user or --bus-creds",
        cause,
      });
    }
    throw new ShowdownError(
      "fleet",
      `${shown}: the bus cannot be reached: ${printable(message, { most: 200 })}`,
      { hint: "start a nats-server with JetStream (-js) there, or look at the address and the login", cause },
    );
  }
  const bus = new NatsBus(connection);
  if (!(await bus.prepare())) {
    await bus.close();
    throw new ShowdownError("fleet", `${shown}: this NATS server does not keep results`, {
      hint: "start it with JetStream: nats-server -js",
    });
  }
  return bus;
}

class NatsBus implements Bus {
  connectedMs: number | null = performance.now();
  readonly #connection: NatsConnection;
  #manager: JetStreamManager | null = null;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    void this.#watch();
  }

  get mostBytes(): number {
    return this.#connection.info?.max_payload ?? 1_048_576;
  }

  say(subject: string, message: Message): void {
    if (!this.#connection.isClosed()) this.#connection.publish(subject, this.#write(message));
  }

  listen(subject: string, take: (received: Received, answer: Answer) => void): void {
    this.#connection.subscribe(subject, {
      callback: (error, carried) => {
        if (error !== null) return;
        const received = readMessage(carried.data);
        if (received !== null) take(received, (answer) => void carried.respond(this.#write(answer)));
      },
    });
  }

  async ask(subject: string, message: Message, timeoutMs: number): Promise<Message | null> {
    const data = this.#write(message);
    try {
      const carried = await this.#connection.request(subject, data, { timeout: timeoutMs });
      const received = readMessage(carried.data);
      return received?.kind === "message" ? received.message : null;
    } catch {
      // Nobody is there, it took too long, or the bus is away: for whoever asks, all the same.
      return null;
    }
  }

  async keep(subject: string, message: Message): Promise<boolean> {
    const data = this.#write(message);
    try {
      await jetstream(this.#connection, { timeout: apiMs }).publish(subject, data, { timeout: apiMs });
      return true;
    } catch {
      // It may be that there is one, that the stream is gone with the server's disk, or that nothing is there.
      await this.prepare();
      return (await this.find(subject)) !== null;
    }
  }

  async find(subject: string): Promise<Message | null> {
    try {
      // Of the stream itself, which is there when it answers: 2.9.10 dies of being asked for one of a stream in the making.
      const stored = await this.#manager?.direct.getMessage(finalStream, { last_by_subj: subject });
      if (stored === null || stored === undefined) return null;
      const received = readMessage(stored.data);
      return received?.kind === "message" ? received.message : null;
    } catch {
      await this.prepare();
      return null;
    }
  }

  async catchUp(timeoutMs: number): Promise<boolean> {
    const caughtUp = this.#connection.flush().then(
      () => true,
      () => false,
    );
    return await Promise.race([caughtUp, Bun.sleep(timeoutMs).then(() => false)]);
  }

  async close(): Promise<void> {
    // Without a server there is nothing to wait for.
    if (this.connectedMs !== null)
      await Promise.race([this.#connection.flush(), Bun.sleep(apiMs)]).catch(() => {});
    await this.#connection.close();
  }

  /** Makes the stream where there is none. @returns whether there is one */
  async prepare(): Promise<boolean> {
    try {
      this.#manager ??= await jetstreamManager(this.#connection, { timeout: apiMs, checkAPI: false });
      await this.#manager.streams.add({
        name: finalStream,
        subjects: [finalSubjects],
        storage: StorageType.File,
        retention: RetentionPolicy.Limits,
        max_msgs_per_subject: 1,
        discard: DiscardPolicy.New,
        discard_new_per_subject: true,
        allow_direct: true,
        max_age: finalDays * 86_400 * 1e9,
      });
      return true;
    } catch {
      return await this.#hasStream();
    }
  }

  async #hasStream(): Promise<boolean> {
    try {
      const info = await this.#manager?.streams.info(finalStream);
      return info?.config.discard_new_per_subject === true && info.config.allow_direct;
    } catch {
      return false;
    }
  }

  #write(message: Message): Uint8Array {
    const data = writeMessage(message);
    if (data.byteLength <= this.mostBytes) return data;
    throw new ShowdownError(
      "fleet",
      `a message of ${data.byteLength} bytes is too large for the bus, which takes ${this.mostBytes}`,
      { hint: "raise max_payload of the nats-server, or attack with less --data or a shorter --message" },
    );
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === "disconnect" || type === "staleConnection") this.connectedMs = null;
      if (type !== "reconnect") continue;
      this.connectedMs = performance.now();
      // Its disk may be lost, and of a stream that is not there no answer comes at all.
      void this.prepare();
    }
  }
}
