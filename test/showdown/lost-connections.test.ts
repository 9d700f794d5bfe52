import { expect, setDefaultTimeout, test } from "bun:test";
import { mostFailureReasons } from "../../src/engine/failure-tally.ts";
import {
  expectBalanced,
  findingsOf,
  loadPhase,
  longestMs,
  ranPhase,
  roundOf,
  runFixtures,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

test("refused connections are named as the limit, and the rest goes on with those that are open", async () => {
  const run = await runFixtures(["refuses-after-50"], "--connections", "60");
  expect(run.exitCode).toBe(0);
  const round = roundOf(run, "refuses-after-50");
  expectBalanced(round);
  expect(findingsOf(round)).toEqual([["connect", "limit", 10]]);
  const failure = { kind: "http", status: 503 };
  expect(ranPhase(round, "connect")).toMatchObject({
    limit: { kind: "refused", failure },
    connections: { requested: 60, opened: 50, open: 50, failed: 10, failures: [{ failure, count: 10 }] },
  });
  expect(loadPhase(round, "burst-echo").messages).toMatchObject({ planned: 500, delivered: 500 });
});

test("connections that the server closes are counted, with what was owed to them", async () => {
  // The readiness check's was the first connection, so the 100th and the 200th are among these.
  const run = await runFixtures(["closes-one-in-100"], "--connections", "200");
  expect(run.exitCode).toBe(0);
  const round = roundOf(run, "closes-one-in-100");
  expectBalanced(round);
  const burst = loadPhase(round, "burst-echo");
  expect(burst.connections).toMatchObject({ open: 200, died: 2 });
  // A client that is still sending when the server closes TCP sees a reset.
  for (const { failure } of burst.connections.failures) expect(failure.kind).toBeOneOf(["ended", "reset"]);
  expect(burst.connections.failures.reduce((all, { count }) => all + count, 0)).toBe(2);
  expect(findingsOf(round).filter(([, kind]) => kind === "closed")).toEqual([["burst-echo", "closed", 2]]);
  // Each was closed after 8 of its 10 messages. How many of the other two were still sent is chance.
  const { lost, lostOnClosed, unsent } = burst.messages;
  expect(lost).toBe(lostOnClosed);
  expect(lost + unsent).toBe(4);
  for (const name of ["burst-broadcast", "endurance-echo"]) {
    const later = loadPhase(round, name);
    expect(later.connections).toMatchObject({ open: 198, died: 0 });
    expect(later.messages).toMatchObject({ lost: 0, unsent: 0 });
    // A silence may be the machine's.
    expect(later.findings.filter(({ kind }) => kind !== "stall")).toEqual([]);
  }
});

test("a masked frame fails its connection, as RFC 6455 section 5.1 asks, and the error is named", async () => {
  const run = await runFixtures(["masks-frames"], "--phases", "connect,burst-echo");
  const round = roundOf(run, "masks-frames");
  expectBalanced(round);
  const burst = loadPhase(round, "burst-echo");
  const failures = [{ failure: { kind: "protocol", rule: expect.stringContaining("mask") }, count: 1 }];
  expect(burst.connections).toMatchObject({ died: 1, failures });
  expect(burst.findings.find(({ kind }) => kind === "closed")).toMatchObject({ count: 1, failures });
  expect(burst.messages.lost).toBe(burst.messages.lostOnClosed);
});

test("reasons that are all different are grouped, whatever the server thinks of", async () => {
  const run = await runFixtures(
    ["closes-with-reasons"],
    ...["--phases", "connect,burst-echo", "--workers", "2", "--error-threshold", "100"],
  );
  const { connections } = loadPhase(roundOf(run, "closes-with-reasons"), "burst-echo");
  expect(connections.died).toBe(50);
  expect(connections.failures).toHaveLength(mostFailureReasons);
  expect(connections.failures.reduce((all, { count }) => all + count, 0)).toBe(50);
  expect(connections.failures.at(-1)).toEqual({ failure: { kind: "other", distinct: 39 }, count: 39 });
  expect(connections.failures[0]?.failure).toMatchObject({ kind: "close", code: 4000 });
});

test("connections that the server closes while others connect are not open at the end", async () => {
  const run = await runFixtures(
    ["closes-while-connecting"],
    // A batch at a time, so that there is time for the first to be closed before the last is open.
    ...["--connections", "400", "--connect-batch", "2", "--phases", "connect,burst-echo"],
  );
  const round = roundOf(run, "closes-while-connecting");
  const connect = ranPhase(round, "connect");
  if (connect.kind !== "connect") throw new Error("no connect phase");
  const { opened, open, died, failed, deaths } = connect.connections;
  expect({ opened, failed }).toEqual({ opened: 400, failed: 0 });
  expect(open + died).toBe(400);
  // The readiness check's was the first: 40 of the 401 are closed, the last of them perhaps a little later.
  expect(died).toBeWithin(20, 41);
  expect(deaths).toEqual([{ failure: { kind: "close", code: 1001, reason: "no room" }, count: died }]);
  expect(loadPhase(round, "burst-echo").connections.open).toBe(open);
});
