import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { Phase, Result } from "../../src/result/schema.ts";
import { median } from "../../src/stats/intervals.ts";
import { formatLatency, formatRate } from "../../src/text/format.ts";
import { retestArticle } from "../../src/views/report/article/claims.ts";
import { renderHtml } from "../../src/views/report/html/render.ts";
import { defaultDemand, sizeUp } from "../../src/views/report/verdict/sizing.ts";
import { judge } from "../../src/views/report/verdict/verdict.ts";
import { fixtureCases } from "../support/fixture-cases.ts";
import { chromiumPath, launchChromium } from "./chromium.ts";
import { capacityResult, measuredResult } from "./measured-result.ts";

describe.skipIf(chromiumPath === null)("report.html in Chromium", () => {
  let browser: Browser;
  let folder: string;
  const pages = new Map<Result, string>();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "showdown-html-"));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** A page without a network, and everything it complains of or asks for. */
  async function open(result: Result, options: BrowserContextOptions = {}) {
    const path = pages.get(result) ?? join(folder, `${pages.size}.html`);
    if (!pages.has(result)) await Bun.write(path, await renderHtml(result));
    pages.set(result, path);
    const context = await browser.newContext({ offline: true, reducedMotion: "reduce", ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`file://${path}`);
    if (options.javaScriptEnabled !== false) await page.waitForSelector("html[data-drawn]");
    return { page, complaints, requests, close: () => context.close() };
  }

  const measured = measuredResult();

  for (const [name, result] of Object.entries({ measured, capacity: capacityResult(), ...fixtureCases })) {
    test(`${name}: every chart is drawn, nothing fails, nothing is asked of anyone, no sideways scrolling`, async () => {
      const { page, complaints, requests, close } = await open(result, {
        viewport: { width: 360, height: 740 },
      });
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith("file:") && !url.startsWith("data:"))).toEqual([]);
      const figures = await page.locator("figure.chart").count();
      expect(await page.locator("figure.chart svg").count()).toBe(figures);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      expect(await page.locator("h1").textContent()).not.toBe("");
      await close();
    });
  }

  test("ten contenders in ten minutes of endurance stay below 2 MB", async () => {
    const text = await renderHtml(measuredResult({ contenders: 10, enduranceSeconds: 600 }));
    expect(Buffer.byteLength(text)).toBeLessThan(2_000_000);
  });

  test("bars are as long as the result's numbers, from zero", async () => {
    const { page, close } = await open(measured);
    const panel = page.locator(".panel").nth(1);
    const rows = await panel.locator("tbody tr").all();
    expect(rows).toHaveLength(2);
    const lengths = await Promise.all(
      rows.map(async (row) => ({
        name: await row.locator(".name").textContent(),
        value: await row.locator(".value").textContent(),
        length: (await row.locator(".bar").boundingBox())?.width ?? 0,
      })),
    );
    const rateOf = (name: string | null) =>
      median(phasesOf(measured, name, 1).map(({ throughput }) => throughput?.deliveriesPerSecond ?? 0));
    for (const { name, value } of lengths) expect(value).toBe(formatRate(rateOf(name)));
    const [first, second] = lengths;
    expect((first?.length ?? 0) / (second?.length ?? 1)).toBeCloseTo(
      rateOf(first?.name ?? null) / rateOf(second?.name ?? null),
      1,
    );
    await close();
  });

  test("pointing at a line tells the result's number for that second", async () => {
    const { page, close } = await open(measured);
    const figure = page.locator("#p99-3");
    await figure.scrollIntoViewIfNeeded();
    const box = await figure.locator("svg").boundingBox();
    if (box === null) throw new Error("the chart has no place: expected it to be drawn");
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    const tooltip = figure.locator(".tooltip");
    await tooltip.waitFor();
    const second = Number.parseInt((await tooltip.locator("b").textContent()) ?? "", 10);
    expect(second).toBeGreaterThan(0);
    const expected = median(
      phasesOf(measured, "bun-native", 3).map(
        ({ timeline }) => timeline.find((bucket) => bucket.second === second)?.p99Us ?? 0,
      ),
    );
    expect(await tooltip.textContent()).toContain(`bun-native${formatLatency(expected)}`);
    await close();
  });

  test("a line is hidden and shown again by keyboard", async () => {
    const { page, close } = await open(measured);
    const figure = page.locator("#latency-1");
    const lines = () => figure.locator("svg path[stroke-width='2']").count();
    const before = await lines();
    const button = figure.getByRole("button", { name: "bun-native" });
    await button.focus();
    await page.keyboard.press("Enter");
    expect(await button.getAttribute("aria-pressed")).toBe("false");
    expect(await lines()).toBe(before - 1);
    await page.keyboard.press("Space");
    expect(await button.getAttribute("aria-pressed")).toBe("true");
    expect(await lines()).toBe(before);
    await close();
  });

  test("every chart says in words what it shows", async () => {
    const { page, close } = await open(measured);
    const charts = await page.locator("[data-chart]").all();
    expect(charts.length).toBeGreaterThan(5);
    for (const chart of charts) {
      const text = await chart.getAttribute("aria-label");
      expect(await chart.getAttribute("role")).toBe("img");
      expect(text).toMatch(/bun-native: .*\d.*elixir-genserver: .*\d/);
    }
    await close();
  });

  test("advice, sizing and the article's claims stand on the page with the result's numbers", async () => {
    const result = fixtureCases["many-rounds"];
    if (result === undefined) throw new Error("the fixture is missing: expected a case with many rounds");
    const { page, close } = await open(result, { viewport: { width: 360, height: 740 } });
    const verdict = (await page.locator("#verdict").textContent()) ?? "";
    for (const { choice } of judge(result).items) if (choice !== null) expect(verdict).toContain(choice);
    const sizing = sizeUp(result, defaultDemand);
    const cells = await page.locator("#sizing tbody tr").first().locator("th, td").allTextContents();
    expect(cells).toEqual(sizing?.tables[0]?.table.rows[0]?.cells.map(({ text }) => text) ?? []);
    const cards = page.locator("#claims article");
    const claims = retestArticle(result)?.claims ?? [];
    expect(claims.length).toBeGreaterThan(0);
    expect(await cards.count()).toBe(claims.length);
    for (const [at, { claim, measured: figures, finding }] of claims.entries()) {
      const text = (await cards.nth(at).textContent()) ?? "";
      for (const part of [claim, figures, finding]) expect(text).toContain(part);
    }
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
    await close();
  });

  test("without JavaScript the verdict, the bars and all tables are there", async () => {
    const { page, close } = await open(measured, { javaScriptEnabled: false });
    expect(await page.locator("h1").isVisible()).toBe(true);
    expect(await page.locator(".panel .bar").first().isVisible()).toBe(true);
    const account = page.getByRole("region", { name: "Burst echo: account of deliveries" });
    expect(await account.isVisible()).toBe(true);
    // 375,000 deliveries in each of three rounds.
    expect(await account.textContent()).toContain("1,125,000");
    expect(await page.locator("#latency-1 details table tbody tr").count()).toBeGreaterThan(20);
    expect(await page.locator("#latency-1 .drawing p").isVisible()).toBe(true);
    await close();
  });

  test("whoever failed has words in the place of a bar", async () => {
    const { page, close } = await open(fixtureCases["every-status"] ?? measured);
    const row = page.locator(".panel").nth(3).locator("tr", { hasText: "go-gorilla" }).first();
    expect(await row.locator(".bar").count()).toBe(0);
    expect(await row.textContent()).toContain("failed crashed: the server exited with code 2");
    await close();
  });

  for (const colorScheme of ["light", "dark"] as const) {
    test(`${colorScheme}: text and lines stand out from what they are on`, async () => {
      const { page, close } = await open(measured, { colorScheme });
      const colors = await readColors(page);
      const { ground = "", surface = "", text = "", muted = "", good = "", warning = "", bad = "" } = colors;
      expect(luminance(ground) < 0.2).toBe(colorScheme === "dark");
      for (const color of [text, muted, good, warning, bad]) {
        expect(contrast(color, ground)).toBeGreaterThan(4.5);
        expect(contrast(color, surface)).toBeGreaterThan(4.5);
      }
      for (let index = 0; index < 8; index += 1) {
        expect(contrast(colors[`c${index}`] ?? "", surface)).toBeGreaterThan(3);
      }
      const label = await page.locator("#p99-3 svg text").first().getAttribute("fill");
      expect(label).toBe(muted);
      await close();
    });
  }

  test("charts follow when the system turns dark", async () => {
    const { page, close } = await open(measured, { colorScheme: "light" });
    const fill = () => page.locator("#p99-3 svg text").first().getAttribute("fill");
    const light = await fill();
    await page.emulateMedia({ colorScheme: "dark" });
    while ((await fill()) === light) await Bun.sleep(20);
    expect(await fill()).toBe((await readColors(page)).muted ?? "");
    await close();
  });

  test("what contenders and servers write stays text", async () => {
    const { page, complaints, close } = await open(hostileResult());
    expect(complaints).toEqual([]);
    expect(await page.evaluate("window.taken")).toBeUndefined();
    expect(await page.locator("img, iframe, object, svg script").count()).toBe(0);
    expect(await page.locator(".card h3 .name").first().textContent()).toBe(hostile);
    const figure = page.locator("#p99-3");
    await figure.scrollIntoViewIfNeeded();
    await figure.locator("svg").hover();
    await figure.locator(".tooltip").waitFor();
    expect(await figure.locator(".tooltip").textContent()).toContain(hostile);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.evaluate("window.taken")).toBeUndefined();
    await close();
  });
});

