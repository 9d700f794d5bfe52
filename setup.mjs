// Plain JavaScript: this runs on Node before anything is installed.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const root = import.meta.dirname ?? new URL(".", import.meta.url).pathname;
export const bun = join(root, "node_modules", ".bin", "bun");

const leastNode = 20;

/** Installs the npm dependencies, Bun among them, unless those of this lock file are there. Milliseconds then. */
export function setUp() {
  const node = Number(process.versions.node.split(".")[0]);
  if (node < leastNode) {
    fail(
      `Node ${process.versions.node}: expected ${leastNode} or newer. Install it from your package manager or nodejs.org.`,
    );
  }
  const stamp = join(root, "node_modules", ".showdown-lock");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .update(`${process.platform} ${process.arch}`)
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock && existsSync(bun)) return;
  process.stderr.write("Installing the dependencies (npm ci) …\n");
  // Of a clone these are what the program is made of: NODE_ENV=production must not leave them out.
  run("npm", ["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"]);
  // Bun's package puts its program in place by an install script, which npm may be configured not to run.
  if (spawnSync(bun, ["--version"]).status !== 0) {
    run(process.execPath, [join(root, "node_modules", "bun", "install.js")]);
  }
  writeFileSync(stamp, lock);
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function run(command, args) {
  // stdout belongs to the result (--json), so whatever the installation says goes to stderr.
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2] });
  if (status !== 0) {
    fail(
      `"${command} ${args.join(" ")}" failed${error ? `: ${error.message}` : ` with exit code ${status}`}.`,
    );
  }
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}
