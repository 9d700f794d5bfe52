import { get, type HttpAnswer } from "../../process/http.ts";
import { BrokenRule, type Check, type CheckContext } from "../check.ts";
import { expectMessage } from "../expectations.ts";
import { closeFrame, textFrame } from "../frame.ts";
import { echo, join, joined, say } from "../messages.ts";

const keys = ["connections", "received", "sent", "dropped"] as const;
type Stats = Readonly<Record<(typeof keys)[number], number>>;

const about = {
  reference: "contract, endpoints (stats)",
  grade: "required",
  alone: true,
} as const;

/** How long to leave the server alone between two looks: its counters give no event to wait for. */
const POLL_MS = 10;

function ask({ target: { host, port }, waitMs }: CheckContext): Promise<HttpAnswer> {
  return get({ host, port, path: "/stats", timeoutMs: waitMs });
}

async function readStats(context: CheckContext): Promise<Stats> {
  const { status, body } = await ask(context);
  const expected = '{"connections":n,"received":n,"sent":n,"dropped":n} with whole numbers';
  if (status !== 200) throw new BrokenRule(`status 200 with ${expected}`, `status ${status}`);
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new BrokenRule(expected, body.slice(0, 200));
  }
  const found = new Map(typeof value === "object" && value !== null ? Object.entries(value) : []);
  const take = (key: string): number => {
    const count: unknown = found.get(key);
    if (typeof count === "number" && Number.isInteger(count) && count >= 0) return count;
    throw new BrokenRule(expected, body.slice(0, 200));
  };
  return {
    connections: take("connections"),
    received: take("received"),
    sent: take("sent"),
    dropped: take("dropped"),
  };
}

const subtract = (after: Stats, before: Stats): Stats => ({
  connections: after.connections - before.connections,
  received: after.received - before.received,
  sent: after.sent - before.sent,
  dropped: after.dropped - before.dropped,
});

/** Reads until the condition holds, since a counter may trail what it counts; then, or in the end, what was read last. */
async function awaitStats(context: CheckContext, holds: (stats: Stats) => boolean): Promise<Stats> {
  const deadline = performance.now() + context.waitMs;
  for (;;) {
    const stats = await readStats(context);
    if (holds(stats) || performance.now() > deadline) return stats;
    await Bun.sleep(POLL_MS);
  }
}

/** The counters once the connections of earlier checks are gone, as far as they are ours. */
async function baseline(context: CheckContext): Promise<Stats> {
  let last = await readStats(context);
  let since = performance.now();
  return awaitStats(context, (stats) => {
    const changed = keys.some((key) => stats[key] !== last[key]);
    if (changed) since = performance.now();
    last = stats;
    return stats.connections === 0
      ? performance.now() - since >= 2 * POLL_MS
      : performance.now() - since >= 500;
  });
}

async function expectDelta(context: CheckContext, before: Stats, expected: Partial<Stats>, after: string) {
  const wanted = Object.entries(expected) as [keyof Stats, number][];
  const matches = (stats: Stats) => {
    const delta = subtract(stats, before);
    return wanted.every(([key, count]) => delta[key] === count);
  };
  const delta = subtract(await awaitStats(context, matches), before);
  const wrong = wanted.filter(([key, count]) => delta[key] !== count);
  if (wrong.length === 0) return;
  throw new BrokenRule(
    `${wanted.map(([key, count]) => `${key} ${signed(count)}`).join(", ")} after ${after}`,
    wrong.map(([key]) => `${key} ${signed(delta[key])}`).join(", "),
  );
}

const signed = (count: number): string => (count < 0 ? `${count}` : `+${count}`);

