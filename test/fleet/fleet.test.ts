import { afterAll, afterEach, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AgentClock, readClocks } from "../../src/fleet/agent-clock.ts";
import { openBus } from "../../src/fleet/bus.ts";
import { readBusAddress } from "../../src/fleet/bus-address.ts";
import { say, subjects } from "../../src/fleet/messages.ts";
import { nowUs } from "../../src/machine/clock.ts";
import { type AttackResult, attackResultSchema } from "../../src/result/attack.ts";
import { attack as attackAlone } from "../attack/attack.ts";
import { echo, serve, type TestServer } from "../attack/servers.ts";
import { longestMs, showdown, showdownCommand, temporaryFolder } from "../showdown/showdown.ts";
import { Authority } from "../support/certificates.ts";
import { childrenOf, findServer, Stage, startedWith, until, untilLoad } from "./fleet.ts";
import { makeOperator } from "./operator.ts";

setDefaultTimeout(longestMs);

const found = findServer();
const program = "program" in found ? found.program : "";
if ("problem" in found) console.warn(`not tested: attacks of a fleet: ${found.problem}`);
const fleetTest = test.skipIf("problem" in found);

const stage = new Stage();
let server: TestServer;
beforeAll(() => {
  server = serve(echo);
});
afterEach(async () => await stage.clear());
afterAll(async () => await server.stop());

const load = ["--connections", "21", "--rate", "350", "--duration", "2s", "--workers", "8"] as const;

/** What a load came to, but for its times. */
function countsOf({ connections, messages, plan }: AttackResult) {
  const { requested, opened, failed, died, openAtEnd } = connections;
  return { plan, messages, connections: { requested, opened, failed, died, openAtEnd } };
}

fleetTest("eight agents come to exactly the counts of one process on the same plan", async () => {
  const alone = await attackAlone(server.url, ...load);
  const fleet = await attackAlone(server.url, ...load, "--fleet", "local", "--agents", "8");
  expect(countsOf(fleet.result)).toEqual(countsOf(alone.result));
  expect(alone.result.messages).toMatchObject({ sent: 700, answered: 700 });
  const agents = fleet.result.parts.map(({ figures }) => figures);
  expect(agents.map((one) => one?.connections.requested)).toEqual([3, 3, 3, 3, 3, 2, 2, 2]);
  expect(agents.map((one) => one?.messages.sent)).toEqual([88, 88, 88, 88, 87, 87, 87, 87]);
  const { timeline, latencyUs } = fleet.result;
  expect(timeline.buckets.reduce((all, { sent }) => all + sent, 0)).toBe(700);
  expect(latencyUs.count).toBe(700);
  // On one machine there is one clock.
  expect(fleet.result.fleet?.start).toMatchObject({ skewUs: 0, errorUs: 0 });
  expect(fleet.stderr).toContain("8 agents began at one moment of one clock");
});

fleetTest("a local fleet leaves nothing behind, however its coordinator ends", async () => {
  const attack = stage.attack(server.url, "--duration", "60s", "--fleet", "local");
  const mark = `SHOWDOWN_PARENT=${attack.child.pid}`;
  await untilLoad(attack, 200);
  // Two agents, and a worker of each.
  expect(startedWith(mark).length).toBe(4);
  attack.child.kill("SIGKILL");
  await attack.ended;
  await until("all of it to end", () => startedWith(mark).length === 0, 10);
});

fleetTest("an agent of a local fleet that dies is named, and how it ended", async () => {
  const attack = stage.attack(server.url, "--duration", "3s", "--fleet", "local");
  await untilLoad(attack, 1000);
  const victim = startedWith(`SHOWDOWN_PARENT=${attack.child.pid}`).find((pid) => childrenOf(pid).length > 0);
  process.kill(victim ?? 0, "SIGSEGV");
  const { exitCode, stderr } = await attack.ended;
  // Of the other's part a busy machine may make something that does not count.
  expect(exitCode).toBeOneOf([14, 17]);
  expect(stderr).toContain(`warning: agent ${victim} was ended by SIGSEGV`);
});

