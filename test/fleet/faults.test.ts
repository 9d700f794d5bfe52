import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBus } from "../../src/fleet/bus.ts";
import { readBusAddress } from "../../src/fleet/bus-address.ts";
import { projectFolder } from "../../src/machine/installation.ts";
import type { AttackResult } from "../../src/result/attack.ts";
import { echo, serve, type TestServer } from "../attack/servers.ts";
import { longestMs, showdownCommand, temporaryFolder } from "../showdown/showdown.ts";
import {
  childrenOf,
  type FleetAttack,
  findServer,
  isAlive,
  playScenes,
  type Stage,
  type Started,
  until,
  untilLoad,
} from "./fleet.ts";
import { findObstacle } from "./hosts.ts";
import { startLine } from "./line.ts";

setDefaultTimeout(longestMs);

const found = findServer();
const program = "program" in found ? found.program : "";
const onStage = playScenes(5);
if ("problem" in found) console.warn(`not tested: faults of a fleet: ${found.problem}`);
// Each waits for clocks most of its time.
const fault = test.concurrent.skipIf("problem" in found);

let server: TestServer;
beforeAll(() => {
  server = serve(echo);
});
afterAll(async () => await server.stop());

const seconds = 3;
const load = ["--connections", "12", "--rate", "120", "--duration", `${seconds}s`, "--workers", "6"] as const;
const planned = 120 * seconds;

/** All that was to be sent was, once, and each answer counted once. */
function expectWhole({ status, reason, messages, connections, parts }: AttackResult): void {
  expect({ status, reason }).toEqual({ status: "ok", reason: null });
  expect(messages).toMatchObject({ planned, sent: planned, answered: planned, lost: 0, duplicated: 0 });
  expect(connections).toMatchObject({ requested: 12, opened: 12, failed: 0 });
  expect(parts.map((part) => part.status)).toEqual(parts.map(() => "ok"));
}

/** What the others did is there, and nothing of the agent that is out. */
function expectWithout(lost: number, { status, reason, messages, connections, parts }: AttackResult): void {
  expect({ status, reason }).toMatchObject({
    status: "partial",
    reason: { kind: "agent-lost", agent: lost },
  });
  expect(parts.map(({ figures }) => figures?.messages.sent ?? null)).toEqual(
    parts.map((_part, agent) => (agent === lost ? null : planned / 3)),
  );
  expect(messages).toMatchObject({ planned: (planned / 3) * 2, sent: (planned / 3) * 2 });
  expect(connections).toMatchObject({ requested: 8, opened: 8 });
  expect(parts[lost]).toMatchObject({ status: "lost", reason });
}

/** Told to end, they do, and their workers with them. */
async function expectEnd(agents: readonly Started[]): Promise<void> {
  const pids = agents.flatMap(({ child }) => [child.pid, ...childrenOf(child.pid)]);
  for (const { child } of agents) child.kill("SIGTERM");
  await until("all processes to end", () => pids.every((pid) => !isAlive(pid)), 10);
}

fault("an agent that is killed is named, and its part is in no figure", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const agents = stage.agents(3, url);
    const limit = ["--threshold", "lost = 0"] as const;
    const attack = stage.attack(server.url, ...load, ...limit, "--fleet", url, "--agents", "3");
    await untilLoad(attack, 1000);
    const [victim] = agents as [Started];
    const workers = childrenOf(victim.child.pid);
    victim.child.kill("SIGKILL");
    const { exitCode, stdout, stderr } = await attack.ended;
    const result = attack.result() as AttackResult;
    const lost = agentOf(result, victim);
    expect(exitCode).toBe(17);
    expectWithout(lost, result);
    expect(stdout).toContain(`Partial: nothing was heard of agent ${lost}`);
    expect(stderr).toContain('not judged: "lost = 0": lost is 0');
    expect(workers.length).toBe(2);
    await until("its workers to end", () => !workers.some(isAlive), 10);
    await expectEnd(agents);
  });
});

fault("an agent that is lost before the load is named, and nothing is sent", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const agents = stage.agents(3, url);
    const slow = ["--connect-rate", "2"] as const;
    const attack = stage.attack(server.url, ...load, ...slow, "--fleet", url, "--agents", "3");
    await until("connections to open", () => attack.result() !== null);
    const [victim] = agents as [Started];
    victim.child.kill("SIGKILL");
    const { exitCode, stdout } = await attack.ended;
    const { status, reason, messages, parts } = attack.result() as AttackResult;
    expect(exitCode).toBe(14);
    expect(status).toBe("invalid");
    expect(reason).toMatchObject({
      kind: "agent-lost",
      name: expect.stringContaining(`/${victim.child.pid}`),
    });
    expect(messages.sent).toBe(0);
    expect(parts.filter((part) => part.status === "lost").length).toBe(1);
    expect(stdout).toContain("The figures do not count: nothing was heard of agent");
    await expectEnd(agents);
  });
});