export const statsChecks: readonly Check[] = [
  {
    ...about,
    id: "stats.shape",
    rule: "GET /stats returns 200 with connections, received, sent and dropped as whole numbers.",
    nextStep: "Serve the four counters as a JSON object.",
    run: async (context) => {
      await readStats(context);
    },
  },
  {
    ...about,
    id: "stats.type",
    rule: "The counters have the type application/json.",
    grade: "strict",
    nextStep: "Set Content-Type: application/json.",
    run: async (context) => {
      const type = (await ask(context)).contentType ?? "no Content-Type";
      if (!/^application\/json(;|$)/i.test(type)) throw new BrokenRule("application/json", type);
    },
  },
  {
    ...about,
    id: "stats.echo",
    rule: "Ten echoes count as ten messages received and ten sent.",
    nextStep: "Count each message on receipt and on sending to a client, and nothing else.",
    run: async (context) => {
      const before = await baseline(context);
      const connection = await context.open();
      for (let seq = 1; seq <= 10; seq++) {
        connection.send(textFrame(echo({ seq })));
        await expectMessage(connection, echo({ seq }));
      }
      await expectDelta(context, before, { received: 10, sent: 10, dropped: 0 }, "10 echoes");
    },
  },
  {
    ...about,
    id: "stats.broadcast",
    rule: "A broadcast counts as one message received and one sent per member. Joins and their answers count too.",
    nextStep: "Count a broadcast once per member it was sent to.",
    run: async (context) => {
      const before = await baseline(context);
      const room = context.room();
      const connections = await Promise.all([context.open(), context.open(), context.open()]);
      for (const connection of connections) {
        connection.send(textFrame(join(room)));
        await expectMessage(connection, joined(room), "the answer to join");
      }
      for (let seq = 1; seq <= 5; seq++) {
        connections[0]?.send(textFrame(say(room, { seq })));
        for (const connection of connections) await expectMessage(connection, say(room, { seq }));
      }
      await expectDelta(
        context,
        before,
        { received: 3 + 5, sent: 3 + 15, dropped: 0 },
        "3 joins and 5 broadcasts to 3 members",
      );
    },
  },
  {
    ...about,
    id: "stats.nobody",
    rule: "A broadcast to an empty room counts as received, neither as sent nor as dropped.",
    nextStep: "Count deliveries, not attempts. Without members there is nothing to drop.",
    run: async (context) => {
      const before = await baseline(context);
      const connection = await context.open();
      connection.send(textFrame(say(context.room())), textFrame(echo()));
      await expectMessage(connection, echo());
      await expectDelta(context, before, { received: 2, sent: 1, dropped: 0 }, "a say to nobody and an echo");
    },
  },
  {
    ...about,
    id: "stats.errors",
    rule: "A refused message counts as received, and its error reply as sent.",
    grade: "strict",
    nextStep: "Count a message on receipt, before parsing it, and count error replies as sent.",
    run: async (context) => {
      const before = await baseline(context);
      const connection = await context.open();
      connection.send(textFrame("hello"));
      const replied = (await connection.next()).kind === "message";
      await expectDelta(context, before, { received: 1, sent: replied ? 1 : 0 }, "a message that is none");
    },
  },
  {
    ...about,
    id: "stats.connections",
    rule: "connections is the number open now. It shrinks however a connection ends.",
    nextStep: "Decrement once per connection: on close, FIN, reset and violation alike.",
    run: async (context) => {
      const before = await baseline(context);
      const connections = await Promise.all(Array.from({ length: 6 }, () => context.open()));
      await expectDelta(context, before, { connections: 6 }, "opening 6 connections");
      const [closes, ends, resets, violates, ...others] = connections;
      closes?.send(closeFrame(1000));
      await closes?.next();
      ends?.end();
      resets?.reset();
      violates?.send(textFrame(echo(), { rsv: 7 }));
      for (const connection of others) connection.send(closeFrame());
      for (const connection of [closes, violates, ...others]) {
        while ((await connection?.next())?.kind === "close");
        connection?.end();
      }
      await expectDelta(context, before, { connections: 0 }, "all 6 have ended");
    },
  },
  {
    ...about,
    id: "stats.not-a-connection",
    rule: "Requests that do not become a WebSocket connection do not count as one.",
    nextStep: "Increment after the handshake, not on accept.",
    run: async (context) => {
      const before = await baseline(context);
      await context.dial();
      await readStats(context);
      await expectDelta(
        context,
        before,
        { connections: 0, received: 0, sent: 0 },
        "a TCP connection without a handshake",
      );
    },
  },
];
