import { join } from "node:path";
import { discoverContenders } from "../contenders/discover.ts";
import { type ResolvedEntrant, resolveEntrants } from "../contenders/entrants.ts";
import { projectFolder } from "../machine/environment.ts";
import type { RunEvent } from "../run/events.ts";
import { type PrepareOptions, prepareEntrants } from "../run/prepare.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";
import { contenderFolders } from "./paths.ts";

/** Kept between runs: what was built and verified, the generator's ceiling. */
export const cacheDir = join(projectFolder, ".cache");

/** The entrants named on the command line; without names those of a default run, or with `--all` everyone. */
export async function findEntrants(
  names: readonly string[],
  values: OptionValues,
  host: Host,
): Promise<ResolvedEntrant[]> {
  return resolveEntrants(await discoverContenders(contenderFolders(values, host)), names, values.all);
}

/** How toolchains are installed, by the options and whether anybody can be asked. */
export function installOptions(values: OptionValues, { ask }: Host): Pick<PrepareOptions, "install" | "ask"> {
  if (values["no-install"]) return { install: "never" };
  return values.yes || ask === undefined ? { install: "yes" } : { install: "ask", ask };
}

/**
 * Toolchains and builds. Who lacks one is told as not run, and the rest goes on.
 *
 * @throws {ShowdownError} `nothingToRun` when nobody is left; `aborted`
 */
export async function prepare(
  entrants: readonly ResolvedEntrant[],
  values: OptionValues,
  host: Host,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): Promise<{ readonly ready: readonly ResolvedEntrant[]; readonly buildFailed: boolean }> {
  const options = { ...installOptions(values, host), cacheDir, signal, onEvent };
  const prepared = await prepareEntrants(entrants, options);
  return {
    ready: prepared.filter(({ facts }) => facts.notRun === null).map(({ entrant }) => entrant),
    buildFailed: prepared.some(({ facts }) => facts.notRun?.kind === "build-failed"),
  };
}
