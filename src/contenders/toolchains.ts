import { mkdir } from "node:fs/promises";
import { throwIfAborted } from "../process/abort.ts";
import { buildEnvironment, findProgram, toolchainsFolder } from "../process/child-environment.ts";
import { withLock } from "../process/lock.ts";
import { runStreaming } from "../process/streaming.ts";
import type { NotRun } from "../result/reasons.ts";
import type { Requirement } from "./manifest.ts";
import {
  findPackageManager,
  formatInstall,
  installCommand,
  installEnvironment,
  type PackageManager,
  refreshCommand,
  unpackCommand,
} from "./package-manager.ts";
import { describeToolchain } from "./support.ts";
import { compareVersions, findVersion } from "./version.ts";

export type ToolchainState = FoundToolchain | MissingToolchain;

interface FoundToolchain {
  readonly status: "ok" | "installed";
  readonly tool: string;
  /** The line in which the tool states it. */
  readonly version: string;
  /** What is to be said for another version: that its makers mend this one no more. Null while they do. */
  readonly outdated: string | null;
}

interface MissingToolchain {
  readonly status: "missing";
  readonly tool: string;
  readonly minimum: string | null;
  /** The version that is there and too old; null where there is none, or it can't be told. */
  readonly found: string | null;
  /** What is wrong, such as `go 1.18.1 is older than 1.19`. */
  readonly reason: string;
  /** What to type to get it, or the advice where no package is known. */
  readonly command: string;
}

/** A requirement that is not met as it should be. */
interface Lacking {
  readonly key: string;
  readonly requirement: Requirement;
  readonly state: ToolchainState;
  readonly reason: string;
}

export interface EnsureOptions {
  readonly install: "yes" | "ask" | "never";
  /** Asked once for everything that is missing, and only with `install: "ask"`. */
  readonly ask?: (question: string) => Promise<boolean>;
  /** What the package manager prints. */
  readonly onLine?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** How packages are installed here; found out when absent, null when there is no way. */
  readonly packageManager?: PackageManager | null;
}

/** Long enough for a JVM on a busy machine; a program that waits for input never answers. */
const versionTimeoutMs = 20_000;

async function look(
  requirement: Requirement,
  status: "ok" | "installed",
  signal: AbortSignal | undefined,
): Promise<ToolchainState> {
  const { tool, version: command, minimum } = requirement;
  const missing = (reason: string, found: string | null = null) =>
    describeMissing(requirement, status === "installed" ? `installed, but ${reason}` : reason, found);
  if (findProgram(tool) === null) return missing(`${tool} is not on PATH`);
  const program = findProgram(command[0] ?? tool);
  if (program === null) return missing(`${command[0]} is not on PATH`);
  const printed = await print([program, ...command.slice(1)], signal);
  if (printed === null) return missing(`"${command.join(" ")}" failed`);
  const { line, version } = findVersion(printed, [tool, command[0] ?? tool]);
  if (version === null && minimum !== undefined)
    return missing(`"${command.join(" ")}" states no version; expected ${minimum} or newer`);
  if (version !== null && minimum !== undefined && compareVersions(version, minimum) < 0) {
    return missing(`${tool} ${version} is older than ${minimum}`, version);
  }
  const { name, endedOn } = describeToolchain(tool, line, new Date().toISOString().slice(0, 10));
  const outdated = endedOn === null ? null : `${name} ${version} is out of support since ${endedOn}`;
  return { status, tool, version: line, outdated };
}

/** What is to be said for another version; null where this one is as it should be. */
function complaint(state: ToolchainState): string | null {
  return state.status === "missing" ? state.reason : state.outdated;
}

function describeMissing(
  requirement: Requirement,
  reason: string,
  found: string | null,
  manager: PackageManager | null = null,
): MissingToolchain {
  const { tool, minimum = null } = requirement;
  return { status: "missing", tool, minimum, found, reason, command: formatInstall(requirement, manager) };
}

/** What a version command prints, to stdout or (Java) to stderr; null when it fails. */
async function print(command: readonly string[], signal: AbortSignal | undefined): Promise<string | null> {
  const timeout = AbortSignal.timeout(versionTimeoutMs);
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  try {
    const { code, lastLines } = await runStreaming(command, { env: buildEnvironment(), signal: either });
    return code === 0 ? lastLines.join("\n") : null;
  } catch (error) {
    throwIfAborted(signal);
    if (timeout.aborted) return null;
    throw error;
  }
}

/**
 * Looks for what contenders require, and installs what is missing where that is wanted and possible without a
 * password. Each requirement gets its own answer; equal ones are looked up once. Never throws for a tool that
 * cannot be had: that contender is then not run, and the others are.
 *
 * @throws {ShowdownError} `aborted`
 */
