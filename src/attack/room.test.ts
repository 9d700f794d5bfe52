import { expect, test } from "bun:test";
import { isShowdownError } from "../errors.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import { checkMemory, chooseSources } from "./room.ts";

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isShowdownError(error, "usage")) return `${error.message}; ${error.hint}`;
    throw error;
  }
  return "none";
}

test.skipIf(process.platform !== "linux")(
  "to loopback there are as many addresses as a million takes",
  () => {
    const loopback = { address: "127.0.0.1" };
    expect(chooseSources(loopback, 14_000, [])).toEqual([]);
    const addresses = chooseSources(loopback, 1_000_000, []);
    expect(new Set(addresses).size).toBe(72);
    expect(addresses.every((address) => /^127\.(?!0\.0\.1$)[\d.]+$/.test(address))).toBe(true);
    expect(chooseSources(loopback, 20_000, ["127.9.9.9"])).toEqual(["127.9.9.9"]);
  },
);

test.skipIf(process.platform !== "linux")(
  "elsewhere the ports of the addresses given are the limit, and the refusal says it",
  () => {
    const far = { address: "192.0.2.7" };
    const text = problem(() => chooseSources(far, 1_000_000, []));
    const [, most = ""] =
      /^--connections 1000000: one source address can have (\d+) to one server; give --connections \1,/.exec(
        text,
      ) ?? [];
    expect(Number(most)).toBeGreaterThan(0);
    expect(problem(() => chooseSources(far, Number(most), []))).toBe("none");
    expect(problem(() => chooseSources(far, 2 * Number(most), ["192.0.2.1", "192.0.2.2"]))).toBe("none");
  },
);

test("more than memory holds is refused, with what it holds", () => {
  const plan = (connections: number) =>
    ({ connections, workers: 51, target: { address: "127.0.0.1" } }) as AttackPlan;
  const text = problem(() => checkMemory(plan(1_000_000), 4e9));
  const [, fitting = ""] = /hint|give --connections (\d+),/.exec(text) ?? [];
  expect(text).toStartWith("--connections 1000000: they need about ");
  expect(problem(() => checkMemory(plan(Number(fitting)), 4e9))).toBe("none");
  expect(problem(() => checkMemory(plan(1_000_000), 20e9))).toBe("none");
  expect(problem(() => checkMemory(plan(1_000_000), null))).toBe("none");
});
