import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  accountsOf,
  type EndedRun,
  expectBalanced,
  findingsOf,
  loadPhase,
  longestMs,
  roundOf,
  runFixtures,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

/** Deliveries are counted from the readiness check's echo on, which is the first: the n-th of a burst is the n + 1st. */
let everyThousandth: EndedRun;
const onEveryThousandth = [
  "drops-declared",
  "duplicates-one",
  "flips-a-byte",
  "flips-a-seq-digit",
  "malformed-one",
] as const;

beforeAll(async () => {
  // 2,200 deliveries in each burst and 1,000 in endurance, so that the fault strikes 2, 2 and 1 times, and
  // never at the edge of a phase.
  everyThousandth = await runFixtures(onEveryThousandth, "--messages", "44");
}, longestMs);

function expectOnly(contender: (typeof onEveryThousandth)[number], finding: string): void {
  const round = roundOf(everyThousandth, contender);
  expectBalanced(round);
  expect(round).toMatchObject({ status: "ok", reason: null });
  expect(findingsOf(round)).toEqual([
    ["burst-echo", finding, 2],
    ["burst-broadcast", finding, 2],
    ["endurance-echo", finding, 1],
  ]);
}

function totals(contender: (typeof onEveryThousandth)[number]) {
  return accountsOf(roundOf(everyThousandth, contender));
}

/** What arrived with other bytes is no delivery, so the one that was meant is lost. */
function expectCorrupted(contender: (typeof onEveryThousandth)[number]): void {
  const round = roundOf(everyThousandth, contender);
  expectBalanced(round);
  expect(round).toMatchObject({ status: "ok", reason: null });
  expect(findingsOf(round)).toEqual([
    ["burst-echo", "lost", 2],
    ["burst-echo", "corrupted", 2],
    ["burst-broadcast", "lost", 2],
    ["burst-broadcast", "corrupted", 2],
    ["endurance-echo", "lost", 1],
    ["endurance-echo", "corrupted", 1],
  ]);
}

test("faults in deliveries are no failure of the run", () => {
  expect(everyThousandth.exitCode).toBe(0);
});

test("declared drops are lost, and are called dropped", () => {
  expectOnly("drops-declared", "dropped");
  expect(totals("drops-declared").map(({ lost, declaredDropped }) => [lost, declaredDropped])).toEqual([
    [2, 2],
    [2, 2],
    [1, 1],
  ]);
});

test("duplicates are counted, and not as deliveries", () => {
  expectOnly("duplicates-one", "duplicated");
  expect(totals("duplicates-one").map(({ delivered, lost }) => [delivered, lost])).toEqual([
    [2200, 0],
    [2200, 0],
    [1000, 0],
  ]);
});

test("a flipped bit in the text is corrupted, and stands for no delivery", () => {
  expectCorrupted("flips-a-byte");
  expect(totals("flips-a-byte").map(({ lost }) => lost)).toEqual([2, 2, 1]);
});

test("a flipped digit of seq is corrupted, and does not pass for another message", () => {
  expectCorrupted("flips-a-seq-digit");
  for (const messages of totals("flips-a-seq-digit")) {
    expect(messages).toMatchObject({ duplicated: 0, reordered: 0, late: 0, misrouted: 0 });
  }
});

test("corrupted deliveries are not in throughput and latency", () => {
  const round = roundOf(everyThousandth, "flips-a-byte");
  for (const name of ["burst-echo", "burst-broadcast", "endurance-echo"]) {
    const { latencyUs, messages } = loadPhase(round, name);
    expect(latencyUs.count).toBe(messages.delivered);
    expect(messages.corrupted).toBeGreaterThan(0);
  }
});

test("messages that are none are malformed", () => {
  expectOnly("malformed-one", "malformed");
});

test("undeclared losses are found to the last one", async () => {
  // The 10,000th delivery is in the first burst, the 20,000th in the second.
  const run = await runFixtures(["drops-one-in-10000"], "--messages", "200");
  const round = roundOf(run, "drops-one-in-10000");
  expectBalanced(round);
  expect(findingsOf(round)).toEqual([
    ["burst-echo", "lost", 1],
    ["burst-broadcast", "lost", 1],
  ]);
  expect(loadPhase(round, "burst-echo").messages).toMatchObject({
    expected: 10_000,
    lost: 1,
    declaredDropped: 0,
  });
  expect(round.status).toBe("ok");
});

test("swapped and coalesced deliveries are counted exactly", async () => {
  // One sender: its next message to the same receiver is always 50 deliveries later. So a strike takes 550
  // deliveries, of which 15,001 have passed at the burst's end: 27 strikes, and 151 towards the next; then
  // endurance has one at its 399th and one at its 949th delivery.
  const run = await runFixtures(
    ["swaps-two", "coalesces-undeclared"],
    "--phases=connect,burst-broadcast,endurance-echo",
    "--messages=300",
    "--senders=1",
  );
  const swaps = roundOf(run, "swaps-two");
  expectBalanced(swaps);
  expect(findingsOf(swaps)).toEqual([
    ["burst-broadcast", "reordered", 27],
    ["endurance-echo", "reordered", 2],
  ]);
  expect(loadPhase(swaps, "burst-broadcast").messages).toMatchObject({ delivered: 15_000, lost: 0 });

  const coalesces = roundOf(run, "coalesces-undeclared");
  expectBalanced(coalesces);
  expect(findingsOf(coalesces)).toEqual([
    ["burst-broadcast", "undeclared-batching", 27],
    ["endurance-echo", "undeclared-batching", 2],
  ]);
  expect(loadPhase(coalesces, "burst-broadcast").messages).toMatchObject({
    delivered: 15_000,
    frames: 14_973,
  });
});

test("a delivery that comes in another phase, of another workload, is late there and lost here", async () => {
  const phases = "connect,burst-echo,burst-broadcast,endurance-broadcast";
  const run = await runFixtures(["holds-one-1700-ms"], "--phases", phases, "--endurance-seconds", "3");
  const round = roundOf(run, "holds-one-1700-ms");
  expectBalanced(round);
  expect(findingsOf(round)).toEqual([
    ["burst-echo", "lost", 1],
    ["endurance-broadcast", "late", 1],
  ]);
  expect(loadPhase(round, "endurance-broadcast").messages).toMatchObject({ lost: 0, corrupted: 0, late: 1 });
});

test("a counter that goes back is unknown, is told, and the result can be read", async () => {
  // 601 messages are counted before the second phase, in which the 700th is.
  const run = await runFixtures(
    ["counts-back"],
    ...["--phases", "connect,burst-echo,endurance-echo", "--messages", "12", "--endurance-rate", "300"],
  );
  const round = roundOf(run, "counts-back");
  expect(findingsOf(round)).toEqual([["endurance-echo", "counter-decreased", 1]]);
  const { status, messages, findings } = loadPhase(round, "endurance-echo");
  expect(status).toBe("ok");
  expect(messages).toMatchObject({ delivered: 300, lost: 0, declaredDropped: null });
  expect(findings).toMatchObject([{ counter: "received", from: 601 }]);
});
