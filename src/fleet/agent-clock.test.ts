import { expect, test } from "bun:test";
import { nowUs } from "../machine/clock.ts";
import { AgentClock } from "./agent-clock.ts";
import type { Bus } from "./bus.ts";
import { say } from "./messages.ts";

const start = { run: "a", epoch: "b" };
const offsetUs = 3600e6;

/** A clock that is an hour ahead, at the end of a way that takes so long there and back. */
function clockBehind(...ways: readonly (readonly [number, number])[]): Pick<Bus, "ask"> {
  let asked = 0;
  return {
    ask: async () => {
      const [thereMs, backMs] = ways[asked++] ?? [1, 1];
      await Bun.sleep(thereMs);
      const clockUs = nowUs() + offsetUs;
      await Bun.sleep(backMs);
      return say(start, { kind: "answer", problem: null, clockUs });
    },
  };
}

async function ask(clock: AgentClock, ...ways: readonly (readonly [number, number])[]): Promise<number> {
  await clock.ask(clockBehind(...ways) as Bus, start, "id", ways.length);
  return nowUs();
}

test("however different the two ways are, a clock is off by no more than the error", async () => {
  for (const way of [
    [20, 1],
    [1, 20],
    [8, 8],
  ] as const) {
    const clock = new AgentClock();
    const atUs = await ask(clock, way);
    const { offsetUs: found = 0, errorUs = 0 } = clock.at(atUs) ?? {};
    expect(Math.abs(found - offsetUs)).toBeLessThanOrEqual(errorUs);
    expect(errorUs).toBeGreaterThan(8000);
  }
});

test("the quickest exchange counts, until clocks may have run away from it by more than a slower one is off", async () => {
  const clock = new AgentClock();
  const atUs = await ask(clock, [1, 1], [20, 20]);
  const quick = clock.at(atUs)?.roundTripUs ?? 0;
  expect(quick).toBe(clock.best?.roundTripUs ?? 0);
  expect(quick).toBeLessThan(20_000);
  // An hour of 50 µs a second is 180 ms.
  const laterUs = atUs + 3600e6;
  expect((clock.at(laterUs)?.errorUs ?? 0) - quick / 2).toBeCloseTo(180_000, -3);
  expect(new AgentClock().at(atUs)).toBeNull();
});
