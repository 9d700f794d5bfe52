import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, showdown, showdownCommand, temporaryFolder } from "../showdown/showdown.ts";
import { attack, small } from "./attack.ts";
import { echo, type serve, start, stopServers } from "./servers.ts";

setDefaultTimeout(longestMs);

afterAll(stopServers);

test.concurrent("--abort-on ends a load as soon as it is true, and what was measured is kept", async () => {
  const slow: Parameters<typeof serve>[0] = (socket, message) =>
    void setTimeout(() => socket.send(message), 60);
  const url = start(slow);
  const load = ["--connections", "4", "--rate", "400", "--duration", "60s"];
  const { result, exitCode } = await attack(url, ...load, "--abort-on", "latency.p50 > 50ms");
  expect(exitCode).toBe(15);
  expect(result).toMatchObject({ status: "aborted", reason: { kind: "abort-on", measure: "latency.p50" } });
  expect(result.messages.sent).toBeGreaterThan(0);
  expect(result.messages.sent).toBeLessThan(24_000);
  expect(result.messages.sent + result.messages.unsent).toBe(24_000);
});

test.concurrent("thresholds have an exit code of their own, at the end and from the file", async () => {
  const url = start((socket, message) => void (socket.data.messages > 1 && socket.send(message)));
  const results = temporaryFolder();
  const run = ["attack", url, ...small, "--reply-timeout", "0.2", "--results", results];
  const failed = await showdown(...run, "--threshold", "lost = 0", "--threshold", "sent.rate > 1/s");
  expect(failed.stderr).toContain('failed: "lost = 0": lost is 4\n');
  expect(failed.stderr).toContain('passed: "sent.rate > 1/s": sent.rate is ');
  const of = (...args: readonly string[]) => showdown("report", "latest", "--results", results, ...args);
  // A busy machine may have made the attack invalid, which is graver.
  expect([12, 14]).toContain(failed.exitCode);
  expect([0, 14]).toContain((await of("--threshold", "lost <= 4")).exitCode);
  expect([12, 14]).toContain((await of("--threshold", "lost.share < 0.5%")).exitCode);
});

