import { expect, test } from "bun:test";
import { Histogram } from "../stats/histogram.ts";
import { WholeSeconds } from "./whole-seconds.ts";

function told(second: number, sent: number, ...latenciesUs: number[]) {
  const latency = new Histogram();
  for (const us of latenciesUs) latency.record(us);
  return { second, sent, delivered: latenciesUs.length, latency: latency.toSparse() };
}

const figures = ({ second, sent, answered }: { second: number; sent: number; answered: number }) => [
  second,
  sent,
  answered,
];

test("a second is what all workers saw of it, and one without anything is told too", () => {
  const seconds = new WholeSeconds();
  seconds.add(told(0, 2, 100, 300));
  seconds.add(told(2, 1));
  seconds.add(told(0, 3, 200));
  const taken = seconds.take(2);
  expect(taken.map(figures)).toEqual([
    [0, 5, 3],
    [1, 0, 0],
  ]);
  expect(taken[0]?.latency).toMatchObject({ count: 3, min: 100, max: 300 });
  expect(seconds.take(2)).toEqual([]);
  expect(seconds.takeRest().map(figures)).toEqual([[2, 1, 0]]);
  expect(seconds.takeRest()).toEqual([]);
});

test("what a worker tells too late counts in the next second: sums miss nothing", () => {
  const seconds = new WholeSeconds();
  seconds.add(told(0, 1, 10));
  expect(seconds.take(1).map(figures)).toEqual([[0, 1, 1]]);
  seconds.add(told(0, 4, 20, 30));
  seconds.add(told(1, 1));
  expect(seconds.takeRest().map(figures)).toEqual([[1, 5, 2]]);
});
