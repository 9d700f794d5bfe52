import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Phase } from "../../src/result/phase.ts";
import {
  accountsOf,
  fixtures,
  longestMs,
  phaseOf,
  ranPhase,
  roundOf,
  runFixtures,
  showdown,
  temporaryFolder,
} from "../showdown/showdown.ts";
import {
  childrenOf,
  type FleetRun,
  findServer,
  isAlive,
  playScenes,
  type Started,
  startedWith,
  until,
  untilPhase,
} from "./fleet.ts";

setDefaultTimeout(longestMs);

const found = findServer();
const program = "program" in found ? found.program : "";
const onStage = playScenes(3);
if ("problem" in found) console.warn(`not tested: runs of a fleet: ${found.problem}`);
const fleetTest = test.concurrent.skipIf("problem" in found);

/** Long enough for something to break in it. */
const seconds = 6;
const load = [
  ...["clean", "--phases", "burst-echo,endurance-echo", "--connections", "12", "--workers", "3"],
  ...["--endurance-seconds", `${seconds}`, "--endurance-rate", "300"],
] as const;
const paced = 2;

function phaseAt(run: FleetRun, index: number): Phase {
  const phase = run.result()?.rounds[0]?.phases[index];
  if (phase === undefined) throw new Error(`no phase ${index}`);
  return phase;
}

/** All that was to be sent was, once, and each delivery counted once. */
function expectWhole(run: FleetRun): void {
  expect(run.result()?.status).toBe("finished");
  const phase = phaseAt(run, paced);
  const total = seconds * 300;
  expect(phase).toMatchObject({
    status: "ok",
    messages: { planned: total, sent: total, expected: total, delivered: total, lost: 0, duplicated: 0 },
  });
  if (phase.kind !== "endurance" || phase.status === "not-run") throw new Error("no endurance");
  expect(phase.latencyUs.count).toBe(total);
  expect(phase.timeline.buckets.reduce((all, { delivered }) => all + delivered, 0)).toBe(total);
  expect(phase.agents?.reduce((all, { delivered }) => all + delivered, 0)).toBe(total);
  expect(phase.agents?.reduce((all, { latencyUs }) => all + latencyUs.count, 0)).toBe(total);
}

/** Free again, they end when they are told to, and leave no worker. */
async function expectEnd(agents: readonly Started[]): Promise<void> {
  await until(
    "their workers to end",
    () => agents.every(({ child }) => childrenOf(child.pid).length === 0),
    10,
  );
  for (const { child } of agents) child.kill("SIGTERM");
  await until("the agents to end", () => agents.every(({ child }) => !isAlive(child.pid)), 10);
}

fleetTest("three agents come to exactly the accounts of one machine on the same plan", async () => {
  await onStage(async () => {
    const options = [
      ...["--phases", "burst-echo,burst-broadcast,steady-rooms"],
      ...["--connections", "31", "--workers", "3"],
    ];
    const alone = await runFixtures(["clean"], ...options);
    const fleet = await runFixtures(["clean"], ...options, "--fleet", "local", "--agents", "3");
    expect(fleet.exitCode).toBe(0);
    expect(accountsOf(roundOf(fleet, "clean")).length).toBe(3);
    expect(accountsOf(roundOf(fleet, "clean")).map(withoutFrames)).toEqual(
      accountsOf(roundOf(alone, "clean")).map(withoutFrames),
    );
    expect(ranPhase(roundOf(fleet, "clean"), "connect")).toMatchObject({
      connections: { opened: 31, open: 31 },
    });
    const echo = phaseOf(roundOf(fleet, "clean"), "burst-echo");
    if (echo.status === "not-run" || echo.kind !== "burst") throw new Error("no burst");
    expect(echo.agents?.map(({ sent }) => sent)).toEqual([110, 100, 100]);
    expect(fleet.result.plan).toMatchObject({
      oneAtATime: true,
      agents: { count: 3, areHere: true },
    });
    expect(fleet.result.fleet).toMatchObject({
      bus: "local",
      agents: [{ agent: 0 }, { agent: 1 }, { agent: 2 }],
    });
  });
});

