import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, showdown, temporaryFolder } from "../showdown/showdown.ts";
import { attack, small } from "./attack.ts";
import { echo, oneIn, type serve, start, stopServers } from "./servers.ts";

setDefaultTimeout(longestMs);

afterAll(stopServers);

/** Rooms as the contract has them; `lose` says which copies do not go out. */
function chat(lose: (copy: number) => boolean): string {
  const rooms = new Map<string, Set<{ send(text: string): unknown }>>();
  let copies = 0;
  return start((socket, message) => {
    const { type, room } = JSON.parse(String(message));
    const members = rooms.get(room) ?? new Set();
    rooms.set(room, members);
    if (type === "join") {
      members.add(socket);
      socket.send(JSON.stringify({ type: "joined", room }));
      return;
    }
    for (const member of members) {
      copies += 1;
      if (!lose(copies)) member.send(String(message));
    }
  });
}

test.concurrent("what is said in a room is owed to all its members, over several workers", async () => {
  const url = chat(() => false);
  const load = ["--connections", "12", "--rooms", "3", "--workers", "2", "--rate", "300", "--duration", "1s"];
  const { result } = await attack(url, "--adapter", "chaos-chat", ...load);
  expect(result.messages).toMatchObject({ sent: 300, expected: 1200, answered: 1200, lost: 0, unmatched: 0 });
  expect(result.connections.joinUs.count).toBe(12);
});

test.concurrent("a copy in a hundred that is lost on its way to a room is counted", async () => {
  const url = chat((copy) => copy % 100 === 0);
  const load = ["--connections", "8", "--rooms", "2", "--rate", "300", "--duration", "1s"];
  const { result } = await attack(url, "--adapter", "chaos-chat", ...load, "--reply-timeout", "0.5");
  expect(result.messages).toMatchObject({
    sent: 300,
    expected: 1200,
    answered: 1188,
    lost: 12,
    duplicated: 0,
  });
});

test.concurrent("the adapter of an echo counts what the plain path counts", async () => {
  const { result } = await attack(start(oneIn(100, () => {})), ...small, "--adapter", "echo");
  expect(result.messages).toMatchObject({ sent: 400, expected: 400, answered: 396, lost: 4 });
});

const own = `export default {
  name: "mine",
  subprotocols: ["mine.v1"],
  answers: { reply: true, delivery: "nobody" },
  createSession(client, { token }) {
    if (token === undefined) throw new Error("option token is missing, expected token=TEXT");
    return {
      opened: () => client.say("hello " + token),
      received(message) {
        if (message === "welcome") client.ready();
        else if (message.startsWith("ok ")) client.reply(Number(message.slice(3)));
        else client.refuse(message);
      },
      publish: (payload, id) => client.say("do " + id + " " + payload),
    };
  },
};
`;

/** Speaks what `own` speaks. */
const counterpart: Parameters<typeof serve>[0] = (socket, message) => {
  const [word, id] = String(message).split(" ");
  if (word === "hello") socket.send(id === "secret" ? "welcome" : "bad token");
  else socket.send(`ok ${id}`);
};

function writeOwn(): string {
  const file = join(temporaryFolder(), "mine.ts");
  writeFileSync(file, own);
  return file;
}

test.concurrent("an adapter of one's own is loaded from a file, and its replies are audited", async () => {
  const url = start(counterpart);
  const args = ["--adapter", writeOwn(), "--adapter-option", "token=secret"];
  const { result } = await attack(url, ...small, ...args);
  expect(result.plan.target.subprotocols).toEqual(["mine.v1"]);
  expect(result.messages).toMatchObject({ sent: 400, expected: 400, answered: 400, lost: 0, unmatched: 0 });
  const closed = await attack(url, "--connections", "3", "--in-flight", "2", "--duration", "300ms", ...args);
  expect(closed.result.messages.answered).toBe(closed.result.messages.sent);
  expect(closed.result.messages.sent).toBeGreaterThan(6);
});

test.concurrent("what its server refuses before it is ready is a failed connection, by its reason", async () => {
  const args = ["--adapter", writeOwn(), "--adapter-option", "token=wrong"];
  const { result, exitCode, stderr } = await attack(start(counterpart), ...small, ...args);
  expect(exitCode).toBe(15);
  expect(result.connections).toMatchObject({ opened: 0, failed: 4 });
  expect(result.rejections).toEqual([{ reason: "bad token", count: 4 }]);
  expect(stderr).toContain("4 × bad token");
});

test.concurrent("one that never gets ready is given up in time", async () => {
  const args = ["--adapter", writeOwn(), "--adapter-option", "token=x", "--connect-timeout", "0.5"];
  const { result } = await attack(
    start(() => {}),
    ...small,
    ...args,
  );
  expect(result.connections.failures).toEqual([{ failure: { kind: "timeout", stage: "join" }, count: 4 }]);
});

test.concurrent("an option that an adapter refuses is told before anything is opened", async () => {
  const ended = await showdown("attack", start(echo), "--adapter", writeOwn());
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain("option token is missing, expected token=TEXT");
});
