/** Small WebSocket servers, each with one way of its own, on a loopback port that the system chose. */
import type { ServerWebSocket } from "bun";

export interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** What a connection of such a server may do with a message. */
type Answer = (socket: ServerWebSocket<Seen>, message: string | Buffer<ArrayBuffer>) => void;

interface Seen {
  /** Of this connection. */
  messages: number;
  held: string | Buffer<ArrayBuffer> | null;
}

interface Ways {
  readonly onOpen?: (socket: ServerWebSocket<Seen>) => void;
  readonly onPing?: (socket: ServerWebSocket<Seen>) => void;
  /** In place of the upgrade; null to go on with it. */
  readonly refuse?: (request: Request) => Response | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** Speaks TLS. */
  readonly tls?: Bun.TLSOptions;
  /** Agrees to permessage-deflate where it is asked. */
  readonly compresses?: boolean;
}

export function serve(
  answer: Answer,
  { onOpen, onPing, refuse, headers = {}, tls, compresses = false }: Ways = {},
): TestServer {
  const server = Bun.serve<Seen>({
    hostname: "127.0.0.1",
    port: 0,
    ...(tls === undefined ? {} : { tls }),
    fetch(request, self) {
      const refused = refuse?.(request) ?? null;
      if (refused !== null) return refused;
      return self.upgrade(request, { data: { messages: 0, held: null }, headers })
        ? undefined
        : new Response("expected an upgrade", { status: 426 });
    },
    websocket: {
      perMessageDeflate: compresses,
      open: (socket) => onOpen?.(socket),
      ping: (socket) => onPing?.(socket),
      message: (socket, message) => {
        socket.data.messages += 1;
        answer(socket, message);
      },
    },
  });
  return {
    url: `${tls === undefined ? "ws" : "wss"}://127.0.0.1:${server.port}/`,
    stop: () => server.stop(true),
  };
}

const started: TestServer[] = [];

/** As `serve`; it goes on until `stopServers`. Returns its URL. */
export function start(...ways: Parameters<typeof serve>): string {
  const server = serve(...ways);
  started.push(server);
  return server.url;
}

/** For `afterAll`. */
export async function stopServers(): Promise<void> {
  await Promise.all(started.splice(0).map((server) => server.stop()));
}

export const echo: Answer = (socket, message) => void socket.send(message, true);

/** Of each connection the k-th of so many messages gets another answer than an echo. */
export function oneIn(every: number, other: Answer): Answer {
  return (socket, message) => {
    if (socket.data.messages % every === 0) other(socket, message);
    else echo(socket, message);
  };
}

/** Answers the second of two messages first. */
export const swapped: Answer = (socket, message) => {
  const { held } = socket.data;
  if (held === null) {
    socket.data.held = message;
    return;
  }
  socket.send(message);
  socket.send(held);
  socket.data.held = null;
};
