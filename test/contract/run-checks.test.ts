import { afterEach, describe, expect, test } from "bun:test";
import type { ProcessControl } from "../../src/contract/check.ts";
import { type CheckReport, type CheckResult, formatCheckReport } from "../../src/contract/check-report.ts";
import { runChecks } from "../../src/contract/run-checks.ts";
import { fixture, startServer, type TestServer } from "./server-process.ts";

let server: TestServer | undefined;

function start(...args: string[]): TestServer {
  server = startServer(fixture("raw-server.ts", ...args));
  return server;
}

/** A TCP server that does what it is told to every connection, and no WebSocket at all. */
function listen(socket: Bun.SocketHandler): { readonly port: number; stop(): void } {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket });
  return { port: listener.port, stop: () => listener.stop(true) };
}

const target = (port: number) => ({ host: "127.0.0.1", port, path: "/ws" });
const resultOf = (report: CheckReport, id: string): CheckResult | undefined =>
  report.results.find((result) => result.id === id);

afterEach(async () => {
  await server?.kill();
  server = undefined;
});

describe("runChecks", () => {
  test("gives plain data, each result as soon as it is known", async () => {
    const { target, ...process } = start();
    const seen: CheckResult[] = [];
    const report = await runChecks(target, {
      process,
      only: (check) => check.id.startsWith("masking."),
      onResult: (result) => void seen.push(result),
    });
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(seen.toSorted((a, b) => a.id.localeCompare(b.id))).toEqual(
      report.results.toSorted((a, b) => a.id.localeCompare(b.id)),
    );
    expect(report).toMatchObject({ passed: 5, failedRequired: 0, failedStrict: 0, competes: true });
  });

  test("skips what needs the process of a bare URL", async () => {
    const { target, ...process } = start();
    // Only to wait until it is up.
    await runChecks(target, { process, only: () => false });
    const report = await runChecks(target, { only: (check) => check.id.startsWith("process.") });
    expect(resultOf(report, "process.ready")?.state).toBe("pass");
    expect(resultOf(report, "process.sigterm")).toMatchObject({ state: "skipped" });
    expect(report.competes).toBe(true);
  });

  test("blames a death on the check that caused it and skips the rest when nobody can restart", async () => {
    const { target, terminate } = start("--break", "dies-of-null");
    const process: ProcessControl = { terminate };
    const report = await runChecks(target, {
      process,
      concurrency: 1,
      only: (check) => /^(echo|errors)\./.test(check.id),
    });
    expect(resultOf(report, "echo.order")?.state).toBe("pass");
    expect(resultOf(report, "errors.not-an-object")).toMatchObject({ state: "fail" });
    expect(resultOf(report, "errors.unknown-type")).toMatchObject({
      state: "skipped",
      why: "the server died in an earlier check",
    });
    expect(report.competes).toBe(false);
  });

  test("says at once that nothing listens", async () => {
    const { port, stop } = listen({ data() {} });
    stop();
    const report = await runChecks(target(port));
    expect(report.results[0]).toMatchObject({ id: "process.ready", state: "fail" });
    expect(report).toMatchObject({ passed: 0, failedRequired: 1, competes: false });
    expect(formatCheckReport(report)).toContain("SKIP handshake.switching, handshake.accept-key");
  });

  test("does not hang on a server that never says a word", async () => {
    const { port, stop } = listen({ data() {} });
    const report = await runChecks(target(port), { waitMs: 100 });
    stop();
    expect(report.results[0]).toMatchObject({ state: "fail", came: "nothing within 100 ms" });
  });

  test.each([
    ["no HTTP", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "no HTTP/1.1"],
    [
      "a frame of an absurd length",
      `HTTP/1.1 101 OK\r\n\r\n\x81\x7f${"\x7f".repeat(8)}`,
      "a frame that announces",
    ],
    [
      "a continuation of nothing",
      "HTTP/1.1 101 OK\r\n\r\n\x80\x00",
      "a continuation frame that continues nothing",
    ],
    ["a reserved opcode", "HTTP/1.1 101 OK\r\n\r\n\x83\x00", "a frame with the reserved opcode 3"],
    ["a close of one byte", "HTTP/1.1 101 OK\r\n\r\n\x88\x01x", "a close frame with one byte of payload"],
  ])("says what a server did wrong that speaks %s", async (_what, answer, came) => {
    const { port, stop } = listen({ data: (socket) => void socket.write(Buffer.from(answer, "latin1")) });
    const report = await runChecks(target(port), { waitMs: 500 });
    stop();
    expect(report.results[0]).toMatchObject({ state: "fail", came: expect.stringContaining(came) });
  });

  test("ends a check that takes too long, and the run when it is stopped", async () => {
    const { target, ...process } = start();
    // Only to wait until it is up.
    await runChecks(target, { process, only: () => false });
    const late = await runChecks(target, {
      process,
      // The check sends more bytes than these are milliseconds, one in each.
      checkTimeoutMs: 100,
      only: (check) => check.id === "handshake.byte-by-byte",
    });
    expect(resultOf(late, "handshake.byte-by-byte")).toMatchObject({ state: "fail", came: "no end" });

    const stop = new AbortController();
    const stopped = await runChecks(target, {
      process,
      signal: stop.signal,
      onResult: ({ id }) => id === "process.ready" && stop.abort(),
    });
    expect(stopped).toMatchObject({ passed: 1, failedRequired: 0, failedStrict: 0, competes: false });
  });
});

test("formatCheckReport names rule, expected, got and next step", () => {
  const about = { rule: "A rule.", reference: "RFC 6455 1.1", elapsedMs: 1 };
  const report: CheckReport = {
    target: target(4_000),
    url: "ws://127.0.0.1:4000/ws",
    framing: "single",
    results: [
      { ...about, id: "a.fine", grade: "required", state: "pass" },
      {
        ...about,
        id: "a.wrong",
        grade: "strict",
        state: "fail",
        expected: "this",
        came: "that",
        nextStep: "Mend it.",
      },
      ...["b", "c", "d", "e"].map((name) => ({
        ...about,
        id: `${name}.left-out`,
        grade: "strict" as const,
        state: "skipped" as const,
        why: "no time",
      })),
    ],
    passed: 1,
    failedRequired: 0,
    failedStrict: 1,
    skipped: 4,
    complete: true,
    competes: true,
    elapsedMs: 1_240,
  };
  expect(formatCheckReport(report)).toBe(
    [
      "FAIL a.wrong (strict)",
      "     rule      A rule. [RFC 6455 1.1]",
      "     expected  this",
      "     got       that",
      "     next      Mend it.",
      "SKIP b.left-out, c.left-out, d.left-out and 1 more: no time",
      "ws://127.0.0.1:4000/ws: 1 passed, 0 required failed, 1 strict failed, 4 skipped in 1.2 s",
      "competes: no required check failed",
    ].join("\n"),
  );
});

test("shows what a server said without anything that a terminal obeys", async () => {
  const head = "HTTP/1.1 101 OK\r\n\r\n";
  const reason = "\x1b]0;owned\x07\u009b31m\u202e";
  const payload = Buffer.concat([Buffer.from([3, 232]), Buffer.from(reason)]);
  const close = Buffer.concat([Buffer.from(head), Buffer.from([0x88, payload.length]), payload]);
  const { port, stop } = listen({ data: (socket) => void socket.write(close) });
  const report = await runChecks(target(port), { waitMs: 500 });
  stop();
  const text = formatCheckReport(report);
  expect(text).toContain("a close frame with code 1000");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
});
