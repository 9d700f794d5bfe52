import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const places = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** A browser to test the pages in: of this machine, or installed where nobody minds (CI, Debian, root). Null where there is none. */
export const chromiumPath = findChromium() ?? installChromium();

if (chromiumPath === null) {
  process.stderr.write(
    `pages are not tested: no Chromium at ${places.filter((place) => place !== undefined).join(", ")}; install one, such as by "apt-get install chromium", or name it in CHROMIUM\n`,
  );
}

export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === null) throw new Error("there is no Chromium: expected the tests to be skipped");
  return await chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox"] });
}

function findChromium(): string | null {
  return places.find((place) => place !== undefined && existsSync(place)) ?? null;
}

function installChromium(): string | null {
  const mayInstall =
    process.env.CI === "true" && process.getuid?.() === 0 && existsSync("/etc/debian_version");
  if (!mayInstall) return null;
  const apt = (...args: readonly string[]) =>
    spawnSync("apt-get", args, {
      stdio: ["ignore", "ignore", "inherit"],
      env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    });
  const packages = ["chromium", "fonts-liberation"];
  if (apt("install", "-y", "--no-install-recommends", ...packages).status !== 0) {
    apt("update");
    apt("install", "-y", "--no-install-recommends", ...packages);
  }
  return findChromium();
}
