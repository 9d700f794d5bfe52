import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { z } from "zod";
import { exitCodes } from "../../errors.ts";

setDefaultTimeout(30_000);
const main = join(import.meta.dir, "..", "main.ts");

function run(command: readonly string[], env: Record<string, string> = {}) {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    stdin: "ignore",
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  return { exitCode, out: `${stdout}`, err: `${stderr}` };
}
const doctor = (...args: readonly string[]) => run([process.execPath, main, "doctor", ...args]);

const outputSchema = z.object({
  plan: z.object({ preset: z.string(), connections: z.number() }),
  capacity: z.object({ connections: z.number(), stoppedBy: z.string() }).nullable(),
  fits: z.boolean(),
  checks: z.array(
    z.object({
      check: z.string(),
      state: z.enum(["ok", "tight", "insufficient", "unknown"]),
      values: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
      holds: z.number().nullable(),
      commands: z.array(z.string()),
    }),
  ),
});

test("--json is one line on stdout with the facts of every check", () => {
  const { exitCode, out } = doctor("--preset", "article", "--json");
  expect(exitCode).toBe(0);
  expect(out.trim().split("\n")).toHaveLength(1);
  const { plan, checks, fits, capacity } = outputSchema.parse(JSON.parse(out));
  expect(plan).toMatchObject({ preset: "article", connections: 25_000 });
  const ids = checks.map(({ check }) => check);
  for (const id of [
    "server-descriptors",
    "generator-descriptors",
    "port-range",
    "memory",
    "backlog",
    "cores",
    "noise",
  ]) {
    expect(ids).toContain(id);
  }
  expect(fits).toBe(!checks.some(({ state }) => state === "insufficient"));
  if (capacity !== null) expect(capacity.connections >= plan.connections).toBe(fits);
});

test("the text says what stops first, all checks, and the commands for those that are bad", () => {
  // Under a limit of its own, so that the answer is known on every machine.
  const { exitCode, out } = run([
    "sh",
    "-c",
    `ulimit -n 3000 && exec "${process.execPath}" "${main}" doctor --preset article --no-pin`,
  ]);
  expect(exitCode).toBe(0);
  const text = out.replaceAll(/\s+/g, " ");
  expect(text).toContain("Plan article: 25,000 connections");
  expect(text).toContain(
    "This machine can hold 2,936 connections to a single-process server. The limit is the server's descriptor limit (3,000, hard 3,000).",
  );
  expect(text).toContain("The plan's 25,000 do not fit: use `--connections 2936`.");
  for (const title of ["Server's descriptors", "Local ports", "Accept queue", "Memory", "Noise"]) {
    expect(out).toMatch(new RegExp(`^  ${title} .*(ok|tight|insufficient|unknown)`, "m"));
  }
  expect(out).toContain("    ulimit -n 100000\n");
  expect(text).toContain("docs/tuning.md shows how to keep them.");
});

test("it takes every parameter of the plan, and a contender has to exist", () => {
  expect(doctor("--p99-limit", "50", "--capacity-seconds", "1").exitCode).toBe(exitCodes.ok.code);
  expect(doctor("no-such-contender")).toMatchObject({ exitCode: exitCodes.unknownContender.code });
});
