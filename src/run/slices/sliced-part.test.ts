import { expect, test } from "bun:test";
import { serverFigures } from "../../../test/support/fixture-result.ts";
import { sumOwnFigures } from "./sliced-part.ts";

const slice = (cpuMs: number, userMs: number, systemMs: number, voluntary: number) => ({
  serverTimes: { cpuMs, userMs, systemMs },
  switches: { voluntary, involuntary: 1 },
});

test("what a server spent is summed over the slices that count; what it held is of the whole phase", () => {
  const { otherCpuShare: _, idleCpuShare: __, ...whole } = serverFigures(5000, 100, 9000, 1);
  const counted = [slice(90, 30, 60, 700), slice(110, 30, 80, 800)];
  expect(sumOwnFigures(whole, counted, 2000)).toEqual({
    ...whole,
    cpuMs: 200,
    cpuUserMs: 60,
    cpuSystemMs: 140,
    cpuUsPerDelivery: 100,
    contextSwitches: { voluntary: 1500, involuntary: 2 },
  });
  // Of one slice nobody knows: of their sum neither.
  const unknown = { serverTimes: { cpuMs: null, userMs: null, systemMs: null }, switches: null };
  expect(sumOwnFigures(whole, [...counted, unknown], 2000)).toEqual({
    ...whole,
    cpuMs: null,
    cpuUserMs: null,
    cpuSystemMs: null,
    cpuUsPerDelivery: null,
    contextSwitches: null,
  });
});