fault("an agent that is frozen is out for good; thawed, it mixes into nothing", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const agents = stage.agents(3, url);
    const attack = stage.attack(server.url, ...load, "--fleet", url, "--agents", "3");
    await untilLoad(attack, 1000);
    const [victim] = agents as [Started];
    victim.child.kill("SIGSTOP");
    const { exitCode } = await attack.ended;
    const result = attack.result() as AttackResult;
    const lost = agentOf(result, victim);
    expect(exitCode).toBe(17);
    expectWithout(lost, result);
    victim.child.kill("SIGCONT");
    const next = stage.attack(server.url, ...load, "--fleet", url, "--agents", "3");
    await next.ended;
    expectWhole(next.result() as AttackResult);
    expect(attack.result()).toEqual(result);
    await expectEnd(agents);
  });
});

// On hosts of their own the same is done to an agent's link.
test.concurrent.skipIf("problem" in found || findObstacle() === null)(
  "an agent that is cut off from the bus is out, though it goes on and comes back",
  async () => {
    await onStage(async (stage) => {
      const { url } = await stage.broker(program);
      const line = startLine(stage, url);
      const agents = [...stage.agents(2, url), ...stage.agents(1, line.url)];
      const attack = stage.attack(server.url, ...load, "--fleet", url, "--agents", "3");
      await untilLoad(attack, 200);
      line.cut();
      const { exitCode } = await attack.ended;
      const result = attack.result() as AttackResult;
      const lost = agentOf(result, agents[2] as Started);
      expect(exitCode).toBe(17);
      expectWithout(lost, result);
      // Its part is done by now, and is offered to nobody any more.
      line.mend();
      const next = stage.attack(server.url, ...load, "--fleet", url, "--agents", "3");
      await next.ended;
      expectWhole(next.result() as AttackResult);
      expect(attack.result()).toEqual(result);
      await expectEnd(agents);
    });
  },
);

fault(
  "a coordinator that dies before the load leaves nothing to wait for: its agents are free again",
  async () => {
    await onStage(async (stage) => {
      const { url } = await stage.broker(program);
      const agents = stage.agents(2, url);
      const slow = stage.attack(server.url, ...load, "--connect-rate", "1", "--fleet", url, "--agents", "2");
      await until("connections to open", () => slow.result() !== null);
      await Bun.sleep(500);
      slow.child.kill("SIGKILL");
      const next = stage.attack(server.url, ...load, "--fleet", url, "--agents", "2");
      await next.ended;
      expectWhole(next.result() as AttackResult);
      await expectEnd(agents);
    });
  },
);

fault("who is missing, of another version or busy is told, and nothing is sent", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const agents = stage.agents(2, url);
    const other = otherVersion(stage);
    const stranger = stage.start(
      [],
      [process.execPath, join(other, "src", "cli", "main.ts"), ...["agent", "--bus", url]],
    );
    const asked = ["--fleet", url, "--agents", "3", "--join-seconds", "4"] as const;
    const refused = await stage.attack(server.url, ...load, ...asked).ended;
    expect(refused.stderr).toContain("2 of 3 agents are there after 4 s");
    expect(refused.stderr).toMatch(/\/\d+ is ws-showdown 0\.0\.1/);
    expect(refused.exitCode).toBe(16);
    // It came late, and now it is there.
    agents.push(...stage.agents(1, url));
    const attack = stage.attack(server.url, ...load, "--fleet", url, "--agents", "3");
    await attack.ended;
    expectWhole(attack.result() as AttackResult);
    await expectEnd([...agents, stranger]);
  });
});

fault("an agent that was claimed and answers too late is in the attack all the same", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const bus = await openBus(readBusAddress(url, {}, projectFolder), "test");
    stage.onEnd(() => bus.close());
    const heard: Record<string, number> = {};
    for (const subject of ["showdown.offer.*", "showdown.agent.*"]) {
      bus.listen(subject, (received) => {
        if (received.kind !== "message") return;
        heard[received.message.kind] = (heard[received.message.kind] ?? 0) + 1;
      });
    }
    const agents = stage.agents(1, url);
    // Less than an agent takes to see that its claim came to nothing.
    const asked = ["--fleet", url, "--agents", "2", "--join-seconds", "6"] as const;
    const attack = stage.attack(server.url, ...load, ...asked);
    await until("the first to be known", () => heard.offer !== undefined);
    const [first] = agents as [Started];
    first.child.kill("SIGSTOP");
    agents.push(...stage.agents(1, url));
    await until("both to be claimed", () => heard.claim === 2);
    await Bun.sleep(1200);
    first.child.kill("SIGCONT");
    const { stderr } = await attack.ended;
    expect(stderr).not.toContain("is busy with");
    expectWhole(attack.result() as AttackResult);
    await expectEnd(agents);
  });
});

fault("a coordinator that was suspended under load takes nobody for lost", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const agents = stage.agents(2, url);
    const attack = stage.attack(server.url, ...load, "--fleet", url, "--agents", "2");
    await untilLoad(attack, 500);
    attack.child.kill("SIGSTOP");
    // Longer than an agent may be silent.
    await Bun.sleep(5000);
    attack.child.kill("SIGCONT");
    await attack.ended;
    expectWhole(attack.result() as AttackResult);
    await expectEnd(agents);
  });
});

