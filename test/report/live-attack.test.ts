import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { startEcho } from "../outputs/echo-server.ts";
import { longestMs, showdownCommand, temporaryFolder } from "../showdown/showdown.ts";
import { chromiumPath, launchChromium } from "./chromium.ts";

setDefaultTimeout(longestMs);

describe.skipIf(chromiumPath === null)("the live page of an attack in Chromium", () => {
  let browser: Browser;
  let echo: ReturnType<typeof startEcho>;

  beforeAll(async () => {
    browser = await launchChromium();
    echo = startEcho();
  });
  afterAll(async () => {
    await echo?.stop();
    await browser?.close();
  });

  test("charts grow with each second, and the report follows", async () => {
    const load = ["--connection-stages", "3s:20,3s:0", "--rate", "200"];
    const child = Bun.spawn(
      showdownCommand("attack", `${echo.url}?token=hush`, ...load, "--live", "--results", temporaryFolder()),
      { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
    );
    const { url, rest } = await readAddress(child.stderr);
    const page = await browser.newPage({ viewport: { width: 360, height: 740 } });
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(url);
    await page.getByText("under load").waitFor();
    expect(new URL(url).hostname).toBe("127.0.0.1");
    expect((await fetch(url, { headers: { host: "evil.example" } })).status).toBe(403);
    expect(await page.locator("h1").textContent()).toBe(`${echo.url}?token=…: under load`);
    await page.locator("#charts path.line").nth(5).waitFor({ state: "attached" });
    const titles = await page.locator("#charts figcaption").allTextContents();
    expect(titles).toEqual([
      "Messages per second",
      "Latency",
      "Messages without an answer so far",
      "Open connections",
    ]);
    const before = await countPoints(page);
    expect(before).toBeGreaterThan(0);
    // The load ends before the test's patience does.
    while ((await countPoints(page)) === before) await Bun.sleep(100);
    expect(await page.locator("#now").textContent()).toMatch(
      /open connections\d+sent[\d,]+answered[\d,]+ \(/,
    );
    expect(await page.locator("#report").textContent()).toBe("");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);

    await page.getByText("The attack has ended. Its report is in ").waitFor();
    const [said, printed] = await Promise.all([rest, new Response(child.stdout).text()]);
    // On a busy machine the figures may not count, which is not what is tested.
    expect([0, 14], said).toContain(await child.exited);
    expect(await page.locator("#now").textContent()).toMatch(/sent1,200answered1,200lost0/);
    const report = (await page.locator("#report").textContent()) ?? "";
    for (const part of ["stages to 20, 0 connections", "to 20 in 3 s", "What was done", "How to read this"]) {
      expect(report).toContain(part);
    }
    const shown = await page.content();
    expect(`${shown}${said}${printed}`).not.toContain("hush");
    expect(complaints).toEqual([]);
    await page.close();
  });
});

async function countPoints(page: Page): Promise<number> {
  const path = (await page.locator("#charts path.line").first().getAttribute("d")) ?? "";
  return path.split("L").length;
}

/** Where the page is, as soon as that is said; and all that is said until the end. */
async function readAddress(stream: ReadableStream<Uint8Array>) {
  let said = "";
  const found = Promise.withResolvers<string>();
  const rest = (async () => {
    for await (const chunk of stream) {
      said += Buffer.from(chunk).toString();
      const [, url] = /Live page: (\S+)\n/.exec(said) ?? [];
      if (url !== undefined) found.resolve(url);
    }
    found.reject(new Error(`no live page: ${said}`));
    return said;
  })();
  return { url: await found.promise, rest };
}
