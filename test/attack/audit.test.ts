import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { longestMs } from "../showdown/showdown.ts";
import { attack, small } from "./attack.ts";
import { echo, oneIn, type serve, start, stopServers, swapped } from "./servers.ts";

setDefaultTimeout(longestMs);

afterAll(stopServers);

test.concurrent("an echo is audited to the last message, in an open loop at the rate that was asked", async () => {
  const { result, stderr } = await attack(start(echo), ...small);
  expect(stderr).toStartWith(`Target: ${result.plan.target.url}\n`);
  expect(result.connections).toMatchObject({ requested: 4, opened: 4, failed: 0, died: 0, openAtEnd: 4 });
  expect(result.messages).toMatchObject({
    planned: 400,
    sent: 400,
    unsent: 0,
    expected: 400,
    answered: 400,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    unmatched: 0,
    received: 400,
  });
  expect(result.rate?.askedPerSecond).toBe(800);
  expect(result.latencyUs.count).toBe(400);
  expect(result.timeline.buckets.reduce((all, { sent }) => all + sent, 0)).toBe(400);
});

test.concurrent("in ticks the same messages go out, each with the others of its millisecond", async () => {
  const { result } = await attack(start(echo), ...small, "--pacing", "tick", "--rate", "4000");
  expect(result.plan.pacing).toBe("tick");
  expect(result.messages).toMatchObject({ planned: 2000, sent: 2000, answered: 2000, lost: 0, reordered: 0 });
  expect(result.rate?.askedPerSecond).toBe(4000);
  // An answer's time is the kernel's: it can't lie before the message was sent.
  expect(result.uncorrectedLatencyUs.min).toBeGreaterThan(0);
});

test.concurrent("a loss of one in a hundred is reported exactly", async () => {
  const { result } = await attack(start(oneIn(100, () => {})), ...small);
  expect(result.messages).toMatchObject({
    sent: 400,
    answered: 396,
    lost: 4,
    duplicated: 0,
    reordered: 0,
    unmatched: 0,
  });
  // What never came is infinitely late.
  expect(result.latencyUs.max).toBeNull();
});

test.concurrent("duplicates are told, and are no answers", async () => {
  const twice = oneIn(50, (socket, message) => {
    socket.send(message);
    socket.send(message);
  });
  const { result } = await attack(start(twice), ...small);
  expect(result.messages).toMatchObject({ sent: 400, answered: 400, lost: 0, duplicated: 8, received: 408 });
});

test.concurrent("of two that are swapped, the later one is out of order", async () => {
  const { result } = await attack(start(swapped), ...small);
  expect(result.messages).toMatchObject({ sent: 400, answered: 400, lost: 0, reordered: 200, duplicated: 0 });
});

test.concurrent("an echo with another byte answers nothing, and is shown beside what was awaited", async () => {
  const spoilt = oneIn(100, (socket, message) => void socket.send(`${message}!`));
  const { result } = await attack(start(spoilt), ...small);
  expect(result.messages).toMatchObject({ answered: 396, lost: 4, unmatched: 4 });
  expect(result.samples[0]).toMatchObject({
    isText: true,
    text: expect.stringMatching(/^hello 100 of \d!$/),
  });
});

test.concurrent("binary messages, columns of a table and random text are echoed as well", async () => {
  const data = `${import.meta.dir}/users.csv`;
  const message = "{{name}} {{id}} {{time}} {{random:700}}";
  const { result } = await attack(start(echo), ...small, "--binary", "--message", message, "--data", data);
  expect(result.messages).toMatchObject({ sent: 400, answered: 400, lost: 0, unmatched: 0 });
  expect(result.messages.bytesSent).toBeGreaterThan(400 * 700);
});

