import { expect, test } from "bun:test";
import {
  articlePlan,
  linuxMachine,
  silentMachine,
  unpinnedPlan,
} from "../../../test/support/fixture-machines.ts";
import type { ShowdownError } from "../../errors.ts";
import { warningSchema } from "../../result/reasons.ts";
import { describeEnvironment } from "../environment.ts";
import { diagnose } from "./diagnosis.ts";
import { listWarnings, preflight, refuseTooLarge } from "./preflight.ts";

test("what is not ok is a warning of facts, as the result's schema asks for", () => {
  const crowded = { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } };
  const warnings = listWarnings(diagnose(crowded, articlePlan));
  expect(warnings).toEqual([
    {
      kind: "machine",
      check: "server-descriptors",
      state: "insufficient",
      values: { limit: 20_000, hard: 20_000, needed: 25_064, reserve: 64 },
    },
  ]);
  expect(warningSchema.array().parse(warnings)).toEqual(warnings);
});

test("a machine with room warns of nothing, one that says nothing only of what is known", () => {
  expect(listWarnings(diagnose(linuxMachine, articlePlan))).toEqual([]);
  const silent = listWarnings(diagnose(silentMachine, unpinnedPlan));
  expect(silent).toMatchObject([{ check: "cores", values: { problem: "cannot-pin" } }]);
});

test("before a run it takes no time worth speaking of, and measures no noise where that is left out", async () => {
  const environment = await describeEnvironment();
  // The first call loads what it needs.
  await preflight(unpinnedPlan, environment, 0);
  const startMs = performance.now();
  const warnings = await preflight(unpinnedPlan, environment, 0);
  expect(performance.now() - startMs).toBeLessThan(300);
  expect(warnings.filter((warning) => warning.kind === "machine" && warning.check === "noise")).toEqual([]);
});

test("a plan that is too large for the machine is refused with what would fit, one too large for a server is not", () => {
  const small = { ...linuxMachine, memory: { ...linuxMachine.memory, availableBytes: 500e6 } };
  const refuse = (machine: typeof linuxMachine, connections: number) => () => {
    const plan = { ...articlePlan, connections };
    refuseTooLarge(diagnose(machine, plan), plan);
  };
  const hint = (work: () => void) => {
    try {
      work();
    } catch (error) {
      return `${(error as ShowdownError).message}; ${(error as ShowdownError).hint}`;
    }
    return "not refused";
  };
  const refusal = hint(refuse(small, 1_000_000));
  const [, fitting = ""] =
    /^--connections 1000000: this machine holds about (\d+) \(memory.*; give --connections \1;/.exec(
      refusal,
    ) ?? [];
  expect(Number(fitting)).toBeGreaterThan(1000);
  expect(hint(refuse(small, Number(fitting)))).toBe("not refused");
  const crowded = { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } };
  expect(hint(refuse(crowded, 25_000))).toBe("not refused");
});
