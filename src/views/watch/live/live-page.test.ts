import { expect, test } from "bun:test";
import { fixturePlan } from "../../../../test/support/fixture-result.ts";
import { PortInUseError } from "../../../errors.ts";
import { createLivePage } from "./live-page.ts";
import type { LiveUpdate } from "./update.ts";

const plan = fixturePlan({ entrants: [{ contender: "go-gorilla", variant: "default" }] });

test("at most four updates a second go out, whatever the run tells, and the last one is the latest", async () => {
  const live = await createLivePage({ port: 0, plan });
  const response = await fetch(new URL("/events", live.url));
  const updates = collectUpdates(response);
  const started = performance.now();
  while (performance.now() - started < 1500) {
    live.onEvent({ kind: "preparing", text: `step ${Math.round(performance.now() - started)}` });
    await Bun.sleep(1);
  }
  live.onEvent({ kind: "preparing", text: "the last step" });
  await Bun.sleep(300);
  await live.stop("It is over.");
  const all = await updates;
  // The state so far, one per quarter of a second and the end.
  expect(all.length).toBeGreaterThan(4);
  expect(all.length).toBeLessThanOrEqual(2 + Math.ceil(1900 / 250));
  expect(all.some(({ regions }) => regions.headline === "Getting ready: the last step")).toBe(true);
  expect(all.at(-1)).toMatchObject({ isOver: true, regions: { headline: "It is over." } });
});

test("only what has changed is sent again", async () => {
  const live = await createLivePage({ port: 0, plan });
  const updates = collectUpdates(await fetch(new URL("/events", live.url)));
  for (const text of ["one", "two", "three"]) {
    live.onEvent({ kind: "preparing", text });
    await Bun.sleep(300);
  }
  await live.stop();
  const [first, , ...later] = await updates;
  expect(Object.keys(first?.regions ?? {}).sort()).toEqual(["headline", "now", "panels", "warnings"]);
  expect(later.length).toBeGreaterThan(1);
  for (const { regions, isOver } of later) if (!isOver) expect(Object.keys(regions)).toEqual(["headline"]);
});

test("an occupied port is refused before anything begins, with who has it and what to do", async () => {
  const other = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response() });
  const { port = 0 } = other;
  const error = await createLivePage({ port, plan }).catch((caught: unknown) => caught);
  await other.stop(true);
  expect(error).toBeInstanceOf(PortInUseError);
  expect((error as PortInUseError).message).toContain(`port ${port} of 127.0.0.1`);
  expect((error as PortInUseError).hint).toContain("0 picks a free one");
});

test("another site's name that leads here is refused", async () => {
  const live = await createLivePage({ port: 0, plan });
  const ask = async (host: string) => (await fetch(live.url, { headers: { host } })).status;
  expect(await ask("evil.example")).toBe(403);
  expect(await ask("localhost:1234")).toBe(200);
  expect((await fetch(new URL("/other", live.url))).status).toBe(404);
  await live.stop();
});

async function collectUpdates(response: Response): Promise<LiveUpdate[]> {
  const text = await response.text();
  return text
    .split("\n\n")
    .filter((part) => part.startsWith("data: "))
    .map((part) => JSON.parse(part.slice("data: ".length)));
}