/** How a server puts messages into frames is its own affair. */
function withoutFrames({ frames: _, ...messages }: ReturnType<typeof accountsOf>[number]) {
  return messages;
}

fleetTest("faults are injected and judged as from one machine", async () => {
  await onStage(async () => {
    const options = ["--phases", "chaos-rooms", "--faults", "resets,kill", "--connections", "30"];
    const { result, exitCode, stderr } = await runFixtures(["clean"], ...options, "--fleet", "local");
    if (exitCode !== 0) console.log(stderr);
    expect(exitCode).toBe(0);
    const [round] = result.rounds;
    const chaos = round?.phases[1];
    if (chaos?.kind !== "chaos" || chaos.status === "not-run") throw new Error("no chaos");
    expect(chaos.faults.map(({ fault }) => fault)).toEqual(["resets", "kill"]);
    for (const { reconnect } of chaos.faults) expect(reconnect.opened).toBe(reconnect.wanted);
  });
});

fleetTest.each(["SIGKILL", "SIGSTOP", "SIGTERM"] as const)(
  "an agent that gets %s under load is named, its phase does not count, and the run ends",
  async (signal) => {
    await onStage(async (stage) => {
      const { url } = await stage.broker(program);
      const agents = stage.agents(3, url);
      const run = stage.run(...load, "--rounds", "2", "--fleet", url, "--agents", "3");
      await untilPhase(run, paced);
      const [victim] = agents as [Started];
      await until("its workers", () => childrenOf(victim.child.pid).length > 0);
      await Bun.sleep(1500);
      const workers = childrenOf(victim.child.pid);
      victim.child.kill(signal);
      const { exitCode, stderr } = await run.ended;
      const kind = signal === "SIGTERM" ? "agent-failed" : "agent-lost";
      expect(exitCode).toBe(16);
      expect(phaseAt(run, paced)).toMatchObject({ status: "invalid", reason: { kind } });
      expect(phaseAt(run, 1)).toMatchObject({ status: "ok" });
      expect(run.result()).toMatchObject({
        status: "aborted",
        warnings: expect.arrayContaining([{ kind: "fleet-lost", reason: expect.objectContaining({ kind }) }]),
      });
      expect(run.result()?.rounds.length).toBe(1);
      expect(stderr).toContain(`/${victim.child.pid})`);
      victim.child.kill("SIGCONT");
      // Nobody but its coordinator could end the workers of a frozen one.
      await until("its workers to end", () => !workers.some(isAlive), 15);
      await expectEnd(agents);
    });
  },
);

fleetTest.each(["kept", "lost"] as const)(
  "a broker that is killed under load and comes back with its disk %s loses nothing of a run",
  async (disk) => {
    await onStage(async (stage) => {
      const broker = await stage.broker(program);
      const agents = stage.agents(3, broker.url);
      const run = stage.run(...load, "--fleet", broker.url, "--agents", "3");
      await untilPhase(run, paced);
      await Bun.sleep(2500);
      await broker.kill();
      await Bun.sleep(1500);
      await broker.restart(disk);
      expect((await run.ended).exitCode).toBe(0);
      expectWhole(run);
      await expectEnd(agents);
    });
  },
);

fleetTest("agents stay, however long contenders take to be built", async () => {
  await onStage(async (stage) => {
    const folder = temporaryFolder();
    stage.onEnd(() => rmSync(folder, { recursive: true, force: true }));
    const manifest = JSON.parse(readFileSync(join(fixtures, "clean", "contender.json"), "utf8"));
    const start = ["bun", join(fixtures, "chat-server", "server.ts")];
    // Longer than an agent may be silent, and than it waits for its coordinator.
    const slow = { ...manifest, start, build: [["sleep", "8"]] };
    mkdirSync(join(folder, "slow"));
    writeFileSync(join(folder, "slow", "contender.json"), JSON.stringify(slow));
    const run = stage.run("slow", "--contenders", folder, "--phases", "burst-echo", "--fleet", "local");
    expect((await run.ended).exitCode).toBe(0);
    expect(run.result()).toMatchObject({ status: "finished", rounds: [{ contender: "slow", status: "ok" }] });
  });
});

