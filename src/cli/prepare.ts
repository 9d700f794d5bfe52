import { join } from "node:path";
import { buildContender } from "../contenders/build.ts";
import { discoverContenders } from "../contenders/discover.ts";
import {
  describeEntrant,
  formatEntrant,
  type ResolvedEntrant,
  resolveEntrants,
} from "../contenders/entrants.ts";
import type { Requirement } from "../contenders/manifest.ts";
import {
  ensureToolchains,
  findMissing,
  type ToolchainState,
  toolchainVersions,
} from "../contenders/toolchains.ts";
import { BuildError, NothingToRunError } from "../errors.ts";
import { projectFolder } from "../machine/environment.ts";
import type { ContenderFacts } from "../result/schema.ts";
import type { RunEvent } from "../run/events.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";
import { contenderFolders } from "./paths.ts";

/** Kept between runs: what was built and verified, the versions of toolchains. */
export const cacheDir = join(projectFolder, ".cache");

export interface Prepared {
  readonly ready: readonly ResolvedEntrant[];
  /** Of every entrant asked for, those that can't run included. */
  readonly facts: ContenderFacts[];
  readonly buildFailed: boolean;
}

/** The entrants named on the command line, or all by default. */
export async function findEntrants(
  names: readonly string[],
  values: OptionValues,
  host: Host,
): Promise<ResolvedEntrant[]> {
  return resolveEntrants(await discoverContenders(contenderFolders(values, host)), names);
}

/**
 * Toolchains and builds. Who lacks one is listed as not run, and the rest goes on.
 *
 * @throws NothingToRunError when nobody is left
 */
export async function prepare(
  entrants: readonly ResolvedEntrant[],
  values: OptionValues,
  host: Host,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): Promise<Prepared> {
  onEvent({ kind: "preparing", text: "looking for toolchains" });
  const states = await ensureToolchains(
    entrants.flatMap(({ manifest }) => manifest.requires),
    {
      install: values["no-install"] ? "never" : values.yes || host.ask === undefined ? "yes" : "ask",
      ...(host.ask === undefined ? {} : { ask: host.ask }),
      onLine: (line) => onEvent({ kind: "preparing", text: line }),
      cacheDir,
      signal,
    },
  );
  const ready: ResolvedEntrant[] = [];
  const facts: ContenderFacts[] = [];
  const builds = new Map<string, Build>();
  for (const entrant of entrants) {
    const missing = findMissing(entrant.manifest.requires, states);
    const build: Build =
      missing !== null
        ? { sourceDigest: "", notRun: `toolchain missing: ${missing.reason}; ${missing.command}` }
        : (builds.get(entrant.contender) ?? (await buildOne(entrant, states, signal, onEvent)));
    builds.set(entrant.contender, build);
    facts.push(
      describeEntrant(entrant, {
        ...build,
        verified: null,
        toolchains: toolchainVersions(entrant.manifest.requires, states),
      }),
    );
    if (build.notRun === null) ready.push(entrant);
    else onEvent({ kind: "warning", text: `${formatEntrant(entrant)} is not run: ${build.notRun}` });
  }
  if (ready.length === 0) {
    throw new NothingToRunError(
      `nothing can run:\n${facts.map(({ name, notRun }) => `       ${name}: ${notRun}`).join("\n")}`,
    );
  }
  return { ready, facts, buildFailed: facts.some(({ notRun }) => notRun?.startsWith("build failed")) };
}

type Build = Pick<ContenderFacts, "sourceDigest" | "notRun">;

async function buildOne(
  { contender: name, folder, manifest }: ResolvedEntrant,
  states: ReadonlyMap<Requirement, ToolchainState>,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): Promise<Build> {
  onEvent({ kind: "preparing", text: `building ${name}` });
  try {
    const { sourceDigest } = await buildContender(
      { name, folder, manifest },
      {
        cacheDir,
        toolchainVersions: toolchainVersions(manifest.requires, states),
        onLine: (line) => onEvent({ kind: "build-output", contender: name, line }),
        signal,
      },
    );
    return { sourceDigest, notRun: null };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { sourceDigest: "", notRun: `build failed: ${error.message}` };
  }
}
