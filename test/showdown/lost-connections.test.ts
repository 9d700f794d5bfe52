import { expect, setDefaultTimeout, test } from "bun:test";
import { expectBalanced, findingsOf, longestMs, phaseOf, roundOf, runFixtures } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("refused connections are named as the limit, and the rest goes on with those that are open", async () => {
  const run = await runFixtures(["refuses-after-50"], "--connections", "60");
  expect(run.exitCode).toBe(0);
  const round = roundOf(run, "refuses-after-50");
  expectBalanced(round);
  expect(findingsOf(round)).toEqual([["connect", "limit", 10]]);
  const connect = phaseOf(round, "connect");
  expect(connect.limit).toMatchObject({ name: "refused", value: null });
  expect(connect.limit?.text).toContain("50 of 60 connections opened");
  expect(connect.connections).toMatchObject({
    requested: 60,
    opened: 50,
    failed: 10,
    failedByReason: { "handshake refused: HTTP 503": 10 },
  });
  expect(phaseOf(round, "burst-echo").messages).toMatchObject({ planned: 500, delivered: 500 });
});

test("connections that the server closes are counted, with what was owed to them", async () => {
  // The readiness check's was the first connection, so the 100th and the 200th are among these.
  const run = await runFixtures(["closes-one-in-100"], "--connections", "200");
  expect(run.exitCode).toBe(0);
  const round = roundOf(run, "closes-one-in-100");
  expectBalanced(round);
  const burst = phaseOf(round, "burst-echo");
  expect(burst.connections).toMatchObject({ opened: 200, died: 2, failedByReason: expect.any(Object) });
  expect(findingsOf(round).filter(([, kind]) => kind === "closed")).toEqual([["burst-echo", "closed", 2]]);
  // Each was closed after 8 of its 10 messages. How many of the other two were still sent is chance.
  const { lost, lostOnClosed, unsent } = burst.messages ?? { lost: -1, lostOnClosed: 0, unsent: 0 };
  expect(lost).toBe(lostOnClosed);
  expect(lost + unsent).toBe(4);
  for (const name of ["burst-broadcast", "endurance-echo"]) {
    const later = phaseOf(round, name);
    expect(later.connections).toMatchObject({ opened: 198, died: 0 });
    expect(later.messages).toMatchObject({ lost: 0, unsent: 0 });
    expect(later.findings).toEqual([]);
  }
});

test("a masked frame fails its connection, as RFC 6455 section 5.1 asks, and the error is named", async () => {
  const run = await runFixtures(["masks-frames"], "--phases", "connect,burst-echo");
  const round = roundOf(run, "masks-frames");
  expectBalanced(round);
  const burst = phaseOf(round, "burst-echo");
  expect(burst.connections).toMatchObject({
    died: 1,
    failedByReason: { "protocol error: masked server frame": 1 },
  });
  const closed = burst.findings.find(({ kind }) => kind === "closed");
  expect(closed?.text).toContain("1 × protocol error: masked server frame");
  expect(burst.messages?.lost).toBe(burst.messages?.lostOnClosed);
});
