import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { exitCodes } from "../../src/errors.ts";
import { parseCsv } from "../../src/text/csv.ts";
import { attackLineSchema, runLineSchema } from "../../src/views/ndjson/line.ts";
import { small } from "../attack/attack.ts";
import {
  runFixtures,
  showdown,
  showdownCommand,
  showdownUnder,
  temporaryFolder,
} from "../showdown/showdown.ts";
import { startEcho } from "./echo-server.ts";

setDefaultTimeout(120_000);
const folder = temporaryFolder();
const results = join(folder, "results");
let echo: ReturnType<typeof startEcho>;
beforeAll(() => {
  echo = startEcho();
});
afterAll(async () => {
  await echo.stop();
  rmSync(folder, { recursive: true });
});

const lines = (text: string): unknown[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
const sum = (list: readonly number[]) => list.reduce((all, one) => all + one, 0);

test.concurrent("an attack on stdout, to a reader that takes its time: each second once, and they add up to its account", async () => {
  const slowly = ["sh", "-c", '"$@" | (sleep 3; cat)', "sh"];
  const csv = join(folder, "attack.csv");
  const load = [...small, "--rate", "400", "--duration", "2s"];
  const options = [...load, "--results", results, "--out", csv, "--ndjson", "-"];
  const { stdout, stderr } = await showdownUnder(slowly, "attack", echo.url, ...options);
  const all = lines(stdout).map((line) => attackLineSchema.parse(line));
  expect(all[0]).toMatchObject({ kind: "attack", url: echo.url, seconds: 2 });
  expect(all.find(({ kind }) => kind === "connections")).toBeDefined();
  const seconds = all.filter((line) => line.kind === "second");
  expect(seconds.map(({ second }) => second)).toEqual(seconds.map((_, at) => at));
  expect(seconds.length).toBeGreaterThanOrEqual(2);
  const end = all.at(-1);
  if (end?.kind !== "attack-ended") throw new Error(`the last line is ${JSON.stringify(end)}`);
  expect(end.messages.sent).toBe(800);
  expect(sum(seconds.map(({ sent }) => sent))).toBe(end.messages.sent);
  expect(sum(seconds.map(({ answered }) => answered))).toBe(end.messages.answered);
  expect(seconds[0]).toMatchObject({ open: 4, errors: 0 });
  // What a person reads is elsewhere.
  expect(stderr).toContain(echo.url);

  const [header = [], ...rows] = parseCsv(readFileSync(csv, "utf8"));
  const answered = header.indexOf("answered");
  expect(sum(rows.map((row) => Number(row[answered])))).toBe(end.messages.answered);
  const reported = await showdown("report", end.id, "--results", results, "--csv", folder);
  expect(reported.exitCode, reported.stderr).toBe(exitCodes.ok.code);
  const [names = [], figures = []] = parseCsv(readFileSync(join(folder, "attack.csv"), "utf8"));
  expect(figures[names.indexOf("messages_answered")]).toBe(`${end.messages.answered}`);
  expect(figures).toHaveLength(names.length);
});

test.concurrent("a reader that goes away ends an attack gently, and nothing is said of it", async () => {
  const command = showdownCommand(
    "attack",
    echo.url,
    "--duration",
    "60s",
    "--results",
    results,
    "--ndjson",
    "-",
  );
  const code = join(folder, "code");
  const err = join(folder, "err");
  const script = `{ "$@" 2> "${err}"; echo $? > "${code}"; } | head -3`;
  const child = Bun.spawn(["sh", "-c", script, "sh", ...command], { stdin: "ignore", stdout: "pipe" });
  const read = lines(await new Response(child.stdout).text());
  await child.exited;
  expect(read).toHaveLength(3);
  expect(Number(readFileSync(code, "utf8"))).toBe(exitCodes.pipeClosed.code);
  expect(readFileSync(err, "utf8")).not.toContain("EPIPE");
});

test.concurrent("a run in a file, with a live page beside it: its progress, each phase's measures, and what may be concluded", async () => {
  const file = join(folder, "deep", "run.ndjson");
  const options = ["--phases", "connect,burst-echo", "--ndjson", file, "--live"];
  const { result, stderr } = await runFixtures(["clean"], ...options);
  expect(stderr).toMatch(/^Live page: http:\/\/127\.0\.0\.1:\d+\/$/m);
  const all = lines(readFileSync(file, "utf8")).map((line) => runLineSchema.parse(line));
  expect(all[0]).toMatchObject({ kind: "run", id: result.id, phases: ["connect", "burst-echo"] });
  const [, burst] = all.filter((line) => line.kind === "phase-ended");
  expect(burst).toMatchObject({ contender: "clean", round: 1, phase: "burst-echo", status: "ok" });
  const kept = result.rounds[0]?.phases[1];
  if (kept?.kind !== "burst" || kept.status === "not-run") throw new Error("no burst: expected one");
  expect(burst?.measures).toMatchObject({ latency_p99_us: kept.latencyUs.p99 });
  expect(all.some(({ kind }) => kind === "progress")).toBe(true);
  expect(all.filter(({ kind }) => kind === "judgement")).toHaveLength(result.judgements.length);
  expect(all.at(-1)).toMatchObject({ kind: "run-ended", id: result.id, status: "finished" });
});

test.concurrent("what can't be is refused before there is any load", async () => {
  const both = await showdown("attack", echo.url, "--json", "--ndjson", "-", "--results", results);
  expect(both.exitCode).toBe(exitCodes.usage.code);
  expect(both.stderr).toContain("--ndjson - and --json");
  const nowhere = await showdown("attack", echo.url, "--ndjson", "/dev/null/x", "--results", results);
  expect(nowhere.exitCode).toBe(exitCodes.writing.code);
  expect(nowhere.stderr).toContain("--ndjson");
});
