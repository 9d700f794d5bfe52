import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import {
  type AttackEvent,
  attack,
  isShowdownError,
  readAttack,
  readResult,
  renderHtml,
  renderMarkdown,
} from "../../src/index.ts";
import { longestMs, temporaryFolder } from "../showdown/showdown.ts";
import { echo, start, stopServers } from "./servers.ts";

setDefaultTimeout(longestMs);

afterAll(stopServers);

test.concurrent("the library attacks, tells what happens, and resolves to the result", async () => {
  const seen: (string | null)[] = [];
  const refuse = ({ headers }: Request) => {
    seen.push(headers.get("x-token"));
    return null;
  };
  const { events, result } = attack({
    url: start(echo, { refuse }),
    ...{ connections: 2, ratePerSecond: 200, durationSeconds: 1, replyTimeoutMs: 500 },
    headers: { "X-Token": "hush" },
    message: "{{name}} {{sequence}}",
    data: [{ name: "ada" }, { name: "bob" }],
  });
  const kinds = new Set<AttackEvent["kind"]>();
  for await (const { kind } of events) kinds.add(kind);
  const { messages, plan } = await result;
  expect([...kinds]).toEqual(expect.arrayContaining(["connected", "load", "ended"]));
  expect(messages).toMatchObject({ sent: 200, answered: 200, lost: 0 });
  expect(seen).toEqual(["hush", "hush"]);
  expect(plan.target.headers).toEqual(["X-Token"]);
});

test.concurrent("a result is rendered as it came, and as it was kept", async () => {
  const resultsFolder = temporaryFolder();
  const { result } = attack({
    url: start(echo),
    ...{ connections: 2, ratePerSecond: 200, durationSeconds: 0.2, resultsFolder },
  });
  const ended = await result;
  const path = join(resultsFolder, ended.id, "result.json");
  expect(readAttack(path).attack).toEqual(ended);
  expect(renderHtml(ended)).toStartWith("<!doctype html>");
  expect(renderHtml(ended)).toContain(ended.id);
  expect(renderMarkdown(ended)).toStartWith(`# ${ended.id}\n`);
  expect(() => readResult(path)).toThrow("is the result of an attack, expected that of a run");
});

test.concurrent("an AbortSignal ends it gently: what was measured is in the result", async () => {
  const controller = new AbortController();
  const { events, result } = attack({
    url: start(echo),
    ...{ connections: 2, ratePerSecond: 100, durationSeconds: 60, signal: controller.signal },
  });
  for await (const event of events) {
    if (event.kind === "load" && event.answered > 0) controller.abort();
  }
  const { status, reason, messages } = await result;
  expect([status, reason]).toEqual(["aborted", { kind: "stopped-by-user" }]);
  expect(messages.answered).toBeGreaterThan(0);
  expect(messages.sent + messages.unsent).toBe(6000);
});

test.concurrent.each([
  [{ url: "http://127.0.0.1:9/" }, /expected a URL/],
  [{ url: "ws://127.0.0.1:9/", ratePerSecond: -1 }, /^ratePerSecond -1: /],
  [{ url: "ws://127.0.0.1:9/", abortOn: ["latency.p98 > 1ms"] }, /no measure "latency.p98"/],
  [{ url: "ws://127.0.0.1:9/", data: [{ name: "a" }, {}] }, /row 1 lacks a column/],
])("%j is refused with a ShowdownError", async (request, message) => {
  const error = await attack(request as Parameters<typeof attack>[0]).result.catch(
    (thrown: unknown) => thrown,
  );
  expect(isShowdownError(error, "usage")).toBe(true);
  expect((error as Error).message).toMatch(message);
});
