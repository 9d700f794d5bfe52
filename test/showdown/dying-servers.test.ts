import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  type EndedRun,
  expectBalanced,
  findingsOf,
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
  expect(round.status).toBe("failed");
  expect(round.reason).toContain("burst echo: crashed: the server exited with code 3");
  expect(round.output?.trim().split("\n").at(-1)).toBe("fatal: crashed after 500 messages, as told");
  expect(round.shutdown).toBeNull();
  const burst = phaseOf(round, "burst-echo");
  expect(burst).toMatchObject({ status: "failed", throughput: null, rate: null });
  expect(burst.reason).toContain("exited with code 3");
  expect(burst.messages?.delivered).toBeLessThan(500);
  for (const name of ["burst-broadcast", "endurance-echo"]) {
    const later = phaseOf(round, name);
    expect(later).toMatchObject({ status: "failed", messages: null, throughput: null });
    expect(later.reason).toStartWith("not run: after burst echo: crashed: the server exited with code 3");
  }
});

test("a hang is told as one, and is no crash", () => {
  const round = roundOf(run, "hangs-in-burst");
  expectBalanced(round);
  expect(round.status).toBe("failed");
  expect(round.output).toContain("hanging from here, after 500 messages");
  const burst = phaseOf(round, "burst-echo");
  expect(burst).toMatchObject({ status: "failed", throughput: null });
  expect(burst.reason).toMatch(
    /^hung: nothing arrived for 1 s while \d+ deliveries were owed, after \d+ deliveries$/,
  );
  expect(round.shutdown).toMatchObject({ graceful: true });
});

test("a server that never gets ready is told, and no phase is run", () => {
  const round = roundOf(run, "never-ready");
  expect(round).toMatchObject({ status: "failed", readyMs: null, phases: [] });
  expect(round.reason).toMatch(
    /^contender "never-ready": not ready on 127\.0\.0\.1:\d+ within 3 s; the last attempt: no answer to the handshake$/,
  );
});

test("a server that exits at its start is told with what it printed", () => {
  const round = roundOf(run, "exits-at-start");
  expect(round).toMatchObject({ status: "failed", phases: [] });
  expect(round.reason).toMatch(/^contender "exits-at-start": exited with code 1 before it was ready/);
  expect(round.output).toContain("fatal: can't open /etc/chat.conf: no such file");
});

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
