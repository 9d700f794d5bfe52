import { expect, setDefaultTimeout, test } from "bun:test";
import type { AttackResult } from "../../src/result/attack.ts";
import { longestMs } from "../showdown/showdown.ts";
import { findServer, Stage, type Started, untilLoad } from "./fleet.ts";
import { findObstacle, type Host, Network, serveBus, serveChat } from "./hosts.ts";

setDefaultTimeout(longestMs);

const found = findServer();
const program = "program" in found ? found.program : "";
const obstacle = "problem" in found ? found.problem : findObstacle();
if (obstacle !== null) console.warn(`not tested: a fleet on several hosts: ${obstacle}`);
const onHosts = test.concurrent.skipIf(obstacle !== null);

const seconds = 3;
const planned = 120 * seconds;
const load = [
  ...["--adapter", "chaos-chat", "--connections", "12", "--workers", "6"],
  ...["--rate", "120", "--duration", `${seconds}s`],
] as const;
/** Each connection in a room of its own: what it says comes back to it, and to nobody else. */
const alone = ["--rooms", "12"] as const;
/** Each agent's connections are in all rooms, one in each: what is said comes back, and goes to the two other agents. */
const mixed = ["--rooms", "4"] as const;
const hour = 3600;

interface Scene {
  readonly stage: Stage;
  /** Bus and target are on it. */
  readonly hub: Host;
  readonly bus: string;
  host(name: string, clockAheadSeconds?: number): Promise<Host>;
  agentOn(host: Host): Started;
}

/** Afterwards nobody is on a host any more, and this machine's network is what it was. */
async function onNetwork(play: (scene: Scene) => Promise<void>): Promise<void> {
  const stage = new Stage();
  try {
    const network = await Network.create(stage);
    const hub = await network.host("hub");
    const bus = await serveBus(stage, hub, program);
    const agentOn = ({ scene }: Host) => stage.agents(1, bus, scene)[0] as Started;
    await play({ stage, hub, bus, host: (...how) => network.host(...how), agentOn });
  } finally {
    await stage.clear();
  }
  const links = Bun.spawnSync(["sh", "-c", "ip -o link; ip netns list"]).stdout.toString();
  expect(links).not.toMatch(/switch|port\d/);
}

function expectWhole({ messages, connections, status }: AttackResult): void {
  expect(messages).toMatchObject({ planned, sent: planned, lost: 0, duplicated: 0, unmatched: 0 });
  expect(messages.answered).toBe(messages.expected);
  expect(connections).toMatchObject({ requested: 12, opened: 12, failed: 0, died: 0 });
  expect(["ok", "invalid"]).toContain(status);
}

function partOf({ parts }: AttackResult, { name }: Host) {
  const part = parts.find((agent) => agent.name?.startsWith(`${name}/`));
  if (part === undefined) throw new Error(`no agent of ${name}`);
  return part;
}

onHosts("a clock that is an hour ahead is told, and nothing of it is in any figure", async () => {
  await onNetwork(async ({ stage, hub, bus, host, agentOn }) => {
    const url = await serveChat(stage, hub);
    const hosts = [await host("one"), await host("two"), await host("ahead", hour)];
    for (const one of hosts) agentOn(one);
    const attack = stage.attackFrom(hub.scene, url, ...load, ...alone, "--fleet", bus, "--agents", "3");
    await untilLoad(attack, 200);
    const announced = attack.result()?.fleet?.start;
    await attack.ended;
    const result = attack.result() as AttackResult;
    expectWhole(result);
    expect(result.messages.answered).toBe(planned);
    expect(hosts.map((one) => partOf(result, one).figures?.messages.sent)).toEqual([120, 120, 120]);
    for (const [at, aheadUs] of [0, 0, hour * 1e6].entries()) {
      const { offsetUs = Number.NaN, errorUs = Number.NaN } = partOf(result, hosts[at] as Host).clock ?? {};
      expect(Math.abs(offsetUs - aheadUs)).toBeLessThanOrEqual(errorUs);
    }
    const { skewUs = Number.NaN, errorUs = Number.NaN } = result.fleet?.start ?? {};
    // The start was announced by what was known then, and is judged by what quicker exchanges told since.
    expect(skewUs).toBeLessThanOrEqual((announced?.errorUs ?? Number.NaN) + errorUs);
    expect(result.latencyUs.max).toBeLessThan(60e6);
    expect(result.oneWay).toBeNull();
  });
});

onHosts("from an agent to one that is an hour ahead latency is right within the clocks' error", async () => {
  await onNetwork(async ({ stage, hub, bus, host, agentOn }) => {
    // Long enough to be told, whatever the clocks' error is here.
    const url = await serveChat(stage, hub, { FAULT: "delay", FAULT_DELAYS_US: "200000" });
    for (const one of [await host("one"), await host("two"), await host("ahead", hour)]) agentOn(one);
    const attack = stage.attackFrom(
      hub.scene,
      url,
      ...load,
      ...mixed,
      "--fleet",
      bus,
      "--agents",
      "3",
      "--threshold",
      "one-way.p50 < 150ms",
    );
    const { stdout, stderr } = await attack.ended;
    const result = attack.result() as AttackResult;
    expectWhole(result);
    const { latencyUs, oneWay } = result;
    // Of three deliveries of each message one is at the agent that sent it.
    expect(latencyUs).toMatchObject({ count: planned, owed: planned });
    expect(oneWay?.latencyUs).toMatchObject({ count: 2 * planned, owed: 2 * planned });
    const errorUs = oneWay?.clockErrorUs ?? Number.NaN;
    // The same server, at the same time: but for the clocks it would be the same.
    const otherwiseUs = Math.abs((oneWay?.latencyUs.p50 ?? Number.NaN) - (latencyUs.p50 ?? Number.NaN));
    expect(otherwiseUs).toBeLessThanOrEqual(errorUs + 5000);
    expect(stderr).toMatch(/failed: "one-way\.p50 < 150ms": one-way\.p50 is [\d.]+ m?s/);
    expect(stdout).toMatch(/latency, from agent to agent +2\d\d ms/);
    expect(stdout).toContain("From agent to agent it is known to");
  });
});