fleetTest("a broker that never comes back ends a run when it is given up, and nobody is left", async () => {
  await onStage(async (stage) => {
    const broker = await stage.broker(program);
    const agents = stage.agents(2, broker.url);
    const away = ["--bus-away-seconds", "2"];
    const run = stage.run(...load, "--fleet", broker.url, "--agents", "2", ...away);
    await untilPhase(run, paced);
    await Bun.sleep(2500);
    await broker.kill();
    expect((await run.ended).exitCode).toBe(16);
    const kind = "bus-lost";
    expect(phaseAt(run, paced)).toMatchObject({ status: "invalid", reason: { kind } });
    expect(run.result()).toMatchObject({
      status: "aborted",
      warnings: expect.arrayContaining([{ kind: "fleet-lost", reason: expect.objectContaining({ kind }) }]),
    });
    await expectEnd(agents);
  });
});

fleetTest("Ctrl-C ends a run gently: what was measured is kept, and its agents are free", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const agents = stage.agents(2, url);
    const run = stage.run(...load, "--fleet", url, "--agents", "2");
    await untilPhase(run, paced);
    await Bun.sleep(2000);
    run.child.kill("SIGINT");
    expect((await run.ended).exitCode).toBe(130);
    expect(run.result()).toMatchObject({ status: "aborted" });
    expect(phaseAt(run, 1)).toMatchObject({ status: "ok" });
    expect(phaseAt(run, paced)).toMatchObject({ status: "aborted", reason: { kind: "stopped-by-user" } });
    await expectEnd(agents);
  });
});

fleetTest(
  "a coordinator that is killed leaves no server and no worker, and its agents are free",
  async () => {
    await onStage(async (stage) => {
      const { url } = await stage.broker(program);
      const agents = stage.agents(2, url);
      const run = stage.run(...load, "--fleet", url, "--agents", "2");
      await untilPhase(run, paced);
      const mark = `SHOWDOWN_PARENT=${run.child.pid}`;
      run.child.kill("SIGKILL");
      await until("its servers to end", () => startedWith(mark).length === 0, 10);
      const again = stage.run(...load, "--fleet", url, "--agents", "2");
      expect((await again.ended).exitCode).toBe(0);
      expectWhole(again);
      await expectEnd(agents);
    });
  },
);

fleetTest("of two runs that want the same agents one has them", async () => {
  await onStage(async (stage) => {
    const { url } = await stage.broker(program);
    const agents = stage.agents(2, url);
    const first = stage.run(...load, "--fleet", url, "--agents", "2");
    await untilPhase(first, 1);
    const second = await stage.run(...load, "--fleet", url, "--agents", "2", "--join-seconds", "1").ended;
    expect(second.exitCode).toBe(16);
    expect(second.stderr).toMatch(/is busy with .*-smoke/);
    const { exitCode, stderr } = await first.ended;
    expect(exitCode, stderr).toBe(0);
    expectWhole(first);
    await expectEnd(agents);
  });
});

test.each([
  [["--agents", "2"], /--agents: expected --fleet, too/],
  [["--server-address", "127.0.0.1"], /--server-address: expected --fleet, too/],
  [["--fleet", "local", "--scan", "connections=10,20"], /--scan and --fleet: expected one of them/],
])("run %j is refused before anything is started", async (options, message) => {
  const { exitCode, stderr } = await showdown("run", "bun-native", ...options);
  expect(stderr).toMatch(message);
  expect(exitCode).toBe(2);
});
