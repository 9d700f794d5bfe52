import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { ServerWebSocket } from "bun";
import { attackLineSchema } from "../../src/views/ndjson/line.ts";
import { longestMs, showdown, temporaryFolder } from "../showdown/showdown.ts";
import { attack } from "./attack.ts";

setDefaultTimeout(longestMs);

interface Seen {
  /** Messages whose answer is still to come. */
  held: number;
  messages: number;
}

/** What a server saw of its connections. */
class Watch {
  open = 0;
  most = 0;
  opened = 0;
  readonly closes: { readonly code: number; readonly held: number }[] = [];
}

/** An echo in the test's own process that watches its connections. */
function watch(answer: (socket: ServerWebSocket<Seen>, message: string | Buffer<ArrayBuffer>) => void) {
  const seen = new Watch();
  const server = Bun.serve<Seen>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) =>
      self.upgrade(request, { data: { held: 0, messages: 0 } })
        ? undefined
        : new Response("expected an upgrade", { status: 426 }),
    websocket: {
      open: () => {
        seen.opened += 1;
        seen.open += 1;
        seen.most = Math.max(seen.most, seen.open);
      },
      message: (socket, message) => {
        socket.data.messages += 1;
        answer(socket, message);
      },
      close: ({ data }, code) => {
        seen.open -= 1;
        seen.closes.push({ code, held: data.held });
      },
    },
  });
  return { url: `ws://127.0.0.1:${server.port}/`, seen, stop: () => server.stop(true) };
}

const echo = (socket: ServerWebSocket<Seen>, message: string | Buffer<ArrayBuffer>) =>
  void socket.send(message);

test.concurrent("connections come and go in straight lines, and the rate goes on those that are open", async () => {
  const { url, seen, stop } = watch(echo);
  const lines = join(temporaryFolder(), "lines.ndjson");
  const stages = ["--connection-stages", "2s:20,1s:20,2s:0", "--rate", "400"];
  const { result, stderr } = await attack(url, ...stages, "--ndjson", lines);
  await stop();
  expect(seen).toMatchObject({ opened: 20, most: 20, open: 0 });
  expect(seen.closes.map(({ code }) => code)).toEqual(Array(20).fill(1000));
  expect(result.connections).toMatchObject({
    requested: 20,
    opened: 20,
    failed: 0,
    notAttempted: 0,
    died: 0,
    released: 20,
    openAtEnd: 0,
  });
  expect(result.messages).toMatchObject({ planned: 2000, sent: 2000, unsent: 0, answered: 2000, lost: 0 });
  const all = result.connectionStages ?? [];
  expect(all).toMatchObject([
    { seconds: 2, from: 0, to: 20 },
    { seconds: 1, from: 20, to: 20, released: 0, open: 20 },
    { seconds: 2, from: 20, to: 0, opened: 0, released: 20, open: 0 },
  ]);
  const sum = (pick: (stage: (typeof all)[number]) => number) =>
    all.reduce((sums, one) => sums + pick(one), 0);
  expect(sum((one) => one.opened)).toBe(20);
  expect(sum((one) => one.sent)).toBe(2000);
  expect(sum((one) => one.answered)).toBe(2000);
  expect(sum((one) => one.latencyUs.count)).toBe(2000);
  expect(stderr).toContain("stages to 20, 20, 0 connections, 400 messages per second for 5 s");
  expect(stderr).toMatch(/\n +to 0 in 2 s +0 +0 +0 +20 +0 /);

  const told = (await Bun.file(lines).text()).trimEnd().split("\n");
  const parsed = told.map((line) => attackLineSchema.parse(JSON.parse(line)));
  const open = parsed.flatMap((line) => (line.kind === "second" ? [line.open] : []));
  expect(Math.max(...open)).toBe(20);
  expect(open.at(-1)).toBe(0);
  expect(parsed.at(-1)).toMatchObject({ kind: "attack-ended", connections: { opened: 20, released: 20 } });
});

