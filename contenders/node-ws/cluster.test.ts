import { beforeAll, expect, test } from "bun:test";
import { Client } from "../testing/client.ts";
import { build, Server } from "../testing/server.ts";

beforeAll(() => build(import.meta.dir), 120_000);

const start = () => Server.start(import.meta.dir, { WORKERS: "3" }, "cluster");

const say = (seq: number) =>
  `{"type":"say","room":"lobby","from":"c1","seq":${seq},"at":1,"text":"${"x".repeat(seq % 300)}"}`;

/** The processes that the first one has started. */
function workersOf(server: Server): number[] {
  const { stdout } = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", `${server.process.pid}`]);
  return stdout.toString().trim().split(/\s+/).map(Number);
}

/** Members of one room, enough of them that every process has some. */
async function lobby(server: Server): Promise<Client[]> {
  const members = await Promise.all(Array.from({ length: 40 }, () => Client.open(server.port)));
  for (const member of members) await member.join("lobby");
  return members;
}

test.skipIf(process.platform !== "linux")(
  "a say reaches the members of all processes, in order",
  async () => {
    await using server = await start();
    const members = await lobby(server);
    const messages = Array.from({ length: 500 }, (_, i) => say(i + 1));
    for (const message of messages) members[0]?.send(message);
    for (const member of members) {
      for (const message of messages) expect(await member.text()).toBe(message);
    }
    const sent = members.length + messages.length * members.length;
    const stats = await server.statsWhen((now) => now.sent >= sent);
    const received = members.length + messages.length;
    expect(stats).toEqual({ connections: members.length, received, sent, dropped: 0 });
  },
);

test.skipIf(process.platform !== "linux")("a crash takes one process, and its counts stay", async () => {
  await using server = await start();
  const members = await lobby(server);
  expect(workersOf(server)).toHaveLength(3);
  members[0]?.send(`{"type":"crash"}`);
  expect(await members[0]?.closeCode()).toBe(1006);
  const left = await server.statsWhen(({ connections }) => connections < members.length);
  expect(left.connections).toBeGreaterThan(0);
  expect(left.received).toBeGreaterThan(0);
  expect(workersOf(server)).toHaveLength(2);
  const newcomer = await Client.open(server.port);
  await newcomer.join("lobby");
  newcomer.send(say(1));
  expect(await newcomer.text()).toBe(say(1));
});

test.skipIf(process.platform !== "linux")("SIGTERM closes everyone and leaves no process", async () => {
  await using server = await start();
  const workers = workersOf(server);
  const members = await lobby(server);
  server.process.kill("SIGTERM");
  for (const member of members) expect(await member.closeCode()).toBe(1001);
  for (const member of members) member.socket.destroy();
  expect(await server.process.exited).toBe(0);
  for (const worker of workers) expect(() => process.kill(worker, 0)).toThrow();
});
