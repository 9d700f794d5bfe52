import { expect, test } from "bun:test";
import { fixturePlan } from "../../../../test/support/fixture-result.ts";
import type { ShowdownError } from "../../../errors.ts";
import { createLivePage, type LivePage, type LiveUpdate } from "./live-page.ts";
import { showRun } from "./view.ts";

const plan = fixturePlan({ entrants: [{ contender: "go-gorilla", variant: "default" }] });

test("whoever asks sees the latest, from the beginning to the end", async () => {
  const live = await createLivePage({ port: 0, view: showRun(plan) });
  expect(Object.keys((await look(live)).regions)).toEqual(["headline", "now", "charts", "known", "warnings"]);
  for (const contender of ["one", "two"]) {
    live.onEvent({ kind: "preparing", step: "build", contender });
    expect(await look(live)).toMatchObject({
      isOver: false,
      regions: { headline: `Getting ready: building: ${contender}` },
    });
  }
  const stopped = live.stop("It is over.");
  expect(await look(live)).toMatchObject({ isOver: true, regions: { headline: "It is over." } });
  await stopped;
  await expect(look(live)).rejects.toThrow();
});

test("the end waits for those who look, and for nobody else", async () => {
  const live = await createLivePage({ port: 0, view: showRun(plan) });
  const started = performance.now();
  await live.stop();
  await live.stop();
  expect(performance.now() - started).toBeLessThan(250);
});

test("an occupied port is refused before anything begins, with who has it and what to do", async () => {
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port = 0 } = other;
  const error = await createLivePage({ port, view: showRun(plan) }).catch((caught: unknown) => caught);
  await other.stop(true);
  expect(error).toMatchObject({ reason: "portInUse" });
  expect((error as ShowdownError).message).toContain(`port ${port} of 127.0.0.1`);
  expect((error as ShowdownError).hint).toContain("0 picks a free one");
});

test("another site's name that leads here is refused", async () => {
  const live = await createLivePage({ port: 0, view: showRun(plan) });
  const ask = async (host: string) => (await fetch(live.url, { headers: { host } })).status;
  expect(await ask("evil.example")).toBe(403);
  expect(await ask("localhost:1234")).toBe(200);
  expect((await fetch(new URL("/other", live.url))).status).toBe(404);
  await live.stop();
});

test("what a server, a manifest or a build said arrives as text: no markup, no control characters", async () => {
  const live = await createLivePage({ port: 0, view: showRun(plan) });
  const evil = "<img src=x onerror=alert(1)>\x1b[2J\n\nevent: x\u202e";
  live.onEvent({ kind: "warning", warning: { kind: "ended-by-error", message: evil } });
  live.onEvent({ kind: "preparing", step: "build", contender: evil });
  const variant = "default";
  live.onEvent({
    kind: "not-run",
    contender: "go-gorilla",
    variant,
    reason: { kind: "build-failed", problem: evil },
  });
  const { regions } = await look(live);
  await live.stop();
  const text = Object.values(regions).join("");
  expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;\\x1b[2J⏎⏎event: x\\u{202e}");
  expect(text).not.toContain("<img");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
});

async function look({ url }: Pick<LivePage<never>, "url">): Promise<LiveUpdate> {
  return (await (await fetch(new URL("/state", url))).json()) as LiveUpdate;
}
