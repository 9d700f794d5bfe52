import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { presets } from "../../src/plan/presets.ts";
import type { Result } from "../../src/result/schema.ts";
import { renderHtml } from "../../src/views/render/html.ts";
import { fixtureCases } from "../support/fixture-cases.ts";
import { chromiumPath, launchChromium } from "./chromium.ts";
import { capacityResult, measuredResult } from "./measured-result.ts";

const measured = measuredResult();

test("the report has no script, and a run of four contenders makes less than 300 kB", () => {
  const text = renderHtml(measured);
  expect(text).not.toContain("<script");
  expect(Buffer.byteLength(text)).toBeLessThan(300_000);
  const quick = measuredResult({ enduranceSeconds: presets.quick.enduranceSeconds });
  expect(Buffer.byteLength(renderHtml(quick))).toBeLessThan(300_000);
});

test("ten contenders in ten minutes of endurance stay below 500 kB", () => {
  const text = renderHtml(measuredResult({ contenders: 10, enduranceSeconds: 600 }));
  expect(Buffer.byteLength(text)).toBeLessThan(500_000);
});

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
    if (!pages.has(result)) await Bun.write(path, renderHtml(result));
    pages.set(result, path);
    const context = await browser.newContext({ offline: true, ...options });
    const page = await context.newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(`file://${path}`);
    return { page, complaints, requests, close: () => context.close() };
  }

  for (const [name, result] of Object.entries({ measured, capacity: capacityResult(), ...fixtureCases })) {
    test(`${name}: nothing fails, nothing is asked of anyone, a phone shows it without sideways scrolling`, async () => {
      const { page, complaints, requests, close } = await open(result, {
        viewport: { width: 360, height: 740 },
      });
      expect(complaints).toEqual([]);
      expect(requests.filter((url) => !url.startsWith("file:") && !url.startsWith("data:"))).toEqual([]);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
      expect(await page.locator("h1").textContent()).not.toBe("");
      await close();
    });
  }

  test("bars are as long as the result's numbers, from zero", async () => {
    const { page, close } = await open(measured);
    const bars = await page
      .locator("section", { has: page.locator("#burst-echo-all-at-once") })
      .locator("figure.bars")
      .first()
      .locator("path[fill^='var(--c']")
      .all();
    const lengths = await Promise.all(bars.map(async (bar) => (await bar.boundingBox())?.width ?? 0));
    const sorted = lengths.toSorted((a, b) => b - a);
    expect(sorted).toHaveLength(4);
    // 2, 1.5, 1.02 and 1 in the fixture, and some noise.
    expect((sorted[0] ?? 0) / (sorted[3] ?? 1)).toBeCloseTo(2, 1);
    expect((sorted[1] ?? 0) / (sorted[3] ?? 1)).toBeCloseTo(1.5, 1);
    await close();
  });

  test("every chart has a name in words and lines in its contenders' colours", async () => {
    const { page, close } = await open(measured);
    const charts = await page.locator("figure [role=img]").all();
    expect(charts.length).toBeGreaterThan(8);
    for (const chart of charts) {
      expect(await chart.getAttribute("aria-label")).toMatch(/.; the table of this phase has the numbers/);
      expect(await chart.locator("[stroke='var(--c0)'], [fill='var(--c0)']").count()).toBeGreaterThan(0);
    }
    await close();
  });

  test("wide tables scroll by themselves, and by keyboard", async () => {
    const { page, close } = await open(measured, { viewport: { width: 360, height: 740 } });
    const region = page.getByRole("region", { name: "Burst echo, all at once: table" }).first();
    await region.focus();
    await page.keyboard.press("ArrowRight");
    while ((await region.evaluate((element) => element.scrollLeft)) === 0) await Bun.sleep(20);
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
      // A variable in a chart is the page's colour.
      const drawn = await page.evaluate(
        `getComputedStyle(document.querySelector("figure.lines svg text")).fill`,
      );
      const channels = [1, 3, 5].map((at) => Number.parseInt(muted.slice(at, at + 2), 16));
      expect(drawn).toBe(`rgb(${channels.join(", ")})`);
      await close();
    });
  }

  test("what contenders and servers write stays text", async () => {
    const { page, complaints, close } = await open(hostileResult());
    expect(complaints).toEqual([]);
    expect(await page.evaluate("window.taken")).toBeUndefined();
    expect(await page.locator("img, iframe, object, script").count()).toBe(0);
    expect(await page.locator("tbody th").first().textContent()).toBe(hostile);
    expect(await page.locator(".legend").first().textContent()).toContain(hostile);
    await close();
  });
});

const hostile = `</script></svg><img src=x onerror="window.taken=1"><script>window.taken=2</script>'"&`;

/** Everything that a result takes from elsewhere, with HTML in it. */
function hostileResult(): Result {
  const [first, ...others] = measured.contenders;
  if (first === undefined) throw new Error("the fixture has no contender: expected four");
  return {
    ...measured,
    id: hostile,
    command: ["showdown", hostile],
    environment: { ...measured.environment, cpuModel: hostile, sysctls: { [hostile]: hostile } },
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
          problem: null,
        },
      },
      ...others,
    ],
    warnings: [{ kind: "ended-by-error", message: hostile }],
    rounds: measured.rounds.map((round) => ({
      ...round,
      contender: round.contender === first.name ? hostile : round.contender,
      phases: round.phases.map((phase) =>
        phase.status === "not-run"
          ? phase
          : { ...phase, findings: [{ kind: "error-replies", count: 1, first: hostile }] },
      ),
      ...(round.round === 3
        ? {
            status: "failed" as const,
            reason: { kind: "server-not-ready" as const, problem: hostile },
            output: `${hostile}\n${hostile}`,
          }
        : {}),
    })),
  };
}

/** As the page's stylesheet has them for its colour scheme: `light-dark(#f6f5f2, #101216)`. */
async function readColors(page: Page): Promise<Record<string, string>> {
  const names = "ground surface text muted good warning bad c0 c1 c2 c3 c4 c5 c6 c7".split(" ");
  const values = await page.evaluate(
    `(() => { const style = getComputedStyle(document.documentElement); const scheme = Number(matchMedia("(prefers-color-scheme: dark)").matches); return ${JSON.stringify(names)}.map((name) => style.getPropertyValue("--" + name).match(/#[0-9a-f]{6}/g)[scheme]); })()`,
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
