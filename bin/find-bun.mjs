import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/**
 * The Bun that npm installed beside this package, without any install script; else another one that is new enough: of
 * the package `bun`, whose own script takes the program out of the former, or on PATH. Where there is none, says so and
 * ends.
 *
 * @returns {string} its path
 */
export function findBun() {
  const packaged = findPackaged();
  if (packaged !== null) return packaged;
  const wanted = readWanted();
  let found = "none";
  for (const program of [resolve("bun/bin/bun.exe"), "bun"]) {
    const { stdout } =
      program === null ? { stdout: "" } : spawnSync(program, ["--version"], { encoding: "utf8" });
    const version = /^\d+\.\d+\.\d+/.exec(stdout ?? "")?.[0];
    if (program === null || version === undefined) continue;
    if (!isOlder(version, wanted)) return program;
    found = version;
  }
  process.stderr.write(
    `error: expected Bun ${wanted} or newer for ${process.platform}-${process.arch}, found ${found}: npm left out the optional packages of ws-showdown.\n  hint: install ws-showdown again without --omit=optional, or Bun from https://bun.sh\n`,
  );
  process.exit(1);
}

/**
 * @param {string} file
 * @returns {string | null}
 */
function resolve(file) {
  try {
    return require.resolve(file);
  } catch {
    return null;
  }
}

/** Of the packages that npm may have left here: baseline first, since whoever installed that one has a reason. */
function findPackaged() {
  const { platform, arch } = process;
  const base = `@oven/bun-${platform}-${arch === "arm64" ? "aarch64" : arch}`;
  for (const cpu of ["-baseline", ""]) {
    const [program, musl] = [resolve(`${base}${cpu}/bin/bun`), resolve(`${base}-musl${cpu}/bin/bun`)];
    // npm takes the one for this machine's C library, others may take both: only one of them starts.
    if (program !== null && musl !== null) return isMusl() ? musl : program;
    if (program !== null || musl !== null) return program ?? musl;
  }
  return null;
}

function isMusl() {
  const { report } = process;
  // Resolving every address of this machine takes seconds on some.
  /** @type {{ excludeNetwork?: boolean }} */ (report).excludeNetwork = true;
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (report.getReport());
  return header.glibcVersionRuntime === undefined;
}

/** The version that this package was made with. */
function readWanted() {
  const { optionalDependencies } = JSON.parse(readFileSync(require.resolve("../package.json"), "utf8"));
  return `${Object.values(optionalDependencies)[0]}`;
}

/**
 * @param {string} version
 * @param {string} than
 */
function isOlder(version, than) {
  const numbers = (/** @type {string} */ text) => text.split(".").map(Number);
  const [a, b] = [numbers(version), numbers(than)];
  const at = a.findIndex((number, index) => number !== b[index]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}
