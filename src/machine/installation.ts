import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** What scripts/build.ts writes into what it builds; run from its sources, the program has none. */
interface Build {
  /** The commit it was built from, as a result states it. */
  readonly commit: string | null;
  /** Of all sources: what is kept in the cache for one build says nothing of another. */
  readonly digest: string;
}
declare const SHOWDOWN_BUILD: Build | undefined;

export const build: Build | null = typeof SHOWDOWN_BUILD === "undefined" ? null : SHOWDOWN_BUILD;

const here = import.meta.dir;
/** Where Bun puts the files that an executable has inside. */
const isExecutable = here.startsWith("/$bunfs/");

/** The folder that holds package.json and the contenders. An executable has neither. */
export const projectFolder = build === null ? join(here, "..", "..") : isExecutable ? here : join(here, "..");

/** What is kept between runs. An installed package may be read-only, and is replaced by the next version. */
export const cacheFolder = build === null ? join(projectFolder, ".cache") : join(userCache(), "ws-showdown");

/** As the XDG Base Directory Specification has it: a relative path is to be ignored. */
function userCache({ XDG_CACHE_HOME = "" } = process.env): string {
  return isAbsolute(XDG_CACHE_HOME) ? XDG_CACHE_HOME : join(homedir(), ".cache");
}

/** Processes that the program starts of itself, see src/cli/main.ts. */
export type OwnProcess = "__worker" | "__noise-spinner" | "__thief" | "__null-server";

/** The command that starts one, or another one of its commands. */
export function ownCommand(name: OwnProcess | "agent", ...args: readonly string[]): string[] {
  const main = join(projectFolder, ...(build === null ? ["src", "cli", "main.ts"] : ["dist", "main.js"]));
  // Bun would read .env and bunfig.toml of the folder it is started in, which are another project's.
  const bunArgs = isExecutable ? [] : ["--no-env-file", "--config=/dev/null", main];
  return [process.execPath, ...bunArgs, name, ...args];
}
