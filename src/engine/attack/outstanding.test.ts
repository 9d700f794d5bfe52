import { expect, test } from "bun:test";
import fc from "fast-check";
import { answer, Outstanding } from "./outstanding.ts";

function sent(count: number): Outstanding {
  const outstanding = new Outstanding();
  for (let seq = 1; seq <= count; seq += 1) outstanding.add(seq * 7, seq * 100, seq);
  return outstanding;
}

test("an answer in order tells when its message was due", () => {
  const outstanding = sent(3);
  expect(outstanding.byHash(7)).toBe(answer.inOrder);
  expect([outstanding.atUs, outstanding.lagUs, outstanding.waiting]).toEqual([100, 1, 2]);
  expect(outstanding.bySequence(2)).toBe(answer.inOrder);
  expect(outstanding.byOrder()).toBe(answer.inOrder);
  expect([outstanding.atUs, outstanding.waiting, outstanding.oldest]).toEqual([300, 0, 0]);
  expect(outstanding.byOrder()).toBe(answer.unknown);
});

test("behind a gap, out of order, twice, and nothing that was sent", () => {
  const outstanding = sent(4);
  expect(outstanding.byHash(21)).toBe(answer.inOrder);
  expect(outstanding.byHash(7)).toBe(answer.reordered);
  expect(outstanding.byHash(21)).toBe(answer.duplicate);
  expect(outstanding.byHash(8)).toBe(answer.unknown);
  expect([0, 5, -1, 1.5, Number.NaN].map((seq) => outstanding.bySequence(seq))).toEqual(
    Array(5).fill(answer.unknown),
  );
  expect(outstanding.oldest).toBe(2);
});

test("what was given up still counts when it comes, but nobody waited for it", () => {
  const outstanding = sent(2);
  outstanding.giveUp(1);
  expect([outstanding.oldest, outstanding.waiting]).toEqual([2, 1]);
  expect(outstanding.bySequence(1)).toBe(answer.inOrder);
  expect(outstanding.wasWaiting).toBe(false);
});

test("of a connection that is gone nothing is awaited, nor known, and numbers go on", () => {
  const outstanding = sent(40);
  for (let seq = 1; seq <= 30; seq += 1) outstanding.bySequence(seq);
  expect(outstanding.forget()).toBe(10);
  expect([outstanding.next, outstanding.oldest, outstanding.waiting]).toEqual([41, 0, 0]);
  expect(outstanding.bySequence(35)).toBe(answer.unknown);
  outstanding.add(7, 5, 0);
  expect(outstanding.byHash(7)).toBe(answer.inOrder);
});

test("a message in thousands without an answer is found, however many there are", () => {
  const outstanding = sent(10_000);
  expect(outstanding.bySequence(9999)).toBe(answer.inOrder);
  expect(outstanding.atUs).toBe(999_900);
  expect(outstanding.waiting).toBe(9999);
});

test("any order of losses, swaps and duplicates is counted as it was", () => {
  const what = fc.constantFrom("answer", "lose", "twice", "hold");
  fc.assert(
    fc.property(fc.array(what, { maxLength: 200 }), fc.boolean(), (script, byHash) => {
      const outstanding = new Outstanding();
      const counts = [0, 0, 0, 0];
      const expected = [0, 0, 0, 0];
      const arrive = (seq: number) => {
        const kind = byHash ? outstanding.byHash(seq) : outstanding.bySequence(seq);
        counts[kind] = (counts[kind] as number) + 1;
      };
      let held = 0;
      let lost = 0;
      for (const [at, step] of script.entries()) {
        const seq = at + 1;
        outstanding.add(seq, 0, 0);
        if (step === "hold" && held === 0) {
          held = seq;
          continue;
        }
        if (step === "lose") {
          lost += 1;
          continue;
        }
        arrive(seq);
        expected[answer.inOrder] = (expected[answer.inOrder] as number) + 1;
        if (step === "twice") {
          arrive(seq);
          expected[answer.duplicate] = (expected[answer.duplicate] as number) + 1;
        }
        if (held === 0) continue;
        arrive(held);
        expected[answer.reordered] = (expected[answer.reordered] as number) + 1;
        held = 0;
      }
      expect(counts).toEqual(expected);
      expect(outstanding.waiting).toBe(lost + (held === 0 ? 0 : 1));
    }),
  );
});
