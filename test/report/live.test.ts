import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Browser } from "playwright-core";
import type { Phase } from "../../src/result/phase.ts";
import type { PhaseView, RunEvent } from "../../src/run/events.ts";
import { createLivePage, type LivePage } from "../../src/views/watch/live/live-page.ts";
import { showRun } from "../../src/views/watch/live/view.ts";
import { bunNative, elixirGenserver, fixturePlan, fixtureResult } from "../support/fixture-result.ts";
import { chromiumPath, launchChromium } from "./chromium.ts";

const entrants = [bunNative, elixirGenserver].map(({ name, variant }) => ({ contender: name, variant }));
const result = fixtureResult({
  contenders: [bunNative, elixirGenserver],
  plan: fixturePlan({ entrants, rounds: 3, enduranceSeconds: 20 }),
});
const [round] = result.rounds;
if (round === undefined) throw new Error("the fixture has no round: expected several");

describe.skipIf(chromiumPath === null)("the live page in Chromium", () => {
  let browser: Browser;
  let live: LivePage<RunEvent>;

  beforeAll(async () => {
    browser = await launchChromium();
    live = await createLivePage({ port: 0, view: showRun(result.plan) });
  });
  afterAll(async () => {
    await live?.stop();
    await browser?.close();
  });

  async function open(url: string) {
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(url);
    await page.waitForSelector("html[data-drawn]");
    return { page, complaints };
  }

  test("numbers, courses and bars follow the events, for those who come late too", async () => {
    const { page, complaints } = await open(live.url);
    live.onEvent({ kind: "preparing", step: "build", contender: "<b>go-gorilla</b>" });
    await page.getByText("Getting ready: building: <b>go-gorilla</b>").waitFor();

    startRound(live);
    endPhases(live, round.phases.slice(0, 3));
    startPhase(live, 3);
    for (const elapsedMs of [1000, 2000, 3000]) {
      live.onEvent({
        kind: "phase-progress",
        ...who,
        view: { ...endurance, elapsedMs, done: elapsedMs * 15 },
      });
    }
    await page.getByText("bun-native: endurance echo").waitFor();
    await page.getByText("45,000 of 300,000").waitFor();
    expect(await page.locator("#now").textContent()).toContain("17 s");
    expect(await page.locator("#now").textContent()).toContain("1.23 ms");
    const burst = page.locator("#known table").nth(1);
    expect(await burst.locator("tr", { hasText: "bun-native" }).textContent()).toMatch(/[\d,]+\/s/);
    expect(await burst.locator("tr", { hasText: "elixir-genserver" }).textContent()).toContain("to come");
    expect(await page.locator("#charts path.line").count()).toBe(2);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);

    const late = await open(live.url);
    expect(await late.page.locator("h1").textContent()).toBe("bun-native: endurance echo");
    expect(await late.page.locator("#now").textContent()).toContain("45,000 of 300,000");
    expect(await late.page.locator("#charts svg").first().getAttribute("aria-label")).toBe(
      "Endurance echo: deliveries per second; last: bun-native: 15,000/s",
    );

    await live.stop("The run has finished.");
    for (const each of [page, late.page]) await each.getByText("The run has finished.").waitFor();
    expect([...complaints, ...late.complaints]).toEqual([]);
    await Promise.all([page.close(), late.page.close()]);
  });
});

const endurance: PhaseView = {
  kind: "endurance",
  workload: "echo",
  elapsedMs: 0,
  done: 0,
  total: 300_000,
  ratePerSecond: 15_000,
  p50Us: 200,
  p99Us: 1234,
  errors: 0,
};

function startRound(live: LivePage<RunEvent>): void {
  live.onEvent({
    kind: "round-started",
    ...who,
    round: 1,
    rounds: 3,
    positions: 6,
  });
}

const who = { contender: "bun-native", variant: "default", position: 1 } as const;

function startPhase(live: LivePage<RunEvent>, index: number): void {
  const { kind, workload = null } = result.plan.phases[index] ?? { kind: "connect" };
  live.onEvent({
    kind: "phase-started",
    ...who,
    phaseKind: kind,
    workload,
    index,
    count: result.plan.phases.length,
    expectedSeconds: kind === "endurance" ? result.plan.enduranceSeconds : null,
  });
}

function endPhases(live: LivePage<RunEvent>, phases: readonly Phase[]): void {
  for (const [index, phase] of phases.entries()) {
    startPhase(live, index);
    live.onEvent({ kind: "phase-ended", ...who, phase });
  }
}
