/**
 * How long the program takes to say its version, and a command to do its least, beside `node -e 0`,
 * alternately: `npm run build && npm run build:executable && bun bench/startup.ts`
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectFolder } from "../src/machine/installation.ts";
import { median } from "../src/stats/intervals.ts";

const times = 15;
const dist = join(projectFolder, "dist");
const main = join(dist, "main.js");
const executable = join(dist, "showdown");
const sources = join(projectFolder, "src", "cli", "main.ts");
const yardstick = "node -e 0";

const commands: Readonly<Record<string, readonly string[]>> = {
  [yardstick]: ["node", "-e", "0"],
  "bun -e 0": [process.execPath, "-e", "0"],
  "sources, --version": [process.execPath, sources, "--version"],
  "sources, list": [process.execPath, sources, "list"],
  ...(existsSync(main)
    ? {
        "package, --version": [process.execPath, main, "--version"],
        "package, list": [process.execPath, main, "list"],
        "package, run --dry-run": [process.execPath, main, "run", "--dry-run", "bun-native"],
        "package, by its launcher": ["node", join(projectFolder, "bin", "showdown.mjs"), "--version"],
      }
    : {}),
  ...(existsSync(executable) ? { "executable, --version": [executable, "--version"] } : {}),
};

const tookMs = new Map<string, number[]>(Object.keys(commands).map((name) => [name, []]));
for (let time = -1; time < times; time += 1) {
  for (const [name, command] of Object.entries(commands)) {
    const startMs = performance.now();
    const { exitCode, stderr } = Bun.spawnSync([...command], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}: ${stderr}`);
    // The first one reads it from the disk.
    if (time >= 0) tookMs.get(name)?.push(performance.now() - startMs);
  }
}
const yardstickMs = median(tookMs.get(yardstick) ?? []);
for (const [name, all] of tookMs) {
  const ms = median(all);
  process.stdout.write(
    `${name.padEnd(26)} ${ms.toFixed(0).padStart(5)} ms  ${(ms / yardstickMs).toFixed(2)}×\n`,
  );
}
