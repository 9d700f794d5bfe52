import { expect, test } from "bun:test";
import { fixturePlan } from "../../../../test/support/fixture-result.ts";
import type { ShowdownError } from "../../../errors.ts";
import type { LiveUpdate } from "./broadcast.ts";
import { createLivePage } from "./live-page.ts";

const plan = fixturePlan({ entrants: [{ contender: "go-gorilla", variant: "default" }] });

test("at most four updates a second go out, whatever the run tells, and the last one is the latest", async () => {
  const live = await createLivePage({ port: 0, plan });
  const response = await fetch(new URL("/events", live.url));
  const updates = collectUpdates(response);
  const started = performance.now();
  while (performance.now() - started < 1500) {
    live.onEvent({
      kind: "preparing",
      step: "build",
      contender: `c${Math.round(performance.now() - started)}`,
    });
    await Bun.sleep(1);
  }
  live.onEvent({ kind: "preparing", step: "ceiling", contender: null });
  await Bun.sleep(300);
  await live.stop("It is over.");
  const all = await updates;
  // The state so far, one per quarter of a second and the end.
  expect(all.length).toBeGreaterThan(4);
  expect(all.length).toBeLessThanOrEqual(2 + Math.ceil(1900 / 250));
  expect(
    all.some(
      ({ regions }) =>
        regions.headline === "Getting ready: measuring the load generator against a null server",
    ),
  ).toBe(true);
  expect(all.at(-1)).toMatchObject({ isOver: true, regions: { headline: "It is over." } });
});

test("only what has changed is sent again", async () => {
  const live = await createLivePage({ port: 0, plan });
  const updates = collectUpdates(await fetch(new URL("/events", live.url)));
  for (const contender of ["one", "two", "three"]) {
    live.onEvent({ kind: "preparing", step: "build", contender });
    await Bun.sleep(300);
  }
  await live.stop();
  const [first, , ...later] = await updates;
  expect(Object.keys(first?.regions ?? {}).sort()).toEqual([
    "charts",
    "headline",
    "known",
    "now",
    "warnings",
  ]);
  expect(later.length).toBeGreaterThan(1);
  for (const { regions, isOver } of later) if (!isOver) expect(Object.keys(regions)).toEqual(["headline"]);
});

test("an occupied port is refused before anything begins, with who has it and what to do", async () => {
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port = 0 } = other;
  const error = await createLivePage({ port, plan }).catch((caught: unknown) => caught);
  await other.stop(true);
  expect(error).toMatchObject({ reason: "portInUse" });
  expect((error as ShowdownError).message).toContain(`port ${port} of 127.0.0.1`);
  expect((error as ShowdownError).hint).toContain("0 picks a free one");
});

test("another site's name that leads here is refused", async () => {
  const live = await createLivePage({ port: 0, plan });
  const ask = async (host: string) => (await fetch(live.url, { headers: { host } })).status;
  expect(await ask("evil.example")).toBe(403);
  expect(await ask("localhost:1234")).toBe(200);
  expect((await fetch(new URL("/other", live.url))).status).toBe(404);
  await live.stop();
});

test("what a server, a manifest or a build said arrives as text: no markup, no control characters", async () => {
  const live = await createLivePage({ port: 0, plan });
  const updates = collectUpdates(await fetch(new URL("/events", live.url)));
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
  await live.stop();
  const all = await updates;
  const text = all.flatMap(({ regions }) => Object.values(regions)).join("");
  expect(text).toContain("&lt;img src=x onerror=alert(1)&gt;\\x1b[2J⏎⏎event: x\\u{202e}");
  expect(text).not.toContain("<img");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
});

async function collectUpdates(response: Response): Promise<LiveUpdate[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((part) => part.startsWith("data: "))
    .map((part) => JSON.parse(part.slice("data: ".length)));
}
