import { expect, test } from "bun:test";
import { connectionStages, countOpenings, mostOpen, timesWanted, wantedAt } from "./connection-stages.ts";
import { stages } from "./stages.ts";

function read(text: string) {
  const value = stages(1000, true).read(text);
  if (!("value" in value)) throw new Error(value.expected);
  return connectionStages(value.value);
}

test("connections are whole", () => {
  expect(stages(1000, true).read("10s:1.5")).toHaveProperty("expected");
  expect(stages(1000).read("10s:1.5")).toHaveProperty("value");
});

test("the number goes in a straight line, and is never more than a stage asks for", () => {
  const [up, down] = read("10s:5,10s:0");
  if (up === undefined || down === undefined) throw new Error("expected two stages");
  expect([0.001, 1.999, 2.001, 9.99, 10].map((at) => wantedAt(up, at))).toEqual([1, 1, 2, 5, 5]);
  expect([0, 1.99, 2, 9.99, 10].map((at) => wantedAt(down, at))).toEqual([5, 5, 4, 1, 0]);
});

test("what was closed on the way down is opened again on the way up", () => {
  const given = read("10s:5,10s:2,5s:2,10s:4");
  expect([mostOpen(given), countOpenings(given)]).toEqual([5, 7]);
  expect(timesWanted(given, 0)).toEqual([[0, Number.POSITIVE_INFINITY]]);
  const [first, again] = timesWanted(given, 3);
  expect(first?.[0]).toBe(6);
  expect(first?.[1]).toBeCloseTo(10 + 20 / 3);
  expect(again).toEqual([30, Number.POSITIVE_INFINITY]);
  expect(timesWanted(given, 5)).toEqual([]);
});
