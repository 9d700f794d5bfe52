import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, readResult, showdown, smokeRun, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder;
}

/** A contender whose build leaves a trace, so that a test can see whether anything was begun. */
function writeTracer(root: string): { readonly trace: string } {
  const folder = join(root, "tracer");
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, "contender.json"),
    JSON.stringify({
      title: "leaves a trace",
      language: "sh",
      library: "none",
      approach: "raw",
      routing: "parse",
      framing: "single",
      slowConsumer: "block",
      build: [["touch", "built"]],
      start: ["touch", "started"],
      products: ["built", "started"],
    }),
  );
  return { trace: join(folder, "built") };
}

/** Fails with one error, and says nothing on stdout. */
async function expectError(
  args: readonly string[],
  exitCode: number,
  ...says: readonly string[]
): Promise<void> {
  const results = newFolder();
  const ended = await showdown(...smokeRun, "--results", results, ...args);
  expect(ended).toMatchObject({ exitCode, stdout: "" });
  expect(ended.stderr.match(/^error: /gm)).toHaveLength(1);
  for (const text of says) expect(ended.stderr).toContain(text);
  // Refused before anything was written.
  expect(readResult(results)).toBeNull();
}

test("an unknown contender or variant gets the nearest name", async () => {
  await expectError(
    ["cleam", "go-gorilla:tune"],
    3,
    'no contender is named "cleam", did you mean "clean"',
    'contender "go-gorilla" has no variant "tune", did you mean "tuned"',
  );
});

test("a bad manifest is refused with all of its problems, whoever was asked for", async () => {
  const root = newFolder();
  for (const [name, text] of [
    ["one", '{ "titel": "x", "approach": "fast" }'],
    ["two", "{ no json"],
  ] as const) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, "contender.json"), text);
  }
  await expectError(
    ["--contenders", root, "clean"],
    4,
    join(root, "one", "contender.json"),
    "titel",
    'did you mean "title"',
    "approach",
    "language",
    "start",
    join(root, "two", "contender.json"),
  );
});

test.each([
  [["--connections", "0"], "--connections 0: expected a whole number from 1 to 2,000,000"],
  [["--connections", "1e9"], "--connections 1e9: expected a whole number from 1 to 2,000,000"],
  [["--connections", "abc"], "--connections abc: expected a whole number from 1 to 2,000,000"],
  [["--connections=-5"], "--connections -5: expected a whole number from 1 to 2,000,000"],
  [["--connections", "3000000"], "--connections 3000000: expected a whole number from 1 to 2,000,000"],
  [["--connections"], "--connections: expected a value"],
  [["--endurance-rate", "1.5"], "--endurance-rate 1.5: expected a whole number"],
  [["--quiet-seconds", "0"], "--quiet-seconds 0: expected a number from 0.1 to 600"],
  [
    ["--preset", "articel"],
    '--preset articel: expected one of smoke, quick, article, full, did you mean "article"',
  ],
  [["--conections", "5"], 'unknown option "--conections", did you mean "connections"'],
  [["--json=yes"], '--json takes no value, got "yes"'],
  [["--phases", "burst-ecko"], '"burst-ecko" is none, did you mean "burst-echo"'],
  [["--message-bytes", "20"], "--message-bytes 20: expected at least"],
  [["--workers", "51"], "--workers 51: expected at most one per connection (50)"],
  [["clean", "clean"], 'contender "clean" is named twice'],
  [["--contenders", "/no/such/folder"], 'contenders folder "/no/such/folder": does not exist'],
] as const)("%j is refused as impossible", async (args, says) => {
  await expectError(args, 2, says);
});

test("all impossible values are told at once", async () => {
  await expectError(
    ["--connections", "0", "--seed", "x", "--rate", "5"],
    2,
    "--connections 0",
    "--seed x",
    "--rate",
  );
});

test("an unknown command gets the nearest one", async () => {
  const ended = await showdown("rnu");
  expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
  expect(ended.stderr).toContain('unknown command "rnu", did you mean "run"');
});

test("a port in use is named with who listens there", async () => {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  try {
    const ended = await showdown(
      ...smokeRun,
      "--results",
      newFolder(),
      "--port",
      String(listener.port),
      "clean",
    );
    expect(ended).toMatchObject({ exitCode: 9, stdout: "" });
    expect(ended.stderr).toContain(`port ${listener.port} on 127.0.0.1 is in use by`);
    expect(ended.stderr).toContain(`(pid ${process.pid})`);
  } finally {
    listener.stop(true);
  }
});

test("an unwritable results folder is refused before anything is built or started", async () => {
  const root = newFolder();
  const { trace } = writeTracer(join(root, "contenders"));
  const file = join(root, "file");
  writeFileSync(file, "not a folder");
  const args = [...smokeRun, "--contenders", join(root, "contenders"), "tracer", "--results"];

  const refused = await showdown(...args, join(file, "results"));
  expect(refused).toMatchObject({ exitCode: 7, stdout: "" });
  expect(refused.stderr).toContain(`results folder ${join(file, "results")} cannot be written`);
  expect(existsSync(trace)).toBe(false);

  // Otherwise the trace would prove nothing.
  await showdown(...args, join(root, "results"));
  expect(existsSync(trace)).toBe(true);
});

test("a dry run prints the plan, and neither builds, starts nor writes anything", async () => {
  const root = newFolder();
  const { trace } = writeTracer(join(root, "contenders"));
  const results = join(root, "results");
  const ended = await showdown(
    ...smokeRun,
    "--contenders",
    join(root, "contenders"),
    "--results",
    results,
    "--rounds",
    "2",
    "--dry-run",
    "tracer",
    "clean",
  );
  expect(ended).toMatchObject({ exitCode: 0, stderr: "" });
  const { plan, order } = JSON.parse(ended.stdout);
  expect(plan).toMatchObject({ preset: "smoke", connections: 50, rounds: 2 });
  expect(order).toHaveLength(2);
  expect(existsSync(trace)).toBe(false);
  expect(existsSync(results)).toBe(false);
});
