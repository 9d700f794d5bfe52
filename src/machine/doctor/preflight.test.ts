import { expect, test } from "bun:test";
import {
  articlePlan,
  linuxMachine,
  silentMachine,
  unpinnedPlan,
} from "../../../test/support/fixture-machines.ts";
import { describeEnvironment } from "../environment.ts";
import { diagnose } from "./diagnosis.ts";
import { describePreflight, preflight } from "./preflight.ts";

const crowded = { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } };

test("a plan that does not fit is told with what would", () => {
  const { stops, warnings } = describePreflight(diagnose(crowded, articlePlan), articlePlan);
  expect(stops).toMatchObject({ kind: "server-descriptors", connections: 19_936 });
  expect(stops?.text).toContain("--connections 19936 would fit");
  expect(warnings).toMatchObject([
    { kind: "server-descriptors", text: expect.stringMatching(/^Server's descriptors: 20,000/) },
  ]);
});

test("a machine with room, or one that says nothing, stops nothing", () => {
  expect(describePreflight(diagnose(linuxMachine, articlePlan), articlePlan)).toEqual({
    warnings: [],
    stops: null,
  });
  const silent = describePreflight(diagnose(silentMachine, unpinnedPlan), unpinnedPlan);
  expect(silent.stops).toBeNull();
  expect(silent.warnings.map(({ kind }) => kind)).toEqual(["cores"]);
});

test("before a run it takes no time worth speaking of, and measures no noise unless asked to", async () => {
  const environment = await describeEnvironment();
  // The first call loads what it needs.
  await preflight(unpinnedPlan, environment);
  const startMs = performance.now();
  const { warnings } = await preflight(unpinnedPlan, environment);
  expect(performance.now() - startMs).toBeLessThan(300);
  expect(warnings.filter(({ kind }) => kind.startsWith("noise"))).toEqual([]);
});