onHosts("an agent whose link goes down is out, and back for the next attack", async () => {
  await onNetwork(async ({ stage, hub, bus, host, agentOn }) => {
    const url = await serveChat(stage, hub);
    const hosts = [await host("one"), await host("two"), await host("three")];
    for (const one of hosts) agentOn(one);
    const attack = stage.attackFrom(hub.scene, url, ...load, ...alone, "--fleet", bus, "--agents", "3");
    await untilLoad(attack, 1000);
    const [victim] = hosts as [Host];
    await victim.link("down");
    const { exitCode, stdout } = await attack.ended;
    await victim.link("up");
    const result = attack.result() as AttackResult;
    const lost = partOf(result, victim);
    expect(exitCode).toBe(17);
    const agent = lost.share?.index;
    expect(result).toMatchObject({ status: "partial", reason: { kind: "agent-lost", agent } });
    expect(lost).toMatchObject({ status: "lost", figures: null });
    expect(stdout).toMatch(new RegExp(`nothing was heard of agent ${agent} \\(one/`));
    expect(result.messages).toMatchObject({ sent: (planned / 3) * 2, answered: (planned / 3) * 2, lost: 0 });
    const next = stage.attackFrom(hub.scene, url, ...load, ...alone, "--fleet", bus, "--agents", "3");
    await next.ended;
    expectWhole(next.result() as AttackResult);
    expect(attack.result()).toEqual(result);
  });
});

onHosts("a coordinator whose own link is down for a while loses nobody", async () => {
  await onNetwork(async ({ stage, hub, bus, host, agentOn }) => {
    const url = await serveChat(stage, hub);
    for (const name of ["one", "two"]) agentOn(await host(name));
    const away = await host("away");
    const attack = stage.attackFrom(away.scene, url, ...load, ...alone, "--fleet", bus, "--agents", "2");
    await untilLoad(attack, 500);
    await away.link("down");
    // Longer than an agent may be silent, and shorter than the bus takes to be missed.
    await Bun.sleep(6000);
    await away.link("up");
    await attack.ended;
    expectWhole(attack.result() as AttackResult);
  });
});

onHosts(
  "a run's servers are on one host, its load comes from others, one of them an hour ahead",
  async () => {
    await onNetwork(async ({ stage, hub, bus, host, agentOn }) => {
      for (const one of [await host("one"), await host("ahead", hour)]) agentOn(one);
      const options = ["clean", "--phases", "burst-echo,burst-rooms,endurance-rooms", "--connections", "12"];
      const fleet = ["--fleet", bus, "--agents", "2", "--workers", "2"];
      const refused = await stage.runFrom(hub.scene, ...options, ...fleet).ended;
      expect(refused.exitCode).toBe(2);
      expect(refused.stderr).toMatch(/can't reach servers at 127\.0\.0\.1: it has a loopback of its own/);
      const address = ["--server-address", hub.address];
      const run = stage.runFrom(hub.scene, ...options, ...fleet, ...address);
      const { exitCode } = await run.ended;
      const result = run.result();
      expect(exitCode).toBe(0);
      expect(result?.fleet).toMatchObject({
        serverAddress: hub.address,
        agents: [{ agent: 0 }, { agent: 1 }],
      });
      const offsetsUs = result?.fleet?.agents.map(({ clock }) => Math.abs(clock?.offsetUs ?? 0)) ?? [];
      expect(Math.max(...offsetsUs)).toBeGreaterThan(hour * 1e6 - 1e6);
      const [, echo, burst, paced] = result?.rounds[0]?.phases ?? [];
      for (const phase of [echo, burst, paced]) {
        if (phase === undefined || phase.status === "not-run" || !("messages" in phase))
          throw new Error("no load");
        expect(phase).toMatchObject({ status: "ok", messages: { lost: 0, unsent: 0, duplicated: 0 } });
        // By two clocks that are not set against each other it would be an hour.
        expect(phase.latencyUs.max ?? 0).toBeLessThan(60e6);
        const isOneWay = phase.workload !== "echo";
        expect("clockErrorUs" in phase).toBe(isOneWay);
        if (!isOneWay) continue;
        const { clockErrorUs = Number.NaN, latencyUs } = phase;
        expect(clockErrorUs).toBeGreaterThan(0);
        expect(clockErrorUs).toBeLessThan(1e6);
        for (const us of [latencyUs.min, latencyUs.p50, latencyUs.p90]) {
          expect(us === null || us >= clockErrorUs).toBe(true);
        }
      }
    });
  },
);
