// Everything that has to pass, in the order in which it is quickest to fail. Runs on Node before anything is
// installed; the tests themselves run on Bun, and each contender's by its own toolchain.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bun, root, setUp } from "./setup.mjs";

/**
 * Tests whose answers hang on what else the machine does. They run one file after another with nothing beside them, all
 * others several at once.
 */
const measuring = [
  "src/engine/pacing/",
  "src/machine/",
  "src/process/probe.test.ts",
  "test/fixtures/",
  ...[
    "capacity",
    "causes",
    "chaos",
    "contention",
    "faulty-deliveries",
    "outcomes",
    "paced-broadcast",
    "rough-weather",
  ].map((name) => `test/showdown/${name}.test.ts`),
  ...["silences", "until", "warm-up"].map((name) => `test/showdown/${name}.test.ts`),
  "test/slices/",
];
/** Most of their time they wait, for clocks and for processes to start. */
const atOnce = Math.min(8, availableParallelism() + 2);
/** Of one file: each of them starts processes. */
const testsAtOnce = 4;
/**
 * Beside each other nobody may raise the priority of a process, as root can: a generator that spins would leave all
 * others on its CPU 1 % of it, and whoever waits for them gives up.
 */
const sideBySide =
  process.getuid?.() === 0 && spawnSync("setpriv", ["--version"]).status === 0
    ? ["setpriv", "--inh-caps=-sys_nice", "--bounding-set=-sys_nice"]
    : [];
/** Files that are run again where something failed in them: more of them are no matter of the machine. */
const mostAgain = 5;

setUp();
const showdown = join(root, "src", "cli", "main.ts");
const bin = join(root, "node_modules", ".bin");
// What the build may have unpacked, because the system has none, or one that is too old.
const toolchains = join(root, ".cache", "toolchains");
const filters = process.argv.slice(2).filter((arg) => arg !== "--all");
const isAll = process.argv.includes("--all");
const longestMs = 5 * 60_000;

await passAll(
  step("formatter and linter", join(bin, "biome"), ["check", "--error-on-warnings", "."]),
  step("types", join(bin, "tsc"), []),
  step("types of the pages", join(bin, "tsc"), ["-p", "tsconfig.page.json"]),
);
await passAll(step("toolchains and contenders", bun, [showdown, "build", "--yes"]));
// By themselves: some hold a server to how long it waits for a client, which a busy machine makes longer.
await passAll(
  ownTests("go-gorilla", "go", ["test", "./..."]),
  ownTests("go-gws", "go", ["test", "./..."]),
  ownTests("elixir-genserver", "mix", ["test"]),
  // Builds its hundred packages once more: minutes, where nobody asked for it.
  isAll
    ? ownTests("rust-axum", "cargo", ["test", "--locked", "--quiet"])
    : skip("rust-axum's own tests", "npm test -- --all runs them"),
);
const ignored = measuring.map((path) => `--path-ignore-patterns=${path}${path.endsWith("/") ? "**" : ""}`);
const isWhole = filters.length === 0;
/** @type {Awaited<ReturnType<typeof bunTest>>[]} */
const counts = [];
if (isWhole)
  counts.push(
    await bunTest(`tests, ${atOnce} files at once`, [`--parallel=${atOnce}`, ...ignored], sideBySide),
  );
counts.push(isWhole ? await bunTest("tests that measure", measuring) : await bunTest("tests", filters));
const failures = counts.flatMap((one) => one.failures);
const files = [...new Set(failures.map(({ file }) => file))];
const areAllTests = counts.every(
  ({ status, fail, failures }) => status === 0 || (fail > 0 && failures.length === fail),
);
// Again at the end, where whoever reads a long log looks first.
tell("what failed", failures);
// They may have lacked the CPU time that others took, of these tests or of this machine. Who fails again has failed.
const again =
  isWhole && areAllTests && files.length > 0 && files.length <= mostAgain
    ? await bunTest("what failed, once more and by itself", files)
    : null;
tell("what failed again", again?.failures ?? []);
const sum = (/** @type {"pass" | "fail" | "skip"} */ of) => counts.reduce((all, one) => all + one[of], 0);
const failed = again?.fail ?? sum("fail");
const skipped = sum("skip") > 0 ? `, ${sum("skip")} skipped` : "";
process.stdout.write(`\n${sum("pass") + sum("fail") - failed} passed, ${failed} failed${skipped}\n`);
process.exit(again?.status ?? Math.max(...counts.map(({ status }) => status)));

