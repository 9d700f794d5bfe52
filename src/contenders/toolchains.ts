import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { buildEnvironment, findProgram } from "../process/child-environment.ts";
import { runStreaming } from "../process/streaming.ts";
import type { Requirement } from "./manifest.ts";
import {
  findPackageManager,
  formatInstall,
  installCommands,
  type PackageManager,
} from "./package-manager.ts";
import { compareVersions, findVersion } from "./version.ts";

export type ToolchainState =
  /** `version` is the line in which the tool states it. */
  | { readonly status: "ok" | "installed"; readonly tool: string; readonly version: string }
  | {
      readonly status: "missing";
      readonly tool: string;
      /** What is wrong, such as `go 1.18.1 is older than 1.19`. */
      readonly reason: string;
      /** What to type to get it, or the advice where no package is known. */
      readonly command: string;
    };

export interface EnsureOptions {
  readonly install: "yes" | "ask" | "never";
  /** Asked once for everything that is missing, and only with `install: "ask"`. */
  readonly ask?: (question: string) => Promise<boolean>;
  /** What the package manager prints. */
  readonly onLine?: (line: string) => void;
  /** Keeps the versions of programs that did not change, for a runtime may take 200 ms just to say its own. */
  readonly cacheDir?: string;
  readonly signal?: AbortSignal;
  /** How packages are installed here; found out when absent, null when there is no way. */
  readonly packageManager?: PackageManager | null;
}

interface CachedVersion {
  readonly stamp: string;
  readonly printed: string;
}

/** What version commands printed, by command, kept in a file between runs. */
class VersionCache {
  readonly #path: string | null;
  readonly #known = new Map<string, CachedVersion>();
  #changed = false;

  constructor(cacheDir: string | undefined) {
    this.#path = cacheDir === undefined ? null : join(cacheDir, "toolchains.json");
  }

