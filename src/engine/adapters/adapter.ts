/**
 * How a server outside of this project is spoken to: what is said to join, how a message is published, and what an
 * arrival means. A connection does TCP, TLS, the upgrade and frames; pacing, latency and the audit belong to the load.
 *
 * Built-in adapters are such modules, and `--adapter ./mine.ts` loads another by its default export. A process has one
 * adapter, and one session for each of its connections.
 */
export interface Adapter {
  readonly name: string;
  /** Offered in the upgrade where the user names none (RFC 6455, section 4.1). */
  readonly subprotocols?: readonly string[];
  /** Path and query where the URL has none. */
  readonly path?: string;
  /** What comes back of a message: at the sender, and at everybody in its room. */
  readonly answers: Answers;
  /** Between two calls of a session's `heartbeat`, in seconds; none where absent. */
  readonly heartbeatSeconds?: number;
  /**
   * The adapter as these options have it, where they decide about any of the above; else it is the same for all. The
   * load asks once, before any connection, and makes its sessions by what it gets.
   *
   * @throws {Error} with a sentence for the user where an option is wrong
   */
  configure?(options: AdapterOptions): Adapter;
  /** What a refused upgrade means in this protocol; null where it says nothing of its own. `body` is untrusted. */
  explainRefusal?(status: number, body: string): string | null;
  /** @throws {Error} with a sentence for the user where an option is wrong; called before any connection */
  createSession(client: Client, options: AdapterOptions): Session;
}

export interface Answers {
  /** Whether the server answers each message to whoever sent it: `Client.reply`. */
  readonly reply: boolean;
  /** Who is given what was published: `Client.deliver`. */
  readonly delivery: "nobody" | "sender" | "room" | "others-in-room";
}

/** `--adapter-option NAME=VALUE`, as typed. */
export type AdapterOptions = Readonly<Record<string, string>>;

/** What the load offers to a session. */
export interface Client {
  /** Of this connection, over all workers. */
  readonly index: number;
  /** The room, topic or channel that it is in: `--rooms` share out the connections. */
  readonly room: string;
  /** Its row of `--data`; empty without. */
  readonly row: Readonly<Record<string, string>>;
  /** Sends one WebSocket message: text of a string, binary of bytes, which are the caller's again at once. */
  say(message: string | Uint8Array): void;
  /** It has joined and may publish. */
  ready(): void;
  /** The answer to the message that was published under this number has come. */
  reply(id: number): void;
  /** A message that somebody published has arrived, as it was published. */
  deliver(payload: string | Uint8Array): void;
  /** The server refused something: counted by its reason; before `ready` the connection has failed. */
  refuse(reason: string): void;
}

/** One connection's conversation. Nothing here is called before the upgrade has succeeded. */
export interface Session {
  /** Says the first words; calls `ready` at once where there are none to wait for. */
  opened(): void;
  /** A whole message: a string of a text message, else bytes that are only valid during the call. */
  received(message: string | Uint8Array): void;
  /** @param id counts from 1 for each connection */
  publish(payload: string, id: number): void;
  heartbeat?(): void;
}