fault.each(["kept", "lost"] as const)(
  "a broker is killed under load and comes back with its disk %s",
  async (disk) => {
    await onStage(async (stage) => {
      const broker = await stage.broker(program);
      const agents = stage.agents(2, broker.url);
      const attack = stage.attack(server.url, ...load, "--fleet", broker.url, "--agents", "2");
      await untilLoad(attack, 500);
      await broker.kill();
      await Bun.sleep(1500);
      await broker.restart(disk);
      await attack.ended;
      expectWhole(attack.result() as AttackResult);
      await expectEnd(agents);
    });
  },
);

fault("a coordinator is killed, then the broker with its disk: whoever resumes has it all", async () => {
  await onStage(async (stage) => {
    const broker = await stage.broker(program);
    const agents = stage.agents(2, broker.url);
    const attack = stage.attack(server.url, ...load, "--fleet", broker.url, "--agents", "2");
    await untilLoad(attack, 500);
    attack.child.kill("SIGKILL");
    await attack.ended;
    const cutOff = attack.result() as AttackResult;
    expect(cutOff.progress).toBe("running");
    await Bun.sleep(seconds * 1000 + 500);
    await broker.kill();
    await broker.restart("lost");
    const { stderr } = await resume(stage, attack, broker.url).ended;
    const result = attack.result() as AttackResult;
    expect(result.progress, stderr).toBe("ended");
    expect(result.id).toBe(cutOff.id);
    expectWhole(result);
    // It is done: nobody may count it again.
    const again = await resume(stage, attack, broker.url).ended;
    expect(again.exitCode).toBe(2);
    expect(again.stderr).toContain("expected an attack of a fleet that was cut off");
    await expectEnd(agents);
  });
});

fault("a broker that does not come back is given up; whoever resumes later has it all", async () => {
  await onStage(async (stage) => {
    const broker = await stage.broker(program);
    const agents = stage.agents(2, broker.url);
    const away = ["--bus-away-seconds", "1.5"] as const;
    const attack = stage.attack(server.url, ...load, ...away, "--fleet", broker.url, "--agents", "2");
    await untilLoad(attack, 500);
    await broker.kill();
    const { exitCode, stdout } = await attack.ended;
    const given = attack.result() as AttackResult;
    expect(exitCode).toBe(14);
    expect(given).toMatchObject({ status: "invalid", reason: { kind: "bus-lost" }, messages: { sent: 0 } });
    expect(given.parts).toMatchObject(agents.map(() => ({ status: "lost", reason: { kind: "bus-lost" } })));
    const silentMs = given.reason?.kind === "bus-lost" ? given.reason.silentMs : 0;
    expect(silentMs).toBeWithin(1500, 10_000);
    expect(stdout.replaceAll(/\s+/g, " ")).toContain("--resume collects what its agents kept");
    await broker.restart("kept");
    const { stderr } = await resume(stage, attack, broker.url).ended;
    const result = attack.result() as AttackResult;
    expect(result.id, stderr).toBe(given.id);
    expectWhole(result);
    await expectEnd(agents);
  });
});

fault("of two coordinators that want the same agents one has them, and the other is told", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const agents = stage.agents(3, url);
    const asked = ["--fleet", url, "--agents", "2", "--join-seconds", "4"] as const;
    const attacks = [0, 1].map(() => stage.attack(server.url, ...load, ...asked));
    const ended = await Promise.all(attacks.map((one) => one.ended));
    const refused = ended.filter(({ exitCode }) => exitCode === 16);
    expect(refused.length).toBe(1);
    expect(refused[0]?.stderr).toContain("is busy with");
    const results = attacks.flatMap((one) => one.result() ?? []);
    expect(results.length).toBe(1);
    expectWhole(results[0] as AttackResult);
    await expectEnd(agents);
  });
});

/** Takes over an attack that was cut off, in its results folder. */
function resume(stage: Stage, { results, result }: FleetAttack, bus: string): Started {
  const { id = "" } = result() ?? {};
  return stage.start([], showdownCommand("attack", "--resume", id, "--fleet", bus, "--results", results));
}

function agentOf({ parts }: AttackResult, { child }: Started): number {
  return parts.findIndex(({ name }) => name?.endsWith(`/${child.pid}`));
}

/** The program's own sources, as another version. */
function otherVersion(stage: Stage): string {
  const folder = temporaryFolder();
  stage.onEnd(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, ".cache"));
  cpSync(join(projectFolder, "src"), join(folder, "src"), { recursive: true });
  symlinkSync(join(projectFolder, "node_modules"), join(folder, "node_modules"));
  const text = readFileSync(join(projectFolder, "package.json"), "utf8");
  writeFileSync(join(folder, "package.json"), text.replace(/"version": "[^"]+"/, '"version": "0.0.1"'));
  return folder;
}
