import { expect, test } from "bun:test";
import { z } from "zod";
import { messageCounts } from "../../../test/support/fixture-result.ts";
import type { ServerStats } from "../../process/counters.ts";
import { type Finding, findingSchema } from "../../result/reasons.ts";
import { type Counts, listFindings } from "./findings.ts";
import { compareCounters, describeCollector } from "./server-counters.ts";

const clean: Counts = {
  messages: messageCounts(1000),
  undeclaredBatches: 0,
  errorReplies: 0,
  firstErrorReply: null,
  died: 0,
  deaths: [],
  longestSilenceMs: 0,
  generatorPauseMs: 0,
  counters: { kind: "known", dropped: 0 },
};
const messages = (changes: Partial<Counts["messages"]>) => ({ messages: messageCounts(1000, changes) });

test("a server that kept the contract gives no finding", () => {
  expect(listFindings(clean)).toEqual([]);
});

test.each<[changes: Partial<Counts>, findings: [kind: Finding["kind"], count: number][]]>([
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
  [
    { ...messages({ lost: 2, declaredDropped: null }), counters: compareCounters(null, stats()) },
    [
      ["no-counters", 1],
      ["lost", 2],
    ],
  ],
  // A target that has none by its nature owes no answer.
  [{ ...messages({ declaredDropped: null }), counters: null }, []],
  [{ counters: compareCounters(stats({ sent: 9 }), stats({ sent: 4 })) }, [["counter-decreased", 1]]],
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
  [messages({ misrouted: 5 }), [["misrouted", 5]]],
  [messages({ binary: 5 }), [["binary", 5]]],
  [{ undeclaredBatches: 7 }, [["undeclared-batching", 7]]],
  [{ errorReplies: 8, firstErrorReply: "{}" }, [["error-replies", 8]]],
  [{ died: 9, deaths: [{ failure: { kind: "ended" }, count: 9 }] }, [["closed", 9]]],
  [messages({ unsent: 10 }), [["unsent", 10]]],
  [{ longestSilenceMs: 249 }, []],
  [{ longestSilenceMs: 250 }, [["stall", 1]]],
  // The generator stood still itself: not the server's silence.
  [{ longestSilenceMs: 500, generatorPauseMs: 250 }, []],
  [{ longestSilenceMs: 501, generatorPauseMs: 250 }, [["stall", 1]]],
])("%j", (changes, findings) => {
  expect(listFindings({ ...clean, ...changes }).map(({ kind, count }) => [kind, count])).toEqual(findings);
});

test("findings keep the details there are", () => {
  const deaths = [{ failure: { kind: "reset" as const }, count: 3 }];
  const found = listFindings({
    ...clean,
    counters: compareCounters(stats({ dropped: 60 }), stats({ dropped: 10 })),
    errorReplies: 1,
    firstErrorReply: '{"type":"error"}',
    died: 3,
    deaths,
    longestSilenceMs: 1234.5,
  });
  expect(found).toEqual([
    { kind: "counter-decreased", count: 1, counter: "dropped", from: 60, to: 10 },
    { kind: "error-replies", count: 1, first: '{"type":"error"}' },
    { kind: "closed", count: 3, failures: deaths },
    { kind: "stall", count: 1, silenceMs: 1235 },
  ]);
  expect(z.array(findingSchema).safeParse(found).success).toBe(true);
});

test("counters that grew tell what was dropped, and nothing that went back tells anything", () => {
  expect(compareCounters(stats({ dropped: 3 }), stats({ dropped: 10 }))).toEqual({
    kind: "known",
    dropped: 7,
  });
  // Connections come and go.
  expect(compareCounters(stats({ connections: 9 }), stats()).kind).toBe("known");
  expect(compareCounters(stats({ received: 2 }), stats({ dropped: 5 })).kind).toBe("decreased");
  expect(compareCounters(stats(), null).kind).toBe("unanswered");
  const collected = (majorCollections: number) => stats({ majorCollections });
  expect(compareCounters(collected(3), collected(5))).toMatchObject({ kind: "known", majorCollections: 2 });
  expect(compareCounters(stats(), collected(5))).toEqual({ kind: "known", dropped: 0 });
  expect(compareCounters(collected(5), collected(3))).toMatchObject({ counter: "majorCollections" });
});

test("the collector's share is of the CPU time that was spent meanwhile, where its runtime tells", () => {
  const grown = compareCounters(stats({ collectorMs: 100 }), stats({ collectorMs: 150 }));
  expect(describeCollector(grown, 200)).toEqual({ collectorCpuShare: 0.25 });
  // A runtime's own clock may count more than the kernel.
  expect(describeCollector(grown, 40)).toEqual({ collectorCpuShare: 1 });
  for (const cpuMs of [null, 0]) expect(describeCollector(grown, cpuMs)).toEqual({});
  expect(describeCollector(compareCounters(stats(), stats({ collectorMs: 5 })), 200)).toEqual({});
  expect(describeCollector(null, 200)).toEqual({});
});

function stats(changes: Partial<ServerStats> = {}): ServerStats {
  return { connections: 0, received: 0, sent: 0, dropped: 0, ...changes };
}
