import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { cpus } from "node:os";
import {
  longestMs,
  readResult,
  runResults,
  showdown,
  smokeRun,
  temporaryFolder,
  writeContenders,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

/** The same server twice, once with four times as much work. */
const folder = writeContenders({
  plain: { FAULT: "none" },
  slower: { FAULT: "slow", SLOWDOWN_PERCENT: "300" },
});
const plan = ["--phases", "connect,burst-echo", "--messages", "400"] as const;
afterAll(() => rmSync(folder, { recursive: true }));

test("a server with four times as much work is told apart, at looks planned after the first round", async () => {
  const { result, exitCode, stderr } = await runResults(
    ...smokeRun,
    ...["--contenders", folder],
    ...plan,
    ...["--until", "50", "--max-minutes", "0.25", "plain", "slower"],
  );
  expect(exitCode).toBe(0);
  const { looks, judgements } = result;
  const cost = judgements.find(({ measure }) => measure === "cpu-per-delivery");
  expect(cost).toMatchObject({ outcome: "leads", best: ["plain"] });
  expect(looks?.planned[0]).toBe(3);
  expect(looks?.taken).toEqual(looks?.planned.slice(0, looks.taken.length));
  expect(Math.max(...result.rounds.map(({ round }) => round))).toBe(looks?.taken.at(-1) ?? 0);
  expect(looks?.ended).toBe(looks?.pairs === looks?.decided ? "decided" : "time");
  expect(stderr).toContain("after 3 rounds of at most");
});

/** It takes a CPU for the server alone, to take a share of it, and a server that is slower than the generator. */
test.skipIf(cpus().length < 2)(
  "a calibration puts a copy with half of the CPU beside two that are the same, and looks as planned",
  async () => {
    const results = temporaryFolder();
    const ended = await showdown(
      // A server that has enough to do for half of its CPU to matter.
      ...["calibrate", "slower", "--json", "--handicap", "50", "--until", "60"],
      ...["--preset", "smoke", "--keep-invalid", "--contenders", folder, "--results", results],
      ...["--max-minutes", "1.5"],
      ...plan,
    );
    const { looks } = readResult(results) ?? { looks: null };
    rmSync(results, { recursive: true });
    // How often it errs, one way or the other, is for bench/ to tell and not for one run on a busy machine.
    const { slowed, rounds, mostRounds } = JSON.parse(ended.stdout);
    const pairs = slowed.map(({ first, second }: Record<string, string>) => [first, second].sort().join(" "));
    expect(pairs.sort()).toEqual(["again slowed", "first slowed"]);
    expect(looks?.ended).toBe(looks?.decided === 3 ? "decided" : "time");
    expect(rounds).toBeLessThanOrEqual(mostRounds);
  },
);
