import { expect, test } from "bun:test";
import fc from "fast-check";
import { chaosLoadSeconds, chaosSecondsType, countFaultyClients, faultNames } from "./faults.ts";

test("the shares of a large and of a small phase", () => {
  const counts = (connections: number) => faultNames.map((fault) => countFaultyClients(fault, connections));
  //                              slow, resets, garbage, storm, crash, kill
  expect(counts(10_000)).toEqual([100, 500, 100, 2500, 100, 0]);
  expect(counts(50)).toEqual([1, 3, 20, 13, 3, 0]);
  expect(counts(1_000_000)[2]).toBe(400);
});

test("at least half of the members are left to be hurt", () => {
  fc.assert(
    fc.property(fc.constantFrom(...faultNames), fc.nat(100_000), (fault, connections) => {
      if (fault === "garbage") return;
      expect(countFaultyClients(fault, connections)).toBeLessThanOrEqual(connections / 2);
    }),
  );
});

test("windows are three whole numbers", () => {
  expect(chaosSecondsType.read("3/10/5")).toEqual({ value: { before: 3, under: 10, after: 5 } });
  for (const text of ["3/10", "3/10/5/1", "0/1/1", "1/1.5/1", "1/1/61", "a/b/c", "", "1//1"]) {
    expect([text, chaosSecondsType.read(text)]).toEqual([
      text,
      { expected: "three whole numbers from 1 to 60, as in 3/10/5" },
    ]);
  }
});

test("the load lasts all windows of all faults", () => {
  expect(
    chaosLoadSeconds({ faults: ["crash", "kill"], chaosSeconds: { before: 3, under: 10, after: 5 } }),
  ).toBe(36);
});
