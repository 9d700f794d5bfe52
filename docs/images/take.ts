/**
 * Takes the pictures of this folder from pages of a real run.
 *
 *   bun docs/images/take.ts results/RUN/report.html docs/images/report.png [light|dark] [WIDTHxHEIGHT] [#SECTION]
 *
 * An address such as http://127.0.0.1:8080 instead of the file takes the live page as it is at that moment. Needs
 * Chromium (test/report/chromium.ts); with the font Inter (Debian: fonts-inter) it looks as in the README.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { launchChromium } from "../../test/report/chromium.ts";

const [page, out, scheme = "light", size = "1180x1330", section] = Bun.argv.slice(2);
const [width, height] = size.split("x").map(Number);
if (page === undefined || out === undefined || width === undefined || height === undefined) {
  throw new Error("expected: bun docs/images/take.ts PAGE OUT.png [light|dark] [WIDTHxHEIGHT] [#SECTION]");
}
const browser = await launchChromium();
try {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme === "dark" ? "dark" : "light",
    reducedMotion: "reduce",
  });
  const opened = await context.newPage();
  const isLive = page.includes("://");
  await opened.goto(isLive ? page : pathToFileURL(resolve(page)).href);
  // A report is drawn as it is written.
  if (isLive) await opened.waitForSelector("html[data-drawn]");
  await opened.waitForTimeout(300);
  if (section === undefined) await opened.screenshot({ path: out });
  else await opened.locator(section).screenshot({ path: out });
} finally {
  await browser.close();
}
