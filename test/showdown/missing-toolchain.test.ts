import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, roundOf, runFixtures, showdown, smokeRun, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("who lacks a toolchain is listed as not run, and the others go on", async () => {
  const root = temporaryFolder();
  try {
    const folder = join(root, "needs-a-wand");
    mkdirSync(folder);
    const manifest = {
      title: "needs a tool that nobody has",
      language: "Spell",
      library: "none",
      approach: "raw",
      routing: "parse",
      framing: "single",
      slowConsumer: "block",
      requires: [{ tool: "wand-of-websockets", version: ["wand-of-websockets", "--version"], install: {} }],
      start: ["wand-of-websockets"],
    };
    writeFileSync(join(folder, "contender.json"), JSON.stringify(manifest));
    const options = ["--contenders", root, "--no-install"];

    const run = await runFixtures(["needs-a-wand", "clean"], ...options, "--phases", "connect,burst-echo");
    expect(run.exitCode).toBe(0);
    expect(roundOf(run, "clean").status).toBe("ok");
    expect(run.result.rounds).toHaveLength(1);
    const [missing, clean] = run.result.contenders;
    expect(missing?.notRun).toEqual({
      kind: "toolchain-missing",
      tools: [{ tool: "wand-of-websockets", minimum: null, found: null }],
    });
    expect(clean?.notRun).toBeNull();
    expect(run.stderr).toMatch(
      /needs-a-wand is not run: toolchain missing: .*; to get it: install wand-of-websockets and put it on PATH/,
    );

    const alone = await showdown(...smokeRun, ...options, "--results", join(root, "results"), "needs-a-wand");
    expect(alone).toMatchObject({ exitCode: 10, stdout: "" });
  } finally {
    rmSync(root, { recursive: true });
  }
});
