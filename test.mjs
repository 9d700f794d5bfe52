// Everything that has to pass, in the order in which it is quickest to fail. Runs on Node before anything is
// installed; the tests themselves run on Bun, and each contender's by its own toolchain.
import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { bun, root, setUp } from "./setup.mjs";

setUp();
const showdown = join(root, "src", "cli", "main.ts");
const bin = join(root, "node_modules", ".bin");
// What the build may have unpacked, because the system's is too old.
const elixir = join(root, ".cache", "toolchains", "elixir", "bin");
const env = { ...process.env, PATH: `${bin}:${elixir}:${process.env.PATH}`, MIX_ENV: "test" };
const isAll = process.argv.includes("--all");
const longestMs = 5 * 60_000;

step("formatter and linter", join(bin, "biome"), ["check", "--error-on-warnings", "."]);
step("types", join(bin, "tsc"), []);
step("types of the pages", join(bin, "tsc"), ["-p", "tsconfig.page.json"]);
step("toolchains and contenders", bun, [showdown, "build", "--yes"]);
ownTests("go-gorilla", "go", ["test", "./..."]);
ownTests("go-gws", "go", ["test", "./..."]);
ownTests("elixir-genserver", "mix", ["test"]);
// Builds its hundred packages once more: minutes, where nobody asked for it.
if (isAll) ownTests("rust-axum", "cargo", ["test", "--locked", "--quiet"]);
else process.stdout.write("\n— rust-axum's own tests: skipped (npm test -- --all runs them)\n");

const counts = await bunTest();
process.stdout.write(
  `\n${counts.pass} passed, ${counts.fail} failed${counts.skip > 0 ? `, ${counts.skip} skipped` : ""}\n`,
);
process.exit(counts.status);

/** @param {string} command */
function has(command) {
  return spawnSync("sh", ["-c", `command -v ${command}`], { env }).status === 0;
}

/**
 * @param {string} contender
 * @param {string} command of its toolchain, without which they are left out
 * @param {readonly string[]} args
 */
function ownTests(contender, command, args) {
  const title = `${contender}'s own tests`;
  if (has(command)) step(title, command, args, join(root, "contenders", contender));
  else process.stdout.write(`\n— ${title}: skipped, there is no ${command}\n`);
}

/**
 * @param {string} title
 * @param {string} command
 * @param {readonly string[]} args
 */
function step(title, command, args, cwd = root) {
  process.stdout.write(`\n— ${title}\n`);
  /** @type {import("node:child_process").SpawnSyncOptions} */
  const options = { cwd, env, stdio: ["ignore", "inherit", "inherit"], timeout: longestMs };
  const { status, error } = spawnSync(command, args, options);
  if (status === 0) return;
  process.stderr.write(`error: ${title} failed${error ? `: ${error.message}` : ""}\n`);
  process.exit(1);
}

/** @returns {Promise<{ pass: number, fail: number, skip: number, status: number }>} */
async function bunTest() {
  process.stdout.write("\n— tests\n");
  // End-to-end tests start servers that take their time to end.
  const tests = spawn(
    bun,
    ["test", "--timeout", "120000", ...process.argv.slice(2).filter((arg) => arg !== "--all")],
    {
      cwd: root,
      env: process.env,
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let tail = "";
  tests.stdout.pipe(process.stdout);
  // Bun reports on stderr.
  /** @type {string[]} */
  const failures = [];
  /** @type {string[]} */
  let sincePrevious = [];
  const lines = createInterface({ input: tests.stderr });
  lines.on("line", (line) => {
    process.stdout.write(`${line}\n`);
    tail = `${tail}${line}\n`.slice(-4000);
    sincePrevious.push(line);
    if (/^\((pass|skip|todo|fail)\)/.test(line)) {
      if (line.startsWith("(fail)")) failures.push(sincePrevious.slice(-60).join("\n"));
      sincePrevious = [];
    }
  });
  const status = await new Promise((resolve) => tests.on("close", resolve));
  // Again at the end, where whoever reads a long log looks first.
  if (failures.length > 0) process.stdout.write(`\n— what failed\n${failures.join("\n")}\n`);
  const count = (/** @type {string} */ word) =>
    Number(new RegExp(`^\\s*(\\d+) ${word}$`, "m").exec(tail)?.[1] ?? 0);
  return { pass: count("pass"), fail: count("fail"), skip: count("skip"), status: status ?? 1 };
}
