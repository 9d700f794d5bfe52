import { expect, test } from "bun:test";
import { messageCounts } from "../../../test/support/fixture-result.ts";
import { type Counts, listFindings } from "./findings.ts";

const clean: Counts = {
  messages: messageCounts(1000),
  misrouted: 0,
  undeclaredBatches: 0,
  errorReplies: 0,
  firstErrorReply: null,
  died: 0,
  diedByReason: {},
  unsent: 0,
  longestSilenceMs: 0,
  generatorPauseMs: 0,
};
const messages = (changes: Partial<Counts["messages"]>) => ({ messages: messageCounts(1000, changes) });

test("a server that kept the contract gives no finding", () => {
  expect(listFindings(clean)).toEqual([]);
});

test.each<[changes: Partial<Counts>, findings: [kind: string, count: number][]]>([
  [messages({ lost: 5 }), [["lost", 5]]],
  [messages({ lost: 5, declaredDropped: 5 }), [["dropped", 5]]],
  [
    messages({ lost: 5, declaredDropped: 3 }),
    [
      ["lost", 2],
      ["dropped", 3],
    ],
  ],
  [
    messages({ lost: 3, declaredDropped: 5 }),
    [
      ["dropped", 3],
      ["overdeclared", 2],
    ],
  ],
  [messages({ declaredDropped: 4 }), [["overdeclared", 4]]],
  [messages({ declaredDropped: null }), [["no-stats", 1]]],
  [
    messages({ lost: 2, declaredDropped: null }),
    [
      ["no-stats", 1],
      ["lost", 2],
    ],
  ],
  // A loss and a duplicate do not cancel each other out.
  [
    messages({ lost: 1, duplicated: 1 }),
    [
      ["lost", 1],
      ["duplicated", 1],
    ],
  ],
  [messages({ reordered: 2 }), [["reordered", 2]]],
  [messages({ corrupted: 3 }), [["corrupted", 3]]],
  [messages({ malformed: 4 }), [["malformed", 4]]],
  [messages({ late: 6 }), [["late", 6]]],
  [{ misrouted: 5 }, [["misrouted", 5]]],
  [{ undeclaredBatches: 7 }, [["undeclared-batching", 7]]],
  [{ errorReplies: 8, firstErrorReply: "{}" }, [["error-replies", 8]]],
  [{ died: 9, diedByReason: { "connection closed": 9 } }, [["closed", 9]]],
  [{ unsent: 10 }, [["unsent", 10]]],
  [{ longestSilenceMs: 249 }, []],
  [{ longestSilenceMs: 250 }, [["stall", 1]]],
  // The generator stood still itself: not the server's silence.
  [{ longestSilenceMs: 500, generatorPauseMs: 250 }, []],
  [{ longestSilenceMs: 501, generatorPauseMs: 250 }, [["stall", 1]]],
])("%j", (changes, findings) => {
  expect(listFindings({ ...clean, ...changes }).map(({ kind, count }) => [kind, count])).toEqual(findings);
});

test("every text names its number, and the details there are", () => {
  const found = listFindings({
    ...clean,
    ...messages({ lost: 12_345 }),
    errorReplies: 1,
    firstErrorReply: '{"type":"error"}',
    died: 3,
    diedByReason: { "connection closed": 1, "connection reset: ECONNRESET": 2 },
    longestSilenceMs: 1234.5,
  });
  expect(found.map(({ text }) => text)).toEqual([
    "12,345 deliveries lost without being counted in /stats dropped",
    '1 error replies, the first: {"type":"error"}',
    "3 connections were closed in the phase: 1 × connection closed, 2 × connection reset: ECONNRESET",
    "all deliveries stopped for 1,235 ms",
  ]);
});
