import type { Adapter, AdapterOptions, Client, Session } from "../../src/engine/adapters/adapter.ts";

interface LoadOptions {
  readonly adapter: Adapter;
  /** Without path and query the adapter's own are taken. */
  readonly url: string;
  readonly options?: AdapterOptions;
  readonly connections?: number;
  readonly rooms?: number;
  readonly messagesPerConnection?: number;
  /** Of one message; every message must differ from every other. */
  payload?(connection: number, id: number): string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where nothing comes for so long, nothing will. */
  readonly silenceMs?: number;
}

interface Outcome {
  /** What each connection was refused, by reason. */
  readonly refusals: Readonly<Record<string, number>>;
  readonly ready: number;
  readonly replies: Tally;
  readonly deliveries: Tally;
}

/** Of what was owed: each must have come exactly once, and nothing else. */
interface Tally {
  readonly owed: number;
  readonly missing: number;
  readonly duplicated: number;
  readonly unexpected: number;
}

/** What comes twice comes soon after. */
const afterMs = 150;

/** Joins with many connections, publishes on all, and audits what came back by each sender and number. */
export async function loadAdapter({
  adapter,
  url,
  options = {},
  connections = 20,
  rooms = 4,
  messagesPerConnection = 50,
  payload = (connection, id) => `${connection}-${id} "quoted" {a:b}\\ \n ünïcode 💬`,
  headers = {},
  silenceMs = 8000,
}: LoadOptions): Promise<Outcome> {
  const configured = adapter.configure?.(options) ?? adapter;
  const { answers, path = "/", subprotocols = [] } = configured;
  const target = /^wss?:\/\/[^/?]+$/.test(url) ? url + path : url;
  const refusals: Record<string, number> = {};
  const replies = new Audit();
  const deliveries = new Audit();
  let ready = 0;
  let settled = 0;
  let lastMs = performance.now();
  const sessions: Session[] = [];
  const sockets: WebSocket[] = [];

  const open = (index: number) =>
    new Promise<void>((resolve) => {
      const socket = new WebSocket(target, { protocols: [...subprotocols], headers } as unknown as string[]);
      socket.binaryType = "arraybuffer";
      sockets.push(socket);
      let isSettled = false;
      const settle = () => {
        if (isSettled) return;
        isSettled = true;
        settled += 1;
        resolve();
      };
      const room = roomOf(index, rooms);
      const client: Client = {
        index,
        room,
        row: {},
        say: (message) => {
          socket.send(typeof message === "string" ? message : (message.slice() as Uint8Array<ArrayBuffer>));
        },
        ready: () => {
          ready += 1;
          settle();
        },
        reply: (id) => {
          lastMs = performance.now();
          replies.note(`${index}<${id}`);
        },
        deliver: (said) => {
          lastMs = performance.now();
          deliveries.note(`${index}<${typeof said === "string" ? said : Buffer.from(said).toString()}`);
        },
        refuse: (reason) => {
          lastMs = performance.now();
          refusals[reason] = (refusals[reason] ?? 0) + 1;
          settle();
        },
      };
      const session = configured.createSession(client, options);
      sessions[index] = session;
      socket.onopen = () => session.opened();
      socket.onmessage = ({ data }) =>
        session.received(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
      socket.onclose = ({ code, reason }) => {
        if (!isSettled) client.refuse(`closed with ${code} ${reason}`);
      };
    });

  try {
    const opened = Promise.all(Array.from({ length: connections }, (_, index) => open(index)));
    await Promise.race([opened, Bun.sleep(30_000)]);
    if (settled < connections) refusals["not ready after 30 s"] = connections - settled;
    if (ready === connections) {
      for (let id = 1; id <= messagesPerConnection; id += 1) {
        for (let index = 0; index < connections; index += 1) {
          const message = payload(index, id);
          if (answers.reply) replies.owe(`${index}<${id}`);
          for (let other = 0; other < connections; other += 1) {
            const isOwed =
              answers.delivery === "sender"
                ? other === index
                : answers.delivery !== "nobody" &&
                  roomOf(other, rooms) === roomOf(index, rooms) &&
                  (answers.delivery === "room" || other !== index);
            if (isOwed) deliveries.owe(`${other}<${message}`);
          }
          (sessions[index] as Session).publish(message, id);
        }
        // Half way, a heart-beat of each.
        if (id * 2 === messagesPerConnection) for (const session of sessions) session.heartbeat?.();
        await Bun.sleep(0);
      }
      lastMs = performance.now();
      while (!(replies.isDone && deliveries.isDone) && performance.now() - lastMs < silenceMs)
        await Bun.sleep(20);
      await Bun.sleep(afterMs);
    }
  } finally {
    for (const socket of sockets) socket.close();
  }
  return { refusals, ready, replies: replies.tally(), deliveries: deliveries.tally() };
}

/** What a load ends with when nothing went wrong. */
export function flawless(connections: number, replies: number, deliveries: number): Outcome {
  const all = (owed: number) => ({ owed, missing: 0, duplicated: 0, unexpected: 0 });
  return { refusals: {}, ready: connections, replies: all(replies), deliveries: all(deliveries) };
}

function roomOf(index: number, rooms: number): string {
  return `r${index % rooms}`;
}

class Audit {
  readonly #owed = new Set<string>();
  readonly #came = new Set<string>();
  #duplicated = 0;
  #unexpected = 0;

  get isDone(): boolean {
    return this.#came.size === this.#owed.size;
  }

  owe(key: string): void {
    this.#owed.add(key);
  }

  note(key: string): void {
    if (!this.#owed.has(key)) this.#unexpected += 1;
    else if (this.#came.has(key)) this.#duplicated += 1;
    else this.#came.add(key);
  }

  tally(): Tally {
    return {
      owed: this.#owed.size,
      missing: this.#owed.size - this.#came.size,
      duplicated: this.#duplicated,
      unexpected: this.#unexpected,
    };
  }
}
