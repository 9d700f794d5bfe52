import { expect, test } from "bun:test";
import { fixtureBurst, fixturePlan, messageCounts } from "../../test/support/fixture-result.ts";
import type { BurstPhase } from "../result/phase.ts";
import { catalogue, decidingMeasures, measureOf } from "./catalogue.ts";
import { formatMeasure } from "./measure.ts";

test("every measure has a name of its own, which can be typed, and a meaning of one or two sentences", () => {
  expect(new Set(catalogue.map(({ name }) => name)).size).toBe(catalogue.length);
  for (const { name, meaning } of catalogue) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*(\.[a-z0-9]+([-.][a-z0-9]+)*)?$/);
    expect(meaning).toMatch(/^[A-Z9].*\.$/);
  }
});

test("what decides in a phase is measured in it", () => {
  for (const [kind, names] of Object.entries(decidingMeasures)) {
    for (const name of names) expect<readonly string[]>(measureOf(name).kinds).toContain(kind);
  }
  expect(() => measureOf("latency.p98")).toThrow("expected one of the catalogue");
});

test("CPU time below a tick is only known to be below it; a count of zero is zero", () => {
  expect(formatMeasure({ unit: "cpu" }, 0.5, 2)).toBe("< 2.00 µs");
  expect(formatMeasure({ unit: "cpu" }, 3, 2)).toBe("3.00 µs");
  expect(formatMeasure({ unit: "count" }, 0, 1)).toBe("0");
  expect(formatMeasure({ unit: "share" }, null)).toBe("–");
});

test("what a server spent is told per delivery of the slices that count, and not of those left out", () => {
  const plan = fixturePlan();
  const whole = fixtureBurst(plan, "echo", 1);
  const slice = { block: 0, place: 0, deliveriesPerSecond: 1e4, spanMs: 100, cpuUsPerDelivery: 10 };
  const counted = { ...slice, p50Us: 100, p99Us: 200, delivered: 1000, expected: 1000 };
  const phase: BurstPhase = {
    ...whole,
    messages: messageCounts(3000),
    server: {
      ...whole.server,
      cpuUserMs: 6,
      cpuSystemMs: 4,
      contextSwitches: { voluntary: 50, involuntary: 2 },
    },
    slices: [counted],
    invalidSlices: 2,
  };
  const pick = (name: string) => measureOf(name).pick(phase);
  expect(pick("cpu-per-delivery.user")).toBe(6);
  expect(pick("cpu-per-delivery.system")).toBe(4);
  expect(pick("context-switches.voluntary")).toBe(50);
  expect(pick("context-switches.involuntary")).toBe(2);
});
