import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { createDashboard, dashboardPath, writeDashboard } from "../../scripts/grafana-dashboard.ts";
import { showdownCommand, smokeRun, temporaryFolder } from "../showdown/showdown.ts";
import { startEcho } from "./echo-server.ts";
import { findPrometheus, startPrometheus } from "./prometheus.ts";

setDefaultTimeout(180_000);
const results = temporaryFolder();
afterAll(() => rmSync(results, { recursive: true }));
const found = findPrometheus();
const why = "problem" in found ? ` (skipped: ${found.problem})` : "";

test("docs/grafana is what the script writes: else run bun scripts/grafana-dashboard.ts", () => {
  expect(readFileSync(dashboardPath, "utf8")).toBe(writeDashboard());
});

test.skipIf("problem" in found)(
  `a Prometheus that asks a run and an attack has data for every panel of the dashboard${why}`,
  async () => {
    if ("problem" in found) return;
    const prometheus = await startPrometheus(found.folder, 2);
    const echo = startEcho();
    try {
      const startSeconds = Date.now() / 1000;
      const run = [
        ...smokeRun,
        "clean",
        "--phases",
        "connect,burst-echo,endurance-echo",
        "--endurance-seconds",
        "3",
      ];
      const attack = ["attack", echo.url, "--connections", "4", "--rate", "400", "--duration", "4s"];
      const scrapes = await Promise.all(
        [run, attack].map((args, place) => watch(args, prometheus.watch[place] ?? (() => {}))),
      );
      const over = { start: `${startSeconds}`, end: `${Date.now() / 1000}`, step: "0.5" };

      for (const { title, targets } of createDashboard().panels) {
        const [{ expr } = { expr: "" }] = targets;
        const query = expr.replaceAll(/\$(run|contender)/g, ".*").replaceAll("$__rate_interval", "3s");
        expect(query).not.toContain("$");
        const { result } = (await prometheus.ask("query_range", { query, ...over })) as Matrix;
        const numbers = result.flatMap(({ values }) => values.map(([, value]) => Number(value)));
        expect(numbers.filter(Number.isFinite).length, `${title}: ${query}`).toBeGreaterThan(0);
      }
      for (const { query } of createDashboard().templating.list) {
        const text = typeof query === "string" ? null : query.query.replaceAll("$run", ".*");
        const [, series = "", label = ""] = /^label_values\((.*), (\w+)\)$/.exec(text ?? "") ?? [];
        if (text === null) continue;
        const values = await prometheus.ask(`label/${label}/values`, { "match[]": series });
        expect(values, text).toHaveLength(2);
      }

      const promtool = join(found.folder, "promtool");
      for (const scraped of scrapes) {
        const checked = Bun.spawnSync([promtool, "check", "metrics"], { stdin: Buffer.from(scraped) });
        expect(checked.stderr.toString() + checked.stdout).toBe("");
        expect(checked.exitCode).toBe(0);
      }
    } finally {
      await echo.stop();
      await prometheus.stop();
    }
  },
);

/** Runs a command whose metrics are watched while it goes on. Returns the last that was served. */
async function watch(args: readonly string[], begin: (url: string) => void): Promise<string> {
  const child = Bun.spawn(showdownCommand(...args, "--metrics", "0", "--results", results), {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let stderr = "";
  let scraping: Promise<string> | null = null;
  for await (const chunk of child.stderr) {
    stderr += Buffer.from(chunk).toString();
    const url = /^Metrics: (\S+)$/m.exec(stderr)?.[1];
    if (url === undefined || scraping !== null) continue;
    begin(url);
    scraping = scrapeUntilGone(url);
  }
  return (await scraping) ?? "";
}

async function scrapeUntilGone(url: string): Promise<string> {
  for (let last = ""; ; ) {
    try {
      last = await (await fetch(url)).text();
    } catch {
      return last;
    }
    await Bun.sleep(200);
  }
}

interface Matrix {
  readonly result: readonly { readonly values: readonly (readonly [number, string])[] }[];
}