fleetTest("Ctrl-C ends all agents gently, and what was measured is kept", async () => {
  const attack = stage.attack(server.url, "--duration", "60s", "--fleet", "local");
  await untilLoad(attack, 1200);
  attack.child.kill("SIGINT");
  const { exitCode } = await attack.ended;
  const result = attackResultSchema.parse(attack.result());
  expect(exitCode).toBe(130);
  expect(result).toMatchObject({ status: "aborted", reason: { kind: "stopped-by-user" } });
  expect(result.messages.sent).toBeGreaterThan(0);
  expect(result.messages.planned).toBe(60_000);
  expect(result.messages.sent + result.messages.unsent).toBe(60_000);
});

fleetTest("a server that is not there fails the attack as from one machine", async () => {
  const { result, exitCode } = await attackAlone("ws://127.0.0.1:9/", "--fleet", "local");
  expect(exitCode).toBe(15);
  expect(result).toMatchObject({ status: "failed", reason: { kind: "no-connection-opened" } });
  expect(result.connections.failures).toMatchObject([{ failure: { code: "ECONNREFUSED" }, count: 50 }]);
});

fleetTest("rows of --data go to the agent whose connection they are of", async () => {
  const folder = temporaryFolder();
  stage.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const rows = Array.from({ length: 9 }, (_, row) => `user${row}`);
  writeFileSync(join(folder, "users.csv"), `name\n${rows.join("\n")}\n`);
  const heard = new Set<string>();
  const listening = serve((socket, message) => {
    heard.add(`${message}`);
    echo(socket, message);
  });
  stage.onEnd(() => listening.stop());
  const data = ["--data", join(folder, "users.csv"), "--message", "{{connection}} {{name}}"];
  const few = ["--connections", "9", "--rate", "90", "--duration", "1s"];
  await attackAlone(listening.url, ...few, ...data, "--fleet", "local", "--agents", "3");
  expect([...heard].sort()).toEqual(rows.map((name, index) => `${index} ${name}`));
});

fleetTest("clocks are read one agent after another: none waits for hundreds of others", async () => {
  const { url } = await stage.broker(program);
  const [coordinator, agents] = await Promise.all(
    ["coordinator", "agents"].map((name) => openBus(readBusAddress(url, {}, ""), name)),
  );
  if (coordinator === undefined || agents === undefined) throw new Error("expected two ways to the bus");
  stage.onEnd(async () => void (await Promise.all([coordinator.close(), agents.close()])));
  const start = { run: "run", epoch: "epoch" };
  const asked: number[] = [];
  const members = Array.from({ length: 100 }, (_, agent) => {
    const id = `agent${agent}`;
    agents.listen(subjects.agent(id), (_received, answer) => {
      asked.push(agent);
      answer(say(start, { kind: "answer", problem: null, clockUs: nowUs() }));
    });
    return { id, clock: new AgentClock() };
  });
  // The broker has heard of them when it has answered.
  await agents.find(subjects.final(start, 0, 0));
  // On a machine that is busy with something else the first may take as long as all others.
  let isInTurn = false;
  for (let left = 5; left > 0 && !isInTurn; left -= 1) {
    asked.length = 0;
    await readClocks(coordinator, start, members);
    expect(asked.length).toBe(800);
    isInTurn = asked.lastIndexOf(0) < asked.indexOf(99);
  }
  expect(isInTurn).toBe(true);
  expect(members.every(({ clock }) => Math.abs(clock.best?.offsetUs ?? Number.NaN) < 100_000)).toBe(true);
});

fleetTest("a token opens the bus, and another one does not", async () => {
  const { url } = await stage.broker(program, "--auth", "right");
  const withToken = (token: string) => url.replace("//", `//${token}@`);
  stage.agents(1, withToken("right"));
  const short = [...load.slice(0, 4), "--duration", "1s"];
  const wrong = await stage.attack(server.url, ...short, "--fleet", withToken("wrong")).ended;
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain("the bus does not let us in");
  const attack = stage.attack(server.url, ...short, "--fleet", withToken("right"), "--agents", "1");
  await attack.ended;
  expect(attack.result()?.messages).toMatchObject({ sent: 350, answered: 350 });
  const { command, fleet } = attackResultSchema.parse(attack.result());
  expect(JSON.stringify({ command, fleet })).not.toContain("right");
});

