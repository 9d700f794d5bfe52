import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type EndedRun,
  longestMs,
  ranPhase,
  roundOf,
  runFixtures,
  runResultsUnder,
  writeContenders,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

const closing = writeContenders({
  // After the echo that proves it.
  closing: { FAULT: "close-connection", FAULT_EVERY: "100", FAULT_AFTER: "1" },
});
afterAll(() => rmSync(closing, { recursive: true }));

const held = ["--phases", "connect", "--hold-seconds", "0.5"];

function connectOf(run: EndedRun, contender: string) {
  const phase = ranPhase(roundOf(run, contender), "connect");
  if (phase.kind !== "connect") throw new Error("no connect phase");
  return phase;
}

test("each connection echoes before and after it was held", async () => {
  const run = await runFixtures(["clean"], ...held, "--connections", "300", "--workers", "2");
  expect(run.exitCode).toBe(0);
  const { status, hold, connections } = connectOf(run, "clean");
  expect({ status, open: connections.open }).toEqual({ status: "ok", open: 300 });
  const sweep = { open: 300, sent: 300, answered: 300, died: 0, deaths: [] };
  expect(hold).toMatchObject({ seconds: 0.5, sweeps: [sweep, sweep] });
  expect(run.stderr).toContain("300 of 300 connections answered an echo of their own, 300 after 0.5 s");
});

test("who dies while connections are held is counted, with the reason", async () => {
  const run = await runFixtures(["closing"], ...held, "--connections", "300", "--contenders", closing);
  const { hold, connections } = connectOf(run, "closing");
  expect(connections).toMatchObject({ opened: 300, open: 297, died: 3 });
  expect(connections.deaths.reduce((all, { count }) => all + count, 0)).toBe(3);
  for (const { failure } of connections.deaths) expect(failure.kind).toBeOneOf(["ended", "reset"]);
  const [before, after] = hold?.sweeps ?? [];
  expect(before).toMatchObject({ open: 300, answered: 300 });
  expect((before?.died ?? 0) + (after?.died ?? 0)).toBe(3);
  expect(after).toMatchObject({ answered: 297 });
  expect(run.stderr).toContain("3 connections died");
});

const limit = 300;
/** A shell that may open few files, and whatever it becomes. */
const few = ["bash", "-c", `ulimit -Sn ${limit} && ulimit -Hn ${limit} && exec "$@"`, "bash"];
const isBuilt = existsSync(join(import.meta.dir, "../../contenders/bun-native/dist/server"));

describe.skipIf(process.platform !== "linux")("more connections than a process has descriptors", () => {
  test.skipIf(!isBuilt)("workers multiply, and server processes where they can share a port", async () => {
    const run = await runResultsUnder(
      few,
      ...["run", "bun-native", "--preset", "smoke", "--no-verify", "--keep-invalid", "--json"],
      ...[...held, "--connections", "700", "--error-threshold", "5"],
    );
    expect(run.exitCode).toBe(0);
    const { plan } = run.result;
    expect(plan.workers).toBe(4);
    expect(plan.entrants).toEqual([{ contender: "bun-native", variant: "default", processes: 5 }]);
    const { hold, limit: met, connections, server } = connectOf(run, "bun-native");
    expect(met).toBeNull();
    expect(connections).toMatchObject({ opened: 700, open: 700 });
    expect(hold?.sweeps.map(({ answered }) => answered)).toEqual([700, 700]);
    // The first starts the others, and serves nobody.
    expect(server.processes).toBe(6);
    expect(run.stderr).toContain("bun-native ran as 5 processes");
  });
});
