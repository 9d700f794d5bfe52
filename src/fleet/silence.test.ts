import { expect, test } from "bun:test";
import { silenceOf, silenceSince } from "./silence.ts";

const bus = { connectedMs: 0 };

test("who says nothing is silent for as long, of which a bus that is away says nothing", async () => {
  const heardMs = performance.now();
  await Bun.sleep(1500);
  expect(silenceSince(heardMs)).toBeGreaterThanOrEqual(1500);
  expect(silenceOf(bus, heardMs)).toBeGreaterThanOrEqual(1500);
  expect(silenceOf({ connectedMs: null }, heardMs)).toBe(0);
});

test("while this program is held up nobody is silent, since it hears nothing of anybody", async () => {
  const heardMs = performance.now();
  Bun.sleepSync(1500);
  expect(silenceOf(bus, heardMs)).toBeLessThan(500);
  // From then on it listens.
  await Bun.sleep(300);
  expect(silenceOf(bus, heardMs)).toBeWithin(300, 1500);
});
