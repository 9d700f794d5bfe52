import { parseStats, type ServerStats } from "../../process/counters.ts";
import { get, type HttpAnswer } from "../../process/http.ts";
import { BrokenRule, type Check, type CheckContext, required, strict } from "../check.ts";
import { expectMessage, expectReturned, joinRoom } from "../expectations.ts";
import { closeFrame, textFrame } from "../frame.ts";
import { echo, say } from "../messages.ts";

const clause = "contract, endpoints (stats)";
/** The counters are of the whole server: no other check may run beside one of these. */
const alone = true;
/** What a server may tell of its collector is nothing that a client could count. */
type Counter = Exclude<keyof ServerStats, "majorCollections" | "collectorMs">;

/** How long to leave the server alone between two looks: its counters give no event to wait for. */
const POLL_MS = 10;

function ask({ target: { host, port, tls = null }, waitMs }: CheckContext): Promise<HttpAnswer> {
  return get({ host, port, path: "/stats", timeoutMs: waitMs, tls });
}

async function readStats(context: CheckContext): Promise<ServerStats> {
  const { status, body } = await ask(context);
  const expected =
    '{"connections":n,"received":n,"sent":n,"dropped":n} with whole numbers, as "majorCollections" and "collectorMs" are, if they are there';
  if (status !== 200) throw new BrokenRule(`status 200 with ${expected}`, `status ${status}`);
  const stats = parseStats(body);
  if (stats === null) throw new BrokenRule(expected, body.slice(0, 200));
  return stats;
}

/** Reads until the condition holds, since a counter may trail what it counts; then, or in the end, what was read last. */
async function awaitStats(
  context: CheckContext,
  holds: (stats: ServerStats) => boolean,
): Promise<ServerStats> {
  const deadline = performance.now() + context.waitMs;
  for (;;) {
    const stats = await readStats(context);
    if (holds(stats) || performance.now() > deadline) return stats;
    await Bun.sleep(POLL_MS);
  }
}

/** The counters once the connections of earlier checks are gone, as far as they are ours. */
async function baseline(context: CheckContext): Promise<ServerStats> {
  let last = await readStats(context);
  let since = performance.now();
  return awaitStats(context, (stats) => {
    if (!Bun.deepEquals(stats, last)) since = performance.now();
    last = stats;
    return performance.now() - since >= (stats.connections === 0 ? 2 * POLL_MS : 500);
  });
}

async function expectDelta(
  context: CheckContext,
  before: ServerStats,
  expected: Partial<Record<Counter, number>>,
  after: string,
): Promise<void> {
  const wanted = Object.entries(expected) as [Counter, number][];
  const wrongIn = (stats: ServerStats) => wanted.filter(([key, count]) => stats[key] - before[key] !== count);
  const stats = await awaitStats(context, (read) => wrongIn(read).length === 0);
  const wrong = wrongIn(stats);
  if (wrong.length === 0) return;
  throw new BrokenRule(
    `${wanted.map(([key, count]) => `${key} ${signed(count)}`).join(", ")} after ${after}`,
    wrong.map(([key]) => `${key} ${signed(stats[key] - before[key])}`).join(", "),
  );
}

const signed = (count: number): string => (count < 0 ? `${count}` : `+${count}`);

export const statsChecks: readonly Check[] = [
  required("stats.shape", clause, {
    rule: "GET /stats returns 200 with connections, received, sent and dropped as whole numbers, and majorCollections and collectorMs if they are there.",
    nextStep: "Serve the four counters as a JSON object.",
    alone,
    run: async (context) => void (await readStats(context)),
  }),
  strict("stats.type", clause, {
    rule: "The counters have the type application/json.",
    nextStep: "Set Content-Type: application/json.",
    alone,
    run: async (context) => {
      const type = (await ask(context)).contentType ?? "no Content-Type";
      if (!/^application\/json(;|$)/i.test(type)) throw new BrokenRule("application/json", type);
    },
  }),
  required("stats.echo", clause, {
    rule: "Ten echoes count as ten messages received and ten sent.",
    nextStep: "Count each message on receipt and on sending to a client, and nothing else.",
    alone,
    run: async (context) => {
      const before = await baseline(context);
      const connection = await context.open();
      for (let seq = 1; seq <= 10; seq++) await expectReturned(connection, echo({ seq }));
      await expectDelta(context, before, { received: 10, sent: 10, dropped: 0 }, "10 echoes");
    },
  }),
  required("stats.broadcast", clause, {
    rule: "A broadcast counts as one message received and one sent per member. Joins and their answers count too.",
    nextStep: "Count a broadcast once per member it was sent to.",
    alone,
    run: async (context) => {
      const before = await baseline(context);
      const room = context.room();
      const [sender, ...others] = [await context.open(), await context.open(), await context.open()];
      for (const member of [sender, ...others]) await joinRoom(member, room);
      for (let seq = 1; seq <= 5; seq++) {
        await expectReturned(sender, say(room, { seq }));
        for (const member of others) await expectMessage(member, say(room, { seq }));
      }
      const counted = { received: 3 + 5, sent: 3 + 15, dropped: 0 };
      await expectDelta(context, before, counted, "3 joins and 5 broadcasts to 3 members");
    },
  }),
  required("stats.nobody", clause, {
    rule: "A broadcast to an empty room counts as received, neither as sent nor as dropped.",
    nextStep: "Count deliveries, not attempts. Without members there is nothing to drop.",
    alone,
    run: async (context) => {
      const before = await baseline(context);
      const connection = await context.open();
      connection.send(textFrame(say(context.room())));
      await expectReturned(connection, echo());
      await expectDelta(context, before, { received: 2, sent: 1, dropped: 0 }, "a say to nobody and an echo");
    },
  }),
  strict("stats.errors", clause, {
    rule: "A refused message counts as received, and its error reply as sent.",
    nextStep: "Count a message on receipt, before parsing it, and count error replies as sent.",
    alone,
    run: async (context) => {
      const before = await baseline(context);
      const connection = await context.open();
      connection.send(textFrame("hello"));
      const replied = (await connection.next()).kind === "message";
      await expectDelta(context, before, { received: 1, sent: replied ? 1 : 0 }, "a message that is none");
    },
  }),
  required("stats.connections", clause, {
    rule: "connections is the number open now. It shrinks however a connection ends.",
    nextStep: "Decrement once per connection: on close, FIN, reset and violation alike.",
    alone,
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
  }),
  required("stats.not-a-connection", clause, {
    rule: "Requests that do not become a WebSocket connection do not count as one.",
    nextStep: "Increment after the handshake, not on accept.",
    alone,
    run: async (context) => {
      const before = await baseline(context);
      await context.dial();
      await readStats(context);
      const nothing = { connections: 0, received: 0, sent: 0 };
      await expectDelta(context, before, nothing, "a TCP connection without a handshake");
    },
  }),
];