const hostile = `</script><img src=x onerror="window.taken=1"><script>window.taken=2</script>'"&`;

/** Everything that a result takes from elsewhere, with HTML in it. */
function hostileResult(): Result {
  const clean = measuredResult();
  const [first, ...others] = clean.contenders;
  if (first === undefined) throw new Error("the fixture has no contender: expected two");
  const finding = { kind: "lost", count: 1, text: hostile };
  return {
    ...clean,
    id: hostile,
    command: ["showdown", hostile],
    environment: { ...clean.environment, cpuModel: hostile, sysctls: { [hostile]: hostile } },
    contenders: [
      {
        ...first,
        name: hostile,
        title: hostile,
        language: hostile,
        library: hostile,
        env: { A: hostile },
        start: [hostile],
        toolchains: { [hostile]: hostile },
        deployment: { singleBinary: true, note: hostile },
        verified: {
          competes: true,
          failed: [{ id: hostile, rule: hostile, reference: hostile, grade: "strict" }],
          reason: null,
        },
      },
      ...others,
    ],
    warnings: [{ kind: "other", text: hostile }],
    rounds: clean.rounds.map((round) => ({
      ...round,
      contender: round.contender === first.name ? hostile : round.contender,
      phases: round.phases.map((phase) => ({
        ...phase,
        findings: [finding],
        limit: { name: hostile, value: 1, text: hostile },
      })),
      ...(round.round === 3
        ? { status: "failed" as const, reason: hostile, output: `${hostile}\n${hostile}` }
        : {}),
    })),
  };
}

function phasesOf(result: Result, name: string | null, index: number): Phase[] {
  return result.rounds
    .filter(({ contender }) => contender === name)
    .flatMap(({ phases }) => phases[index] ?? []);
}

async function readColors(page: Page): Promise<Record<string, string>> {
  const names = "ground surface text muted good warning bad c0 c1 c2 c3 c4 c5 c6 c7".split(" ");
  const values = await page.evaluate(
    `(() => { const style = getComputedStyle(document.documentElement); return ${JSON.stringify(names)}.map((name) => style.getPropertyValue("--" + name).trim()); })()`,
  );
  return Object.fromEntries(names.map((name, index) => [name, (values as string[])[index] ?? ""]));
}

/** WCAG 2.2, "relative luminance" and "contrast ratio". @param color as #rrggbb */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}