test.concurrent("what was closed on the way down is opened again on the way up, by several workers in a closed loop", async () => {
  const { url, seen, stop } = watch(echo);
  const stages = ["--connection-stages", "1s:6,1s:2,1s:5", "--in-flight", "1", "--workers", "3"];
  const { result } = await attack(url, ...stages);
  await stop();
  expect(seen).toMatchObject({ opened: 9, most: 6 });
  expect(result.connections).toMatchObject({ requested: 9, opened: 9, released: 4, died: 0, openAtEnd: 5 });
  expect(result.messages.answered).toBe(result.messages.sent);
  expect(result.messages).toMatchObject({ lost: 0, unsent: 0, duplicated: 0, unmatched: 0 });
});

test.concurrent("several workers leave no message without a connection, from the first one on", async () => {
  const { url, stop } = watch(echo);
  const stages = ["--connection-stages", "2s:9,1s:0", "--stages", "1s:300,2s:300", "--workers", "3"];
  const { result } = await attack(url, ...stages);
  await stop();
  expect(result.messages).toMatchObject({ planned: 750, sent: 750, unsent: 0, answered: 750 });
  expect(result.connections).toMatchObject({ opened: 9, released: 9, died: 0 });
});

test.concurrent("a connection is closed when its replies have come, or can't be waited for any longer", async () => {
  const slow = watch((socket, message) => {
    socket.data.held += 1;
    // The last connections to come never answer.
    if (String(message).endsWith(" of 5")) return;
    setTimeout(() => {
      socket.data.held -= 1;
      socket.send(message);
    }, 300);
  });
  const stages = ["--connection-stages", "1s:6,1s:0", "--rate", "60", "--reply-timeout", "0.8"];
  const { result } = await attack(slow.url, ...stages);
  await slow.stop();
  const unanswered = slow.seen.closes.filter(({ held }) => held > 0);
  expect(unanswered).toHaveLength(1);
  expect(slow.seen.closes.every(({ code }) => code === 1000)).toBe(true);
  expect(result.connections).toMatchObject({ opened: 6, released: 6, died: 0 });
  expect(result.messages).toMatchObject({ lost: unanswered[0]?.held ?? 0, lostOnClosed: 0, duplicated: 0 });
});

test.concurrent("what the server closes is no release, and its place stays empty until the stages ask for it again", async () => {
  const { url, stop } = watch((socket, message) => {
    if (String(message).endsWith(" of 2")) socket.close(4001, "bye");
    else socket.send(message);
  });
  const stages = ["--connection-stages", "1s:4,1s:2,1s:4", "--rate", "100", "--reply-timeout", "0.5"];
  const { result } = await attack(url, ...stages);
  await stop();
  expect(result.connections).toMatchObject({ requested: 6, opened: 6, released: 1, died: 2, openAtEnd: 3 });
  expect(result.connections.deaths).toEqual([
    { failure: { kind: "close", code: 4001, reason: "bye" }, count: 2 },
  ]);
});

test.concurrent("where nothing listens, the first connection tells", async () => {
  const gone = watch(echo);
  await gone.stop();
  const { result, exitCode } = await attack(gone.url, "--connection-stages", "60s:100");
  expect(exitCode).toBe(15);
  expect(result.connections).toMatchObject({ requested: 100, opened: 0, failed: 1, notAttempted: 99 });
  expect(result.reason?.kind).toBe("no-connection-opened");
});

const stages = ["--connection-stages", "1s:10,1s:0"];

test.concurrent.each<[readonly string[], RegExp]>([
  [[...stages, "--connections", "5"], /--connections and --connection-stages: expected one of them/],
  [[...stages, "--connect-rate", "5"], /--connect-rate and --connection-stages: expected one of them/],
  [[...stages, "--duration", "5s"], /--duration and --connection-stages: expected one of them/],
  [[...stages, "--stages", "1s:5"], /--stages last 1 s and --connection-stages 2 s: expected the same/],
  [["--connection-stages", "1s:0,1s:5"], /1s:0,1s:5: the first stage opens nothing/],
  [["--connection-stages", "1s:1.5"], /"1s:1\.5" is none/],
  [[...stages, "--adapter", "socketio", "--adapter-option", "delivery=room"], /who is there to get them/],
])("%j is refused before anything is opened", async (args, message) => {
  const { exitCode, stderr } = await showdown("attack", "ws://127.0.0.1:9/", ...args);
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
