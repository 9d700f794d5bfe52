import { expect, test } from "bun:test";
import type { Connection } from "./connection.ts";
import { SegmentSample } from "./segment-sample.ts";

/** A connection of which only the kernel's counter is asked. */
function counting(place: number, counts: readonly (number | null)[]): Connection {
  const left = [...counts];
  return { place, segmentsIn: () => left.shift() ?? null } as unknown as Connection;
}

function count(connections: readonly Connection[], deliveredTo: readonly number[]) {
  const sample = new SegmentSample(connections);
  sample.begin();
  return sample.end(deliveredTo);
}

test("segments and deliveries are those of the same connections", () => {
  const connections = [counting(0, [10, 15]), counting(1, [7, null]), counting(2, [0, 1])];
  expect(count(connections, [50, 1000, 10])).toEqual({ connections: 2, segments: 6, deliveries: 60 });
});

test("a counter that runs over its 32 bits goes on", () => {
  expect(count([counting(0, [2 ** 32 - 3, 4])], [7])).toMatchObject({ segments: 7 });
});

test("without connections, or where the system doesn't tell, nothing is known", () => {
  expect(count([], [])).toBeNull();
  expect(count([counting(0, [null, null])], [9])).toBeNull();
});

test("a sample of a thousand is 64 of them, from first to last", () => {
  const asked: number[] = [];
  const connections = Array.from({ length: 1000 }, (_, place): Connection => {
    const segmentsIn = () => asked.push(place);
    return { place, segmentsIn } as unknown as Connection;
  });
  expect(count(connections, new Array<number>(1000).fill(1))).toMatchObject({
    connections: 64,
    deliveries: 64,
  });
  expect(new Set(asked).size).toBe(64);
  expect(Math.max(...asked)).toBeGreaterThan(980);
});