test.concurrent("an API's replies are known by the number that they repeat", async () => {
  const api = oneIn(100, () => {});
  const answer: Parameters<typeof serve>[0] = (socket, message) => {
    if (socket.data.messages % 100 === 0) return api(socket, message);
    const { id, user } = JSON.parse(String(message));
    socket.send(JSON.stringify({ ok: true, reply: { to: id }, user }));
    return undefined;
  };
  const message = '{"id":{{sequence}},"user":"{{connection}}"}';
  const { result } = await attack(start(answer), ...small, "--message", message, "--reply", "json:/reply/to");
  expect(result.messages).toMatchObject({ sent: 400, answered: 396, lost: 4, unmatched: 0 });
});

test.concurrent("so are those that a regular expression finds it in, and what else the server says is no reply", async () => {
  const answer: Parameters<typeof serve>[0] = (socket, message) => {
    socket.send("tick");
    socket.send(`done ${String(message).slice(3)} ok`);
  };
  const { result } = await attack(
    start(answer),
    ...small,
    "--message",
    "do {{id}}",
    "--reply",
    "regex:^done (\\S+) ok$",
  );
  expect(result.messages).toMatchObject({ sent: 400, answered: 400, lost: 0, unmatched: 400, received: 800 });
});

test.concurrent("replies in order, none at all, and pongs", async () => {
  const upper: Parameters<typeof serve>[0] = (socket, message) =>
    void socket.send(String(message).toUpperCase());
  const url = start(upper);
  const [order, none, ping] = await Promise.all(
    [["order"], ["none"], ["ping", "--ping-interval", "200ms"]].map((reply) =>
      attack(url, ...small, "--reply", ...reply),
    ),
  );
  expect(order?.result.messages).toMatchObject({ sent: 400, answered: 400, lost: 0 });
  expect(none?.stderr).toMatch(/asked +sent +received .*\n +per second +800\/s +\d+\/s +[1-9]\d+\/s/);
  expect(none?.result.messages).toMatchObject({ sent: 400, expected: 0, answered: 0, lost: 0, unmatched: 0 });
  expect(ping?.result.messages).toMatchObject({
    sent: 400,
    answered: 400,
    lost: 0,
    unmatched: 0,
    received: 0,
  });
  expect(ping?.result.latencyUs.count).toBe(400);
});

test.concurrent("a closed loop keeps so many in flight, and goes on after a reply that never comes", async () => {
  const most: number[] = [];
  const waiting = new Map<unknown, number>();
  const slow: Parameters<typeof serve>[0] = (socket, message) => {
    waiting.set(socket, (waiting.get(socket) ?? 0) + 1);
    most.push(waiting.get(socket) ?? 0);
    const isLost = socket.data.messages === 5;
    setTimeout(() => {
      waiting.set(socket, (waiting.get(socket) ?? 0) - 1);
      if (!isLost) socket.send(message);
    }, 5);
  };
  const load = ["--connections", "2", "--in-flight", "3", "--duration", "1s", "--reply-timeout", "0.3"];
  const { result } = await attack(start(slow), ...load);
  expect(Math.max(...most)).toBe(3);
  expect(result.rate?.askedPerSecond).toBeNull();
  expect(result.messages).toMatchObject({ lost: 2, duplicated: 0, unmatched: 0 });
  expect(result.messages.answered).toBe(result.messages.sent - 2);
});

test.concurrent("several workers share connections and rate without a rest", async () => {
  const { result } = await attack(
    start(echo),
    "--connections",
    "7",
    "--rate",
    "400",
    "--duration",
    "1s",
    "--workers",
    "3",
  );
  expect(result.connections).toMatchObject({ requested: 7, opened: 7 });
  expect(result.messages).toMatchObject({ planned: 400, sent: 400, answered: 400, lost: 0 });
});

test.concurrent("stages ramp in straight lines: half of the rate on the way, and down again", async () => {
  const { result } = await attack(
    start(echo),
    "--connections",
    "4",
    "--stages",
    "400ms:500,400ms:500,400ms:0",
  );
  expect(result.messages).toMatchObject({ planned: 400, sent: 400, answered: 400 });
});
