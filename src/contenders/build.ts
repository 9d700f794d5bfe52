import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ShowdownError } from "../errors.ts";
import { buildEnvironment, findProgram } from "../process/child-environment.ts";
import { withLock } from "../process/lock.ts";
import type { Reaper } from "../process/reaper.ts";
import { runStreaming } from "../process/streaming.ts";
import { printable } from "../text/printable.ts";
import { digestSources } from "./digest.ts";
import type { ResolvedEntrant } from "./entrants.ts";

/** What of an entrant its build is made from: the same for all variants of a contender. */
export type BuildSource = Pick<
  ResolvedEntrant,
  "contender" | "folder" | "build" | "downloads" | "products" | "buildEnv"
> & {
  /** Where its sources lie, if that is not where it is built. */
  readonly sources?: string;
};

export interface BuildOptions {
  /** Keeps which digest a contender was built from, and the locks. */
  readonly cacheDir: string;
  readonly toolchainVersions: Readonly<Record<string, string>>;
  /** What the build prints, line by line. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly reaper?: Reaper;
}

interface BuildResult {
  /** SHA-256 over the sources, for the result file. */
  readonly sourceDigest: string;
  /**
   * `cached` when the products of the same sources and toolchains were there, `none` without build commands,
   * `unreachable` when what it downloads from did not answer.
   */
  readonly outcome: "built" | "cached" | "none" | "unreachable";
}

/** Package managers themselves try for minutes. */
const answerMs = 5000;

const shortDigest = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 8);

/** All that a build depends on. */
function digestBuild(
  { build, buildEnv }: BuildSource,
  sourceDigest: string,
  { toolchainVersions }: BuildOptions,
): string {
  const sorted = (record: Readonly<Record<string, string>>) =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [
    sourceDigest,
    build,
    sorted(buildEnv),
    sorted(toolchainVersions),
    Bun.version,
    process.platform,
    process.arch,
  ];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

async function answers(url: string): Promise<boolean> {
  try {
    const { body, ok } = await fetch(url, { signal: AbortSignal.timeout(answerMs) });
    await body?.cancel();
    return ok;
  } catch {
    return false;
  }
}

async function runCommand(
  command: readonly string[],
  source: BuildSource,
  options: BuildOptions,
): Promise<void> {
  const { folder, contender: name, buildEnv } = source;
  const line = printable(command.join(" "));
  const byHand = `look at it by hand: cd ${folder} && ${line}`;
  options.onLine?.(`$ ${line}`);
  const program = findProgram(command[0] ?? "", folder);
  if (program === null) {
    throw new ShowdownError(
      "build",
      `contender "${name}": cannot build, program "${printable(command[0] ?? "")}" was not found`,
      {
        hint: `name its toolchain under "requires" in ${join(folder, "contender.json")}, or install it`,
      },
    );
  }
  const { code, lastLines } = await runStreaming([program, ...command.slice(1)], {
    cwd: folder,
    env: buildEnvironment(buildEnv),
    onLine: options.onLine,
    signal: options.signal,
    reaper: options.reaper,
  });
  if (code === 0) return;
  const printed =
    lastLines.length === 0 ? "it printed nothing" : lastLines.map((last) => `  ${last}`).join("\n");
  throw new ShowdownError(
    "build",
    `contender "${name}": build command "${line}" failed with exit code ${code}\n${printed}`,
    { hint: byHand },
  );
}

/**
 * Builds a contender unless its products were made from the same sources, commands, environment and
 * toolchains. Another program that builds the same contender is waited for.
 * @throws {ShowdownError} `build` with the command, its exit code and the last 30 lines it printed.
 */
export async function buildContender(source: BuildSource, options: BuildOptions): Promise<BuildResult> {
  const { folder, contender: name, build, products } = source;
  const { cacheDir, onLine, signal } = options;
  const sourceDigest = await digestSources(source.sources ?? folder, products);
  const done = (outcome: BuildResult["outcome"]): BuildResult => ({ sourceDigest, outcome });
  if (build.length === 0) return done("none");

  // Contenders of one name in different folders keep apart.
  const builds = join(cacheDir, "builds");
  const stamp = join(builds, `${name}-${shortDigest(folder)}`);
  const forgets = ({ message }: Error) =>
    onLine?.(printable(`the build of ${name} cannot be remembered in "${cacheDir}": ${message}`));
  await mkdir(builds, { recursive: true }).catch(() => {}); // told when the stamp cannot be written
  const digest = digestBuild(source, sourceDigest, options);
  const readStamp = () => readFile(stamp, "utf8").catch(() => null);
  const isBuilt = async () =>
    (await readStamp()) === digest && products.every((product) => existsSync(join(folder, product)));
  if (await isBuilt()) return done("cached");

  const onWait = () => onLine?.(`waiting for another build of ${name}`);
  const buildAnew = async () => {
    if (await isBuilt()) return done("cached");
    if (source.downloads !== undefined && !(await answers(source.downloads))) return done("unreachable");
    // Gone first: products of a build that was cut off must not pass for those of the one before.
    await rm(stamp, { force: true }).catch(async (cause: Error) => {
      if ((await readStamp()) === null) return;
      throw new ShowdownError("writing", `cannot remove "${stamp}": ${cause.message}`, {
        hint: "it names the sources of products that are about to be replaced",
        cause,
      });
    });
    for (const command of build) await runCommand(command, source, options);
    const absent = products.find((product) => !existsSync(join(folder, product)));
    if (absent !== undefined) {
      throw new ShowdownError("build", `contender "${name}": the build succeeded but made no "${absent}"`, {
        hint: `expected what "products" lists in ${join(folder, "contender.json")}`,
      });
    }
    await writeFile(stamp, digest).catch(forgets);
    return done("built");
  };
  return withLock(`${stamp}.lock`, buildAnew, { onWait, signal });
}
