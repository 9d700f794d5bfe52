import { expect, test } from "bun:test";
import {
  articlePlan,
  linuxMachine,
  silentMachine,
  unpinnedPlan,
} from "../../../test/support/fixture-machines.ts";
import { warningSchema } from "../../result/reasons.ts";
import { describeEnvironment } from "../environment.ts";
import { diagnose } from "./diagnosis.ts";
import { listWarnings, preflight } from "./preflight.ts";

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
