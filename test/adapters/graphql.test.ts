import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { AddressInfo } from "node:net";
import { buildSchema, execute, GraphQLError, parse, subscribe } from "graphql";
import { CloseCode, makeServer } from "graphql-ws";
import { WebSocketServer } from "ws";
import { graphql } from "../../src/engine/adapters/graphql.ts";
import { flawless, loadAdapter } from "../support/adapter-load.ts";

setDefaultTimeout(60_000);

const schema = buildSchema(`
  type Query { hello: String }
  type Mutation { say(room: String!, text: String!): String }
  type Subscription { said(room: String!): Said }
  type Said { text: String, room: String }
`);

type Listener = (text: string) => void;
const rooms = new Map<string, Set<Listener>>();

/** What the room is told, from the moment this is called: a subscriber misses nothing while it is busy. */
function listen(room: string): AsyncIterableIterator<{ said: { text: string; room: string } }> {
  const waiting: string[] = [];
  let wake: () => void = () => {};
  const listener = (text: string) => {
    waiting.push(text);
    wake();
  };
  const listeners = rooms.get(room) ?? new Set();
  rooms.set(room, listeners.add(listener));
  return (async function* () {
    try {
      for (;;) {
        while (waiting.length === 0)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        yield { said: { text: waiting.shift() as string, room } };
      }
    } finally {
      listeners.delete(listener);
    }
  })();
}

const rootValue = {
  hello: "world",
  say({ room, text }: { room: string; text: string }) {
    if (text === "bad") throw new GraphQLError("not in this house");
    for (const listener of rooms.get(room) ?? []) listener(text);
    return text;
  },
  said: ({ room }: { room: string }) => listen(room),
};

let sockets: WebSocketServer | null = null;
afterEach(() => {
  for (const client of sockets?.clients ?? []) client.terminate();
  sockets?.close();
});

/** graphql-ws, with graphql, on ws. */
async function start(): Promise<string> {
  const handler = makeServer({
    schema,
    roots: { query: rootValue, mutation: rootValue, subscription: rootValue },
    execute,
    subscribe,
    parse,
    onConnect: ({ connectionParams }) => connectionParams?.token !== "wrong",
  } as Parameters<typeof makeServer>[0]);
  const server = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    handleProtocols: () => "graphql-transport-ws",
  });
  sockets = server;
  server.on("connection", (socket, request) => {
    const closed = handler.opened(
      {
        protocol: socket.protocol,
        send: (data) =>
          new Promise((resolve, reject) => socket.send(data, (error) => (error ? reject(error) : resolve()))),
        close: (code, reason) => socket.close(code, reason),
        onMessage: (heard) => {
          socket.on("message", async (data) => {
            try {
              await heard(data.toString());
            } catch (error) {
              socket.close(CloseCode.InternalServerError, (error as Error).message);
            }
          });
        },
      },
      { socket, request },
    );
    socket.once("close", (code, reason) => closed(code, reason.toString()));
  });
  await new Promise<void>((resolve) => server.once("listening", resolve));
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const chat = {
  query: "mutation ($room: String!, $text: String!) { say(room: $room, text: $text) }",
  variables: '{"room":"{{room}}","text":"{{message}}"}',
  subscription: "subscription ($room: String!) { said(room: $room) { text room } }",
  "subscription-variables": '{"room":"{{room}}"}',
  message: "/said/text",
};

test("graphql-ws: without options, a query that every server answers", async () => {
  expect(await loadAdapter({ adapter: graphql, url: await start() })).toEqual(flawless(20, 1000, 0));
});

test("graphql-ws: every mutation has its result, and reaches all who subscribed to its room", async () => {
  const load = { adapter: graphql, url: await start(), options: chat };
  expect(await loadAdapter(load)).toEqual(flawless(20, 1000, 5000));
});

test("graphql-ws: errors of GraphQL, and a refused connection_init, are told in the server's words", async () => {
  const url = await start();
  const load = { adapter: graphql, url, connections: 2, messagesPerConnection: 1, rooms: 1, silenceMs: 500 };
  const failed = await loadAdapter({ ...load, options: chat, payload: () => "bad" });
  expect(failed.refusals).toEqual({ "not in this house": 2 });
  const wrong = await loadAdapter({ ...load, options: { query: "{ nothing }" } });
  expect(wrong.refusals).toEqual({ 'Cannot query field "nothing" on type "Query".': 2 });
  const refused = await loadAdapter({ ...load, options: { init: '{"token":"wrong"}' } });
  expect(refused.refusals).toEqual({ "closed with 4403 Forbidden": 2 });
});
