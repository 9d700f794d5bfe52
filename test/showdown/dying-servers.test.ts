import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { Round } from "../../src/result/schema.ts";
import {
  type EndedRun,
  expectBalanced,
  findingsOf,
  loadPhase,
  longestMs,
  phaseOf,
  roundOf,
  runFixtures,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

let run: EndedRun;
beforeAll(async () => {
  run = await runFixtures(
    [
      "crashes-in-burst",
      "hangs-in-burst",
      "never-ready",
      "exits-at-start",
      "late-listener",
      "ignores-sigterm",
      "clean",
    ],
    // Twice the 500 messages after which crash and hang strike.
    "--messages",
    "20",
  );
}, longestMs);

test("the run goes on to its end, and its exit code says that a contender failed", () => {
  expect(run.exitCode).toBe(6);
  expect(run.result).toMatchObject({ status: "finished", finishedAt: expect.any(String) });
  expect(roundOf(run, "clean")).toMatchObject({ status: "ok", output: null });
  expect(findingsOf(roundOf(run, "clean"))).toEqual([]);
});

test("a crash is told with the exit code and the server's last words, and what follows is not run", () => {
  const round = roundOf(run, "crashes-in-burst");
  expectBalanced(round);
  const reason = { kind: "server-exited", exit: { code: 3, signal: null }, connections: null } as const;
  expect(round).toMatchObject({ status: "failed", reason, reasonPhase: 1, shutdown: null });
  expect(round.output?.trim().split("\n").at(-1)).toBe("fatal: crashed after 500 messages, as told");
  const burst = loadPhase(round, "burst-echo");
  expect(burst).toMatchObject({ status: "failed", reason, throughput: null });
  expect(burst.messages.delivered).toBeLessThan(500);
  for (const name of ["burst-broadcast", "endurance-echo"]) {
    expect(phaseOf(round, name)).toMatchObject({
      status: "not-run",
      reason: { kind: "earlier-phase", phase: 1 },
    });
  }
});

test("a hang is told as one, and is no crash", () => {
  const round = roundOf(run, "hangs-in-burst");
  expectBalanced(round);
  expect(round.output).toContain("hanging from here, after 500 messages");
  const burst = loadPhase(round, "burst-echo");
  const missing = burst.messages.expected - burst.messages.delivered;
  expect(burst).toMatchObject({ status: "failed", throughput: null });
  expect(burst.reason).toEqual({ kind: "server-hung", quietMs: 1000, missing });
  expect(round).toMatchObject({ status: "failed", reason: burst.reason, shutdown: { graceful: true } });
});

test("a server that never gets ready is told, and no phase is run", () => {
  const round = roundOf(run, "never-ready");
  expect(round).toMatchObject({ status: "failed", reasonPhase: null, readyMs: null, phases: [] });
  expect(problemOf(round)).toMatch(
    /^contender "never-ready": not ready on 127\.0\.0\.1:\d+ within 3 s; the last attempt: no answer to the handshake$/,
  );
});

test("a server that exits at its start is told with what it printed", () => {
  const round = roundOf(run, "exits-at-start");
  expect(round).toMatchObject({ status: "failed", phases: [] });
  expect(problemOf(round)).toMatch(/^contender "exits-at-start": exited with code 1 before it was ready/);
  expect(round.output).toContain("fatal: can't open /etc/chat.conf: no such file");
});

function problemOf({ reason }: Round): string {
  return reason?.kind === "server-not-ready" ? reason.problem : "";
}

test("a server that listens late is waited for, and is clean", () => {
  const round = roundOf(run, "late-listener");
  expect(round).toMatchObject({ status: "ok", shutdown: { graceful: true } });
  expect(round.readyMs).toBeGreaterThanOrEqual(2000);
  expect(findingsOf(round)).toEqual([]);
});

test("a server that ignores SIGTERM is killed, and that is told", () => {
  const round = roundOf(run, "ignores-sigterm");
  expect(round.status).toBe("ok");
  expect(findingsOf(round)).toEqual([]);
  expect(round.shutdown?.graceful).toBe(false);
  // Five seconds of grace.
  expect(round.shutdown?.exitMs).toBeGreaterThanOrEqual(5000);
});
