import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { formatUrl, isLoopback } from "../contenders/address.ts";
import { discoverContenders, manifestName } from "../contenders/discover.ts";
import { enterRunning, type ResolvedEntrant, resolveEntrants } from "../contenders/entrants.ts";
import { ShowdownError } from "../errors.ts";
import { cacheFolder } from "../machine/installation.ts";
import { readTlsTrust } from "../process/tls.ts";
import type { RunEvent } from "../run/events.ts";
import { type PrepareOptions, prepareEntrants } from "../run/prepare.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";
import { contenderFolders } from "./paths.ts";

/**
 * The entrants named on the command line, a path being a contender's folder; without names those of a default run, or
 * with `--all` everyone.
 */
export async function findEntrants(
  names: readonly string[],
  values: OptionValues,
  host: Host,
): Promise<ResolvedEntrant[]> {
  const wanted = names.map((name) => readName(name, host));
  const roots = [...contenderFolders(values, host), ...wanted.flatMap(({ folder }) => folder ?? [])];
  return resolveEntrants(
    await discoverContenders(roots),
    wanted.map(({ name }) => name),
    values.all,
  );
}

/** `./my-server:tuned` is a folder, and the contender that it holds. */
function readName(text: string, host: Host): { readonly name: string; readonly folder: string | null } {
  const [, path = "", variant = ""] = /^((?:.*\/)?[^/:]*)(:[^/]*)?$/.exec(text) ?? [];
  if (!path.includes("/") && !/^\.+$/.test(path)) return { name: text, folder: null };
  const folder = resolve(host.cwd, path);
  if (!existsSync(join(folder, manifestName))) {
    throw new ShowdownError("unknownContender", `${text}: there is no ${join(folder, manifestName)}`, {
      hint: 'make a contender with "showdown new", or name one that "showdown list" shows',
    });
  }
  return { name: basename(folder) + variant, folder };
}

/**
 * The servers that run already, as entrants beside `others`. The first thing that is told is where the load goes.
 *
 * @throws {ShowdownError} `usage`
 */
export function findRunning(
  { url: urls = [], name: names = [], ...values }: OptionValues,
  others: readonly ResolvedEntrant[],
  host: Host,
): ResolvedEntrant[] {
  if (urls.length !== names.length) {
    throw new ShowdownError("usage", `${urls.length} --url and ${names.length} --name: expected one each`, {
      hint: "showdown run --url ws://127.0.0.1:8080/ws --name mine bun-native",
    });
  }
  const trust = readTlsTrust(values, host.cwd);
  const running = urls.map((url, at) => enterRunning(names[at] ?? "", url, trust));
  const taken = others.map(({ contender }) => contender);
  for (const { contender, address } of running) {
    if (taken.includes(contender)) {
      throw new ShowdownError("usage", `--name ${contender}: expected a name that no other contender has`);
    }
    taken.push(contender);
    if (address === null) continue;
    const far = isLoopback(address) ? "" : " It is not this machine: its figures include the network.";
    host.err(`The load of ${contender} goes to ${formatUrl(address)}, which showdown did not start.${far}\n`);
  }
  return running;
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
  const options = { ...installOptions(values, host), cacheDir: cacheFolder, signal, onEvent };
  const prepared = await prepareEntrants(entrants, options);
  return {
    ready: prepared.filter(({ facts }) => facts.notRun === null).map(({ entrant }) => entrant),
    buildFailed: prepared.some(({ facts }) => facts.notRun?.kind === "build-failed"),
  };
}