test.concurrent.each([
  ["--threshold", "latency.p98 < 5ms", /no measure "latency\.p98", did you mean "latency\.p9/],
  ["--threshold", "latency.p99 < 5", /expected a number with one of the units/],
  ["--threshold", "lost", /expected MEASURE, one of/],
  ["--abort-on", "lost.share > 1%", /no measure "lost\.share"/],
])("%s %s is refused before anything is opened", async (option, expression, message) => {
  const ended = await showdown("attack", "ws://127.0.0.1:9/", option, expression);
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toMatch(message);
});

test.concurrent("commands run before and after; the attack needs the first to succeed", async () => {
  const folder = temporaryFolder();
  const log = join(folder, "log");
  const url = start(echo);
  const commands = ["--before", `echo before >> ${log}`, "--after", `echo after >> ${log}; exit 3`];
  const { result, stderr } = await attack(url, ...small, ...commands);
  expect(readFileSync(log, "utf8")).toBe("before\nafter\n");
  expect(result.messages.answered).toBe(400);
  expect(result.warnings).toMatchObject([{ kind: "command-failed", exit: { code: 3 } }]);
  expect(stderr).toContain("exited with code 3");
  const results = join(folder, "results");
  const failed = await showdown("attack", url, "--before", "echo no; false", "--results", results);
  expect(failed.exitCode).toBe(15);
  expect(failed.stderr).toContain("it exited with 1: no");
  expect(existsSync(results) ? readdirSync(results) : []).toEqual([]);
});

test.concurrent("--trace shows what one connection and the server say, and leaves nothing behind", async () => {
  const results = join(temporaryFolder(), "results");
  const url = start((socket, message) => void socket.send(`\x1b[31m${message}`));
  const { stdout, exitCode } = await showdown(
    "attack",
    url,
    "--trace",
    "--results",
    results,
    "--reply-timeout",
    "0.3",
  );
  expect(exitCode).toBe(0);
  const expected = [
    "connecting to 127.0.0.1 port ",
    "→ GET / HTTP/1.1",
    "← HTTP/1.1 101 Switching Protocols",
    "→ text, 12 B",
    "hello 1 of 0",
    "← text, 17 B",
    "\\x1b[31mhello 1 of 0",
    "→ close 1000",
    "3 messages sent, 0 answered",
    "The server does not echo",
  ];
  let at = 0;
  for (const part of expected) {
    const found = stdout.indexOf(part, at);
    expect([part, found >= at]).toEqual([part, true]);
    at = found;
  }
  expect(existsSync(results)).toBe(false);
});

test.concurrent.each([
  "--ndjson=-",
  "--metrics=0",
  "--otlp=http://127.0.0.1:9",
  "--out=report.md",
  "--threshold=lost = 0",
  "--abort-on=errors > 9",
  "--live",
  "--json",
])("--trace and %s: refused, since nothing would come of it", async (output) => {
  const ended = await showdown("attack", "ws://127.0.0.1:9/", "--trace", output);
  expect([ended.exitCode, ended.stdout]).toEqual([2, ""]);
  expect(ended.stderr).toContain(`--trace and ${output.replace(/=.*/, "")}: `);
});

test.concurrent("a refused upgrade is traced with its body", async () => {
  const refuse = () => new Response("token expired", { status: 401 });
  const { stdout, exitCode } = await showdown("attack", start(echo, { refuse }), "--trace");
  expect(exitCode).toBe(15);
  expect(stdout).toContain("← HTTP/1.1 401 Unauthorized");
  expect(stdout).toContain("token expired");
});

test.concurrent("--out writes reports by their endings, and report makes them again", async () => {
  const folder = temporaryFolder();
  const files = ["a.md", "a.html", "a.txt", "a.json"].map((name) => join(folder, name));
  const { result, folder: kept } = await attack(
    start(echo),
    ...small,
    ...files.flatMap((file) => ["--out", file]),
  );
  for (const file of files) expect(readFileSync(file, "utf8")).toContain(result.id);
  expect(readFileSync(files[2] as string, "utf8").split("\n").length).toBeLessThanOrEqual(50);
  expect(
    Math.max(
      ...readFileSync(files[2] as string, "utf8")
        .split("\n")
        .map((line) => line.length),
    ),
  ).toBeLessThanOrEqual(100);
  const again = await showdown("report", kept, "--out", join(folder, "b.md"));
  expect(again.exitCode === 0 || again.exitCode === 14).toBe(true);
  expect(readFileSync(join(folder, "b.md"), "utf8")).toBe(readFileSync(files[0] as string, "utf8"));
  const compared = await showdown("compare", kept, kept);
  expect(compared.stderr).toContain("is the result of an attack, expected that of a run");
});

test.concurrent("--dry-run prints the plan and opens nothing", async () => {
  const { stdout, exitCode } = await showdown(
    "attack",
    "ws://127.0.0.1:9/x?y=1",
    "--dry-run",
    "--stages",
    "2s:10",
  );
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).plan).toMatchObject({
    target: { host: "127.0.0.1", port: 9, path: "/x?y=1" },
    load: { kind: "open", segments: [{ seconds: 2, fromPerSecond: 0, toPerSecond: 10 }] },
  });
});

test.concurrent.each([
  ["a load", ["--rate", "100"], "4 of 4 connections opened"],
  ["the opening of connections", ["--connect-rate", "0.1"], "Target: "],
])("Ctrl-C during %s: one line, exit code 130, and what was measured is kept", async (_, load, mark) => {
  const results = temporaryFolder();
  const args = ["attack", start(echo), "--connections", "4", "--duration", "60s", ...load];
  const child = Bun.spawn(showdownCommand(...args, "--results", results), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let said = "";
  for await (const chunk of child.stderr) {
    const before = said;
    said += Buffer.from(chunk).toString();
    if (said.includes(mark) && !before.includes(mark)) setTimeout(() => child.kill("SIGINT"), 500);
  }
  expect(await child.exited).toBe(130);
  expect(said.split("\n").filter((line) => line.includes("SIGINT"))).toHaveLength(1);
  expect(await new Response(child.stdout).text()).toContain("Stopped early: stopped by the user.");
  const [name = ""] = readdirSync(results);
  const result = JSON.parse(readFileSync(join(results, name, "result.json"), "utf8"));
  expect(result).toMatchObject({ progress: "ended", status: "aborted", reason: { kind: "stopped-by-user" } });
  expect(existsSync(join(results, name, "report.html"))).toBe(true);
});