export async function ensureToolchains(
  requirements: readonly Requirement[],
  options: EnsureOptions,
): Promise<Map<Requirement, ToolchainState>> {
  const distinct = new Map(requirements.map((one) => [JSON.stringify(one), one]));
  const states = new Map<string, ToolchainState>();
  const lookAll = [...distinct].map(async ([key, one]) =>
    states.set(key, await look(one, "ok", options.signal)),
  );
  await Promise.all(lookAll);
  const answer = () =>
    new Map(requirements.map((one) => [one, states.get(JSON.stringify(one)) as ToolchainState]));
  const lacking = [...distinct].flatMap(([key, requirement]): Lacking[] => {
    const state = states.get(key) as ToolchainState;
    const reason = complaint(state);
    return reason === null ? [] : [{ key, requirement, state, reason }];
  });
  if (lacking.length === 0) return answer();
  const { packageManager: manager = await findPackageManager() } = options;
  for (const { key, requirement, state } of lacking)
    if (state.status === "missing")
      states.set(key, { ...state, command: formatInstall(requirement, manager) });
  const isInstallable = ({ requirement, state }: Lacking) =>
    state.status === "missing" && manager?.usable === true && requirement.install[manager.name] !== undefined;
  const offered = lacking.filter((one) => isInstallable(one) || unpackCommand(one.requirement) !== null);
  if (offered.length === 0 || !(await isWanted(offered, options))) return answer();
  for (const { key, requirement } of offered) states.set(key, await unpack(requirement, options));
  const rest = offered.filter((one) =>
    isInstallable({ ...one, state: states.get(one.key) as ToolchainState }),
  );
  if (manager === null || rest.length === 0) return answer();
  const refresh = refreshCommand(manager);
  // A refresh that fails (one broken source among many) need not stop the installation.
  if (refresh !== null) await run(refresh, options);
  for (const { key, requirement } of rest) states.set(key, await install(requirement, manager, options));
  return answer();
}

/** Brings a newer version where there is a way. Where not, what is there has to do. */
async function unpack(requirement: Requirement, options: EnsureOptions): Promise<ToolchainState> {
  await mkdir(toolchainsFolder, { recursive: true }).catch(() => {}); // told by the command
  const unpackOnce = async () => {
    // Null when another requirement, or another program, has just brought it.
    const command = unpackCommand(requirement);
    if (command === null) return;
    const code = await run(command, options);
    if (code !== 0) options.onLine?.(`failed with exit code ${code}; going on with what is there`);
  };
  await withLock(`${toolchainsFolder}.lock`, unpackOnce, { signal: options.signal });
  return look(requirement, "installed", options.signal);
}

async function install(
  requirement: Requirement,
  manager: PackageManager,
  options: EnsureOptions,
): Promise<ToolchainState> {
  const command = installCommand(requirement, manager);
  const code = await run(command, options);
  if (code === 0) return look(requirement, "installed", options.signal);
  return describeMissing(requirement, `"${command.join(" ")}" failed with exit code ${code}`, null, manager);
}

async function isWanted(lacking: readonly Lacking[], { install, ask }: EnsureOptions): Promise<boolean> {
  if (install !== "ask") return install === "yes";
  if (ask === undefined) return false;
  const reasons = lacking.map(({ reason }) => reason).join(", ");
  return ask(`Missing: ${reasons}. Install ${lacking.map(({ state }) => state.tool).join(", ")} now?`);
}

async function run(command: readonly string[], { onLine, signal }: EnsureOptions): Promise<number> {
  onLine?.(`$ ${command.join(" ")}`);
  const env = buildEnvironment(installEnvironment);
  return (await runStreaming(command, { env, onLine, signal })).code;
}

const statesOf = (requires: readonly Requirement[], states: ReadonlyMap<Requirement, ToolchainState>) =>
  requires.flatMap((one) => states.get(one) ?? []);

/** For the result file: what each toolchain of a contender says of its version. */
export function toolchainVersions(
  requires: readonly Requirement[],
  states: ReadonlyMap<Requirement, ToolchainState>,
): Record<string, string> {
  const found = statesOf(requires, states).filter((state) => state.status !== "missing");
  return Object.fromEntries(found.map(({ tool, version }) => [tool, version]));
}

/** The toolchains that keep a contender from running; none when it can. */
export function findMissing(
  requires: readonly Requirement[],
  states: ReadonlyMap<Requirement, ToolchainState>,
): MissingToolchain[] {
  return statesOf(requires, states).filter((state) => state.status === "missing");
}

/** Why a contender without these takes no part. */
export function lacksToolchains(missing: readonly MissingToolchain[]): NotRun {
  const tools = missing.map(({ tool, minimum, found }) => ({ tool, minimum, found }));
  return { kind: "toolchain-missing", tools };
}
