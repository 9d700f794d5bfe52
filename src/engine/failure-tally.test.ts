import { expect, test } from "bun:test";
import fc from "fast-check";
import { type ConnectionFailure, failuresSchema } from "../result/reasons.ts";
import { FailureTally, mergeFailures, mostFailureReasons } from "./failure-tally.ts";

const close = (reason: string): ConnectionFailure => ({ kind: "close", code: 4000, reason });

function tally(failures: readonly ConnectionFailure[]) {
  const counted = new FailureTally();
  for (const failure of failures) counted.note(failure);
  return counted.list();
}

test("equal reasons are counted together, the most frequent first", () => {
  expect(tally([{ kind: "reset" }, close("a"), { kind: "ended" }, close("a"), close("b")])).toEqual([
    { failure: close("a"), count: 2 },
    { failure: close("b"), count: 1 },
    { failure: { kind: "ended" }, count: 1 },
    { failure: { kind: "reset" }, count: 1 },
  ]);
});

test("a server with a reason of its own for each connection fills one entry, and what is frequent keeps its name", () => {
  const failures = Array.from({ length: 20_000 }, (_, at) => close(at % 4 === 0 ? "busy" : `bye ${at}`));
  const list = tally(failures);
  expect(list).toHaveLength(mostFailureReasons);
  expect(list[0]).toEqual({ failure: close("busy"), count: 5000 });
  expect(list.at(-1)?.failure.kind).toBe("other");
  expect(list.reduce((all, { count }) => all + count, 0)).toBe(20_000);
});

test("distinct reasons beyond those kept are counted while they can be told apart", () => {
  const list = tally(Array.from({ length: 600 }, (_, at) => close(`bye ${at % 300}`)));
  expect(list.at(-1)?.failure).toEqual({ kind: "other", distinct: 300 - (mostFailureReasons - 1) });
});

test("merging keeps the sum and the bound, and the file's schema takes it", () => {
  const failure = fc.oneof(
    fc.nat({ max: 40 }).map((at) => close(`${at}`)),
    fc.constant<ConnectionFailure>({ kind: "reset" }),
  );
  fc.assert(
    fc.property(fc.array(fc.array(failure, { maxLength: 200 }), { maxLength: 4 }), (parts) => {
      const merged = mergeFailures(parts.map(tally));
      expect(failuresSchema.parse(merged)).toEqual(merged);
      expect(merged.length).toBeLessThanOrEqual(mostFailureReasons);
      expect(merged.reduce((all, { count }) => all + count, 0)).toBe(parts.flat().length);
      const counts = merged.filter((one) => one.failure.kind !== "other").map(({ count }) => count);
      expect(counts).toEqual(counts.toSorted((a, b) => b - a));
    }),
  );
});
