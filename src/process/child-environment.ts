import { accessSync, constants } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { build, cacheFolder, projectFolder } from "../machine/installation.ts";
import { listFolder } from "../machine/sources.ts";

/** Holds a folder with a `bin` for each toolchain that this machine has not, or only too old. May be removed. */
export const toolchainsFolder = join(cacheFolder, "toolchains");

/** The project's own programs come first, so that `bun` is the Bun that runs this; in a package, that one's folder. */
function childPath(path = process.env.PATH ?? ""): string {
  const toolchains = listFolder(toolchainsFolder).map((name) => join(toolchainsFolder, name, "bin"));
  const own = build === null ? join(projectFolder, "node_modules", ".bin") : dirname(process.execPath);
  const parts = [own, ...toolchains, path];
  return parts.filter((part) => part !== "").join(delimiter);
}

/** Finds a program as a child process would: on that PATH, or, with a slash in its name, from the child's folder. */
export function findProgram(name: string, folder: string = process.cwd()): string | null {
  if (!name.includes("/")) return Bun.which(name, { PATH: childPath() });
  const path = resolve(folder, name);
  try {
    accessSync(path, constants.X_OK);
    return path;
  } catch {
    return null;
  }
}

/** The environment of builds and version commands: the user's, for proxies, caches and version managers. */
export function buildEnvironment(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { ...definedOnly(process.env), ...extra, PATH: childPath() };
}

/**
 * What a server sees of the user's environment. Nothing else: a GOGC, GOMAXPROCS, NODE_OPTIONS or ERL_FLAGS left
 * over in somebody's shell would change the result and stand nowhere in it.
 */
const passedOn =
  /^(HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR|LD_LIBRARY_PATH|DYLD_LIBRARY_PATH|JAVA_HOME|(ASDF|MISE|NVM|SDKMAN|RBENV|PYENV)_[A-Z_]+)$/;

/** The environment of a server: that of its manifest, and the little that programs need to start at all. */
export function serverEnvironment(
  extra: Readonly<Record<string, string>>,
  inherited: Readonly<Record<string, string | undefined>> = process.env,
): Record<string, string> {
  const kept = Object.entries(definedOnly(inherited)).filter(([name]) => passedOn.test(name));
  return { ...Object.fromEntries(kept), PATH: childPath(inherited.PATH), ...extra };
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const defined = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return Object.fromEntries(defined);
}