  async load(): Promise<void> {
    if (this.#path === null) return;
    try {
      const stored = JSON.parse(await readFile(this.#path, "utf8")) as Record<string, CachedVersion>;
      for (const [key, value] of Object.entries(stored)) this.#known.set(key, value);
    } catch {
      // No cache yet, or a broken one: the commands are simply run again.
    }
  }

  async save(): Promise<void> {
    if (this.#path === null || !this.#changed) return;
    await mkdir(dirname(this.#path), { recursive: true });
    const draft = `${this.#path}.${process.pid}`;
    await writeFile(draft, `${JSON.stringify(Object.fromEntries(this.#known), null, 2)}\n`);
    await rename(draft, this.#path);
  }

  /** What the command prints, run again only when its program changed; null when it fails. */
  async print(command: readonly string[], program: string): Promise<string | null> {
    // stat follows links, so an upgrade behind /usr/bin/elixir is seen.
    const { mtimeMs, size, ino } = await stat(program);
    const stamp = `${program} ${ino} ${size} ${mtimeMs}`;
    const key = JSON.stringify(command);
    const known = this.#known.get(key);
    if (known?.stamp === stamp) return known.printed;
    const printed = await printVersion(command, program);
    if (printed === null) return null;
    this.#known.set(key, { stamp, printed });
    this.#changed = true;
    return printed;
  }
}

/** Long enough for a JVM on a busy machine; a program that waits for input never answers. */
const versionTimeoutMs = 20_000;

async function printVersion(command: readonly string[], program: string): Promise<string | null> {
  const child = Bun.spawn([program, ...command.slice(1)], {
    env: buildEnvironment(),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    timeout: versionTimeoutMs,
    killSignal: "SIGKILL",
  });
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  // Java prints its version to stderr.
  return (await child.exited) === 0 ? `${stdout}\n${stderr}` : null;
}

type Check = { version: string } | { reason: string };

async function check(requirement: Requirement, cache: VersionCache): Promise<Check> {
  const { tool, version: command, minimum } = requirement;
  if (findProgram(tool) === null) return { reason: `${tool} is not on PATH` };
  const program = findProgram(command[0] ?? tool);
  if (program === null) return { reason: `${command[0]} is not on PATH` };
  const printed = await cache.print(command, program);
  if (printed === null) return { reason: `"${command.join(" ")}" failed` };
  const { line, version } = findVersion(printed, [tool, command[0] ?? tool]);
  if (minimum !== undefined) {
    if (version === null)
      return { reason: `"${command.join(" ")}" states no version; expected ${minimum} or newer` };
    if (compareVersions(version, minimum) < 0)
      return { reason: `${tool} ${version} is older than ${minimum}` };
  }
  return { version: line };
}

function missing(requirement: Requirement, reason: string, manager: PackageManager | null): ToolchainState {
  return { status: "missing", tool: requirement.tool, reason, command: formatInstall(requirement, manager) };
}

/**
 * Looks for what contenders require, and installs what is missing where that is wanted and possible without a
 * password. Each requirement gets its own answer; equal ones are looked up once. Never throws for a tool that
 * cannot be had: that contender is then not run, and the others are.
 */
export async function ensureToolchains(
  requirements: readonly Requirement[],
  options: EnsureOptions,
): Promise<Map<Requirement, ToolchainState>> {
  const cache = new VersionCache(options.cacheDir);
  await cache.load();
  const distinct = new Map<string, Requirement>();
  for (const requirement of requirements) distinct.set(JSON.stringify(requirement), requirement);
  const states = new Map<string, ToolchainState>();
  const absent: { key: string; requirement: Requirement; reason: string }[] = [];
  await Promise.all(
    [...distinct].map(async ([key, requirement]) => {
      const found = await check(requirement, cache);
      if ("version" in found)
        states.set(key, { status: "ok", tool: requirement.tool, version: found.version });
      else absent.push({ key, requirement, reason: found.reason });
    }),
  );

  if (absent.length > 0) {
    const manager =
      options.packageManager === undefined ? await findPackageManager() : options.packageManager;
    for (const { key, requirement, reason } of absent) states.set(key, missing(requirement, reason, manager));
    const installable = absent.filter(({ requirement }) => installCommands(requirement, manager) !== null);
    if (manager?.usable === true && installable.length > 0 && (await isWanted(installable, options))) {
      let isFirst = true;
      for (const { key, requirement } of installable) {
        states.set(key, await install(requirement, manager, { ...options, refresh: isFirst }, cache));
        isFirst = false;
      }
    }
  }
  await cache.save();
  return new Map(
    requirements.map((requirement) => {
      const state = states.get(JSON.stringify(requirement));
      return [requirement, state ?? missing(requirement, "not looked for", null)];
    }),
  );
}

async function isWanted(
  absent: readonly { requirement: Requirement; reason: string }[],
  { install: choice, ask }: EnsureOptions,
): Promise<boolean> {
  if (choice !== "ask") return choice === "yes";
  if (ask === undefined) return false;
  const list = absent.map(({ reason }) => reason).join(", ");
  return ask(
    `Missing: ${list}. Install ${absent.map(({ requirement }) => requirement.tool).join(", ")} now?`,
  );
}

async function install(
  requirement: Requirement,
  manager: PackageManager,
  options: EnsureOptions & { readonly refresh: boolean },
  cache: VersionCache,
): Promise<ToolchainState> {
  const commands = installCommands(requirement, manager) ?? [];
  for (const command of options.refresh ? [...manager.refresh, ...commands] : commands) {
    options.onLine?.(`$ ${command.join(" ")}`);
    const { code } = await runStreaming(command, {
      env: buildEnvironment(manager.env),
      onLine: options.onLine,
      signal: options.signal,
    });
    // A refresh that fails (one broken source among many) need not stop the installation.
    if (code !== 0 && commands.includes(command)) {
      return missing(requirement, `"${command.join(" ")}" failed with exit code ${code}`, manager);
    }
  }
  const found = await check(requirement, cache);
  if ("version" in found) return { status: "installed", tool: requirement.tool, version: found.version };
  return missing(requirement, `installed, but ${found.reason}`, null);
}

/** For the result file: what each toolchain of a contender says of its version. */
export function toolchainVersions(
  requires: readonly Requirement[],
  states: ReadonlyMap<Requirement, ToolchainState>,
): Record<string, string> {
  const versions: Record<string, string> = {};
  for (const requirement of requires) {
    const state = states.get(requirement);
    if (state !== undefined && state.status !== "missing") versions[state.tool] = state.version;
  }
  return versions;
}

/** The first missing toolchain of a contender, or null when it can run. */
export function findMissing(
  requires: readonly Requirement[],
  states: ReadonlyMap<Requirement, ToolchainState>,
): (ToolchainState & { status: "missing" }) | null {
  for (const requirement of requires) {
    const state = states.get(requirement);
    if (state?.status === "missing") return state;
  }
  return null;
}