/** @param {readonly Promise<boolean>[]} steps at the same time; all are waited for, so that each says what it found */
async function passAll(...steps) {
  if ((await Promise.all(steps)).includes(false)) process.exit(1);
}

/**
 * @param {string} title
 * @param {readonly Failure[]} failures
 */
function tell(title, failures) {
  if (failures.length === 0) return;
  process.stdout.write(`\n— ${title}\n${failures.map(({ said }) => said).join("\n")}\n`);
}

/** Of the project's programs, and of contenders' own tests. */
function environment() {
  const unpacked = existsSync(toolchains) ? readdirSync(toolchains) : [];
  const path = [bin, ...unpacked.map((name) => join(toolchains, name, "bin")), process.env.PATH];
  return { ...process.env, PATH: path.join(":"), MIX_ENV: "test" };
}

/** @param {string} command */
function has(command) {
  return spawnSync("sh", ["-c", `command -v ${command}`], { env: environment() }).status === 0;
}

/**
 * @param {string} contender
 * @param {string} command of its toolchain, without which they are left out
 * @param {readonly string[]} args
 */
async function ownTests(contender, command, args) {
  const title = `${contender}'s own tests`;
  if (!has(command)) return skip(title, `there is no ${command}`);
  return await step(title, command, args, join(root, "contenders", contender));
}

/**
 * @param {string} title
 * @param {string} why
 */
async function skip(title, why) {
  process.stdout.write(`\n— ${title}: skipped, ${why}\n`);
  return true;
}

/**
 * Runs a command to its end, then prints what it said. Resolves to whether it succeeded.
 *
 * @param {string} title
 * @param {string} command
 * @param {readonly string[]} args
 */
async function step(title, command, args, cwd = root) {
  const startMs = performance.now();
  const options = { cwd, env: environment(), timeout: longestMs };
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
      said += text;
    });
  }
  const problem = await new Promise((/** @type {(problem: string | null) => void} */ resolve) => {
    child.on("error", (error) => resolve(error.message));
    child.on("close", (code, signal) => resolve(code === 0 ? null : `exit ${code ?? signal}`));
  });
  process.stdout.write(`\n— ${title} (${secondsSince(startMs)} s)\n${said}`);
  if (problem !== null) process.stderr.write(`error: ${title} failed: ${problem}\n`);
  return problem === null;
}

/** @param {number} startMs */
function secondsSince(startMs) {
  return Math.round((performance.now() - startMs) / 1000);
}

/**
 * @typedef {{ file: string, said: string }} Failure of one test
 *
 * @param {string} title
 * @param {readonly string[]} args
 * @param {readonly string[]} scene it is started in
 * @returns {Promise<{ pass: number, fail: number, skip: number, status: number, failures: Failure[] }>}
 */
async function bunTest(title, args, scene = []) {
  process.stdout.write(`\n— ${title}\n`);
  const startMs = performance.now();
  // End-to-end tests start servers that take their time to end.
  const limits = ["--timeout", "120000", `--max-concurrency=${testsAtOnce}`];
  const [command = bun, ...rest] = [...scene, bun, "test", ...limits, ...args];
  const tests = spawn(command, rest, {
    cwd: root,
    env: process.env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let tail = "";
  tests.stdout.pipe(process.stdout);
  // Bun reports on stderr.
  /** @type {Failure[]} */
  const failures = [];
  let file = "";
  let isOver = false;
  /** @type {string[]} */
  let sincePrevious = [];
  const lines = createInterface({ input: tests.stderr });
  lines.on("line", (line) => {
    process.stdout.write(`${line}\n`);
    tail = `${tail}${line}\n`.slice(-4000);
    sincePrevious.push(line);
    file = /^(\S+\.test\.ts):$/.exec(line)?.[1] ?? file;
    // Then it names them once more.
    isOver ||= /^\d+ tests? failed:$/.test(line);
    if (!isOver && /^\((pass|skip|todo|fail)\)/.test(line)) {
      if (line.startsWith("(fail)")) failures.push({ file, said: sincePrevious.slice(-60).join("\n") });
      sincePrevious = [];
    }
  });
  const status = await new Promise((/** @type {(status: number | null) => void} */ resolve) =>
    tests.on("close", resolve),
  );
  process.stdout.write(`— ${title}: ${secondsSince(startMs)} s\n`);
  const count = (/** @type {string} */ word) =>
    Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(tail)?.[1] ?? 0);
  const [pass, skip] = [count("pass"), count("skip")];
  // A file that could not be loaded, or a run that was cut off, is no failure of a test.
  const fail = count("fail") + count("errors?");
  return { pass, fail, skip, status: status ?? 1, failures };
}
