import { expect, setDefaultTimeout, test } from "bun:test";
import type { AttackResult } from "../../src/result/attack.ts";
import { longestMs } from "../showdown/showdown.ts";
import { clockAhead, findServer, Stage } from "./fleet.ts";
import { serveChat } from "./hosts.ts";
import { startLine } from "./line.ts";

setDefaultTimeout(longestMs);

const found = findServer();
const program = "program" in found ? found.program : "";
if ("problem" in found) console.warn(`not tested: latency from agent to agent: ${found.problem}`);

/** Of one clock nothing has to be estimated: one agent has its own. */
const aheadSeconds = 1000;
const ahead = clockAhead(aheadSeconds);
if (ahead === null)
  console.warn("not tested: latency between two clocks: no time namespace can be made here");

/** What comes back over one agent's way to the bus is so late: its clock seems to be off by half of it. */
const lateMs = 80;

test.concurrent.skipIf("problem" in found || ahead === null).each([
  ["below the clocks' error is not told", 0],
  ["above it is right within it", 250],
] as const)("what takes two clocks and %s", async (_, serverMs) => {
  const stage = new Stage();
  try {
    const delay = { FAULT: "delay", FAULT_DELAYS_US: `${serverMs * 1000}` };
    const local = { address: "127.0.0.1", scene: [] };
    const url = await serveChat(stage, local, serverMs === 0 ? {} : delay);
    const { url: bus } = await stage.broker(program);
    stage.agents(1, bus);
    stage.agents(1, startLine(stage, bus, lateMs).url, ahead ?? []);
    const load = ["--adapter", "chaos-chat", "--rooms", "3", "--connections", "6", "--workers", "2"];
    const times = ["--rate", "120", "--duration", "2s"];
    const attack = stage.attack(url, ...load, ...times, "--fleet", bus, "--agents", "2");
    const { stdout } = await attack.ended;
    const { messages, latencyUs, oneWay, parts } = attack.result() as AttackResult;
    expect(messages).toMatchObject({ sent: 240, expected: 480, answered: 480, lost: 0, unmatched: 0 });
    // Each room has a connection of each agent.
    expect([latencyUs.count, oneWay?.latencyUs.count, oneWay?.latencyUs.owed]).toEqual([240, 240, 240]);
    const seemsOffUs = (lateMs * 1000) / 2;
    const offsets = parts.map(({ clock }) => clock?.offsetUs ?? Number.NaN);
    expect(Math.abs(Math.max(...offsets) - aheadSeconds * 1e6)).toBeGreaterThan(0.8 * seemsOffUs);
    const errorUs = oneWay?.clockErrorUs ?? Number.NaN;
    expect(errorUs).toBeGreaterThanOrEqual(seemsOffUs);
    if (serverMs === 0) {
      expect(oneWay?.latencyUs).toMatchObject({ min: null, p50: null });
      expect(stdout).toMatch(/latency, from agent to agent +< \d/);
    } else {
      const otherwiseUs = (oneWay?.latencyUs.p50 ?? Number.NaN) - (latencyUs.p50 ?? Number.NaN);
      expect(Math.abs(otherwiseUs)).toBeLessThanOrEqual(errorUs);
    }
  } finally {
    await stage.clear();
  }
});
