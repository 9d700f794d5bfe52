import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readTopology } from "../../src/machine/cpus.ts";
import { type Scan, scanSchema } from "../../src/result/scan.ts";
import { type Result, resultSchema } from "../../src/result/schema.ts";
import { longestMs, showdown, smokeRun, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder;
}

const short = ["--phases", "connect,burst-echo", "--connections", "20"] as const;

/** Of the only scan in a results folder; null where there is none. */
function readScan(results: string): { readonly scan: Scan; readonly folder: string } | null {
  const folders = (existsSync(results) ? readdirSync(results) : []).filter((name) => name.endsWith("-scan"));
  expect(folders.length).toBeLessThanOrEqual(1);
  const [name] = folders;
  if (name === undefined) return null;
  const folder = join(results, name);
  return { scan: scanSchema.parse(JSON.parse(readFileSync(join(folder, "scan.json"), "utf8"))), folder };
}

const { cpus, canPin } = readTopology();
const most = cpus.length;

test.skipIf(!canPin)(
  "servers with one CPU, with all that the generator has too, and with more than there are",
  async () => {
    const results = newFolder();
    const ended = await showdown(
      ...smokeRun,
      ...short,
      ...["--results", results, "--scan", `server-cpus=1,${most},${most + 1}`, "clean", "writes-singly"],
    );
    expect(ended).toMatchObject({ exitCode: 0 });
    const { results: runs, ...told } = JSON.parse(ended.stdout) as Scan & { readonly results: unknown[] };
    const { scan, folder } = readScan(results) ?? {};
    expect(scanSchema.parse(told)).toEqual(scan as Scan);
    expect(scan?.status).toBe("finished");
    expect(scan?.values).toMatchObject([
      { value: "1", run: { sharesCpus: most === 1 }, notRun: null },
      { value: `${most}`, run: { sharesCpus: true, pacing: "timer" }, notRun: null },
      {
        value: `${most + 1}`,
        run: null,
        notRun: { kind: "too-few-cpus", needed: most + 1, available: most },
      },
    ]);
    const throughputs = scan?.figures.filter(({ measure }) => measure === "throughput") ?? [];
    expect(throughputs.map(({ contender }) => contender).sort()).toEqual(["clean", "writes-singly"]);
    for (const { cells } of throughputs) {
      const [first, second, third] = cells;
      expect([first?.ratio, third]).toEqual([null, null]);
      expect(second?.ratio?.ratio).toBeCloseTo((second?.value ?? 0) / (first?.value ?? 0));
    }
    // Each run is as every other: with its judgements, which say how many CPUs they hold for.
    const parsed = runs.map((one): Result => resultSchema.parse(one));
    expect(parsed.map(({ judgements }) => judgements[0])).toMatchObject([
      { serverCpus: 1, sharesCpus: most === 1 },
      { serverCpus: most, sharesCpus: true },
    ]);
    for (const { id } of parsed) expect(existsSync(join(results, id, "report.html"))).toBe(true);
    const page = readFileSync(join(folder ?? "", "report.html"), "utf8");
    expect(page).toContain("<svg");
    expect(page).not.toContain("<script");
    const markdown = readFileSync(join(folder ?? "", "report.md"), "utf8");
    expect(markdown).toContain(`not run:** needs ${most + 1} CPUs, has ${most}`);
    const shared = await showdown("report", parsed[1]?.id ?? "", "--results", results);
    expect(shared.stdout).toContain("server and generator share CPU");
    const listed = await showdown("history", "--json", "--results", results);
    for (const { id } of parsed) expect(listed.stdout).toContain(id);
  },
);

test("a scan of connections compares rounds, and one stopped in the middle keeps what was finished", async () => {
  const results = newFolder();
  const args = ["--phases", "connect,burst-echo", "--rounds", "2", "clean"];
  const ended = await showdown(...smokeRun, ...args, "--results", results, "--scan", "connections=10,20");
  expect(ended).toMatchObject({ exitCode: 0 });
  const whole = readScan(results)?.scan;
  const throughput = whole?.figures.find(({ measure }) => measure === "throughput");
  expect(throughput?.cells.map((cell) => cell?.rounds)).toEqual([2, 2]);
  const { ratio = 0, low = null, high = null } = throughput?.cells[1]?.ratio ?? {};
  expect(low ?? Number.NaN).toBeLessThan(ratio);
  expect(high ?? Number.NaN).toBeGreaterThan(ratio);
  // As a scan of connections would, if the second value were another.
  const stopped = await stopInSecond(...args);
  expect(stopped.exitCode).toBe(130);
  expect(stopped.scan).toMatchObject({
    status: "aborted",
    values: [
      { value: "10", notRun: null },
      { value: "20", notRun: { kind: "stopped-by-user" } },
      { value: "30", run: null, notRun: { kind: "stopped-by-user" } },
    ],
  });
  const kept = stopped.scan?.figures.find(({ measure }) => measure === "throughput");
  expect(kept?.cells.map((cell) => cell !== null)).toEqual([true, false, false]);
});

/** Ctrl-C as soon as the second run has a round. */
async function stopInSecond(...args: readonly string[]) {
  const results = newFolder();
  const program = join(import.meta.dir, "..", "..", "src", "cli", "main.ts");
  const scan = ["--scan", "connections=10,20,30", "--results", results];
  const child = Bun.spawn([process.execPath, program, ...smokeRun, ...args, ...scan], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let said = "";
  for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
    const hadBegun = isInSecond(said);
    said += text;
    if (!hadBegun && isInSecond(said)) child.kill("SIGINT");
  }
  return { exitCode: await child.exited, scan: readScan(results)?.scan };
}

function isInSecond(said: string): boolean {
  return /connections 20 \(2 of 3\)[\s\S]*connect \(1 of 2\)/.test(said);
}

test.each([
  ["connections", "expected a parameter and its values"],
  ["conections=1,2", 'no parameter of the plan is named "conections", did you mean "connections"'],
  ["json=1,2", 'no parameter of the plan is named "json"'],
  ["connections=10", "expected at least two values"],
  ["connections=10,many", '"many" is none of its values, expected a whole number'],
  ["server-cpus=0,1", '"0" is none of its values, expected how many CPUs'],
  ["connections=10,20 --connections 5", "--connections is given, too"],
  ["workers=1,30", "--workers 30: expected at most one per connection (20)"],
  [
    `server-cpus=${most + 1},${most + 2}`,
    canPin ? `every value needs more CPUs than there are, ${most}` : "this platform cannot pin",
  ],
])("--scan %s is refused before anything is run", async (scan, says) => {
  const results = newFolder();
  const given =
    scan.includes("--connections") || scan.startsWith("connections") ? [] : ["--connections", "20"];
  const ended = await showdown(
    ...smokeRun,
    "clean",
    ...given,
    "--results",
    results,
    "--scan",
    ...scan.split(" "),
  );
  expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
  expect(ended.stderr).toContain(says);
  expect(readdirSync(results)).toEqual([]);
});

test("a dry run of a scan has a plan for each value", async () => {
  const { exitCode, stdout } = await showdown(
    ...["run", "bun-native", "--dry-run", "--scan", "one-at-a-time=true,false"],
  );
  expect(exitCode).toBe(0);
  const { parameter, values } = JSON.parse(stdout);
  expect(parameter).toBe("one-at-a-time");
  expect(values).toMatchObject([
    { value: "true", plan: { oneAtATime: true } },
    { value: "false", plan: { oneAtATime: false } },
  ]);
});