fleetTest("credentials open a bus in operator mode, and those of another operator do not", async () => {
  const folder = temporaryFolder();
  stage.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  const { configFile, credsFile, strangerFile } = makeOperator(folder);
  const { url } = await stage.broker(program, "--config", configFile);
  stage.start([], showdownCommand("agent", "--bus", url, "--bus-creds", credsFile, "--keep", folder));
  const short = [server.url, ...load.slice(0, 4), "--duration", "1s", "--fleet", url];
  for (const login of [[], ["--bus-creds", strangerFile]]) {
    const refused = await stage.attack(...short, ...login).ended;
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("the bus does not let us in");
  }
  const attack = stage.attack(...short, "--bus-creds", credsFile, "--agents", "1");
  const { stderr } = await attack.ended;
  expect(attack.result()?.messages, stderr).toMatchObject({ sent: 350, answered: 350 });
  const seed = /^SU\S+$/m.exec(readFileSync(credsFile, "utf8"))?.[0] ?? "";
  expect(seed.length).toBeGreaterThan(40);
  expect(JSON.stringify(attack.result())).not.toContain(seed);
});

fleetTest("with TLS, the bus has to be who it says", async () => {
  const authority = new Authority();
  stage.onEnd(() => authority.remove());
  const { certFile, keyFile } = authority.issue("bus", "IP:127.0.0.1");
  const { url } = await stage.broker(program, "--tls", "--tlscert", certFile, "--tlskey", keyFile);
  const secure = url.replace("nats:", "tls:");
  const trust = ["--bus-ca", authority.own.certFile];
  stage.start([], showdownCommand("agent", "--bus", secure, ...trust, "--keep", temporaryFolder()));
  const short = [server.url, ...load.slice(0, 4), "--duration", "1s", "--fleet", secure];
  const stranger = await stage.attack(...short).ended;
  expect(stranger.exitCode).toBe(16);
  expect(stranger.stderr).toMatch(/the bus cannot be reached: .*certificate/i);
  const attack = stage.attack(...short, ...trust, "--agents", "1");
  await attack.ended;
  expect(attack.result()?.messages).toMatchObject({ sent: 350, answered: 350 });
});

test.each([
  [["--fleet", "nats://192.0.2.1:4222"], /whoever reaches this bus can command its agents/],
  [["--fleet", "http://127.0.0.1:4222"], /expected the address of a NATS server/],
  [["--agents", "2"], /--agents: expected --fleet, too/],
  [["--fleet", "local", "--trace"], /--trace and --fleet: expected one of them/],
  [["--fleet", "local", "--adapter", "./mine.ts"], /mine\.ts/],
  [["--resume", "none", "--fleet", "local"], /can't be resumed|expected the bus/],
])("%j is refused before anything is opened", async (options, message) => {
  const url = options.includes("--resume") ? [] : ["ws://127.0.0.1:9/"];
  const { exitCode, stderr } = await showdown("attack", ...url, ...options);
  expect(stderr).toMatch(message);
  expect(exitCode).toBe(2);
});

test("where no nats-server is, --fleet local says how to have one", async () => {
  const set = process.env.SHOWDOWN_NATS_SERVER;
  process.env.SHOWDOWN_NATS_SERVER = "/nowhere/nats-server";
  try {
    const { exitCode, stderr } = await showdown("attack", "ws://127.0.0.1:9/", "--fleet", "local");
    expect(exitCode).toBe(16);
    expect(stderr).toContain("apt-get download nats-server");
  } finally {
    if (set === undefined) delete process.env.SHOWDOWN_NATS_SERVER;
    else process.env.SHOWDOWN_NATS_SERVER = set;
  }
});
