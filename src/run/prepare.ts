import { buildContender } from "../contenders/build.ts";
import { findBuildFolder } from "../contenders/build-folder.ts";
import { describeEntrant, formatEntrant, type ResolvedEntrant } from "../contenders/entrants.ts";
import type { Requirement } from "../contenders/manifest.ts";
import {
  ensureToolchains,
  findMissing,
  lacksToolchains,
  type ToolchainState,
  toolchainVersions,
} from "../contenders/toolchains.ts";
import { isShowdownError, ShowdownError } from "../errors.ts";
import { throwIfAborted } from "../process/abort.ts";
import type { ContenderFacts } from "../result/schema.ts";
import type { RunEvent } from "./events.ts";
import { askForEcho } from "./target.ts";

/** For a server that is said to run already. */
const answerMs = 2000;

/** An entrant that can run, or why it can't. */
export interface Prepared {
  readonly entrant: ResolvedEntrant;
  readonly facts: ContenderFacts;
}

export interface PrepareOptions {
  /** Whether missing toolchains are installed. */
  readonly install: "yes" | "ask" | "never";
  readonly ask?: (question: string) => Promise<boolean>;
  readonly cacheDir: string;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

/**
 * Toolchains and builds. Who lacks one is not run, and the rest goes on.
 *
 * @throws {ShowdownError} `nothingToRun` when nobody is left; `aborted`
 */
export async function prepareEntrants(
  entrants: readonly ResolvedEntrant[],
  options: PrepareOptions,
): Promise<readonly Prepared[]> {
  const { install, ask, signal, onEvent } = options;
  if (entrants.length === 0) {
    throw new ShowdownError("nothingToRun", "there is no contender: the executable comes without any", {
      hint: "name the folder of one, such as ./my-server, or --contenders DIR; npx ws-showdown brings its own",
    });
  }
  onEvent({ kind: "preparing", step: "install", contender: null });
  const states = await ensureToolchains(
    entrants.flatMap(({ requires }) => requires),
    {
      install: install === "ask" && ask === undefined ? "yes" : install,
      ...(ask === undefined ? {} : { ask }),
      onLine: (line) => onEvent({ kind: "build-output", contender: "toolchains", line }),
      signal,
    },
  );
  const prepared: Prepared[] = [];
  const builds = new Map<string, Build>();
  for (const entrant of entrants) {
    throwIfAborted(signal);
    const { contender, variant, requires } = entrant;
    const missing = findMissing(requires, states);
    const build: Build =
      missing.length > 0
        ? { sourceDigest: "", notRun: lacksToolchains(missing), folder: entrant.folder }
        : (builds.get(contender) ?? (await buildOne(entrant, states, options)));
    builds.set(contender, build);
    const toolchains = toolchainVersions(requires, states);
    const { sourceDigest, notRun, folder } = build;
    const facts = describeEntrant(entrant, { sourceDigest, notRun, verified: null, toolchains });
    prepared.push({ entrant: { ...entrant, folder }, facts });
    if (build.notRun === null) continue;
    const advice = [...new Set(missing.map(({ command }) => command))].join("; ");
    const event = { kind: "not-run", contender, variant, reason: build.notRun } as const;
    onEvent(advice === "" ? event : { ...event, advice });
  }
  if (prepared.every(({ facts }) => facts.notRun !== null)) {
    const names = prepared.map(({ entrant }) => formatEntrant(entrant)).join(", ");
    const isBuild = prepared.some(({ facts }) => facts.notRun?.kind === "build-failed");
    throw new ShowdownError("nothingToRun", `no contender can run: ${names}`, {
      hint: isBuild
        ? "showdown build CONTENDER shows what its build prints"
        : "the messages above say what each of them needs",
    });
  }
  return prepared;
}

interface Build extends Pick<ContenderFacts, "sourceDigest" | "notRun"> {
  /** Where it was built, and is to be started. */
  readonly folder: string;
}

async function buildOne(
  entrant: ResolvedEntrant,
  states: ReadonlyMap<Requirement, ToolchainState>,
  { cacheDir, signal, onEvent }: PrepareOptions,
): Promise<Build> {
  const { contender, requires, address } = entrant;
  if (address !== null) {
    const problem = await askForEcho(address, answerMs, signal);
    return {
      sourceDigest: "",
      notRun: problem === null ? null : { kind: "unreachable", problem },
      folder: "",
    };
  }
  onEvent({ kind: "preparing", step: "build", contender });
  const folder = await findBuildFolder(entrant, cacheDir);
  const source = { ...entrant, folder, sources: entrant.folder };
  try {
    const { sourceDigest, outcome } = await buildContender(source, {
      cacheDir,
      toolchainVersions: toolchainVersions(requires, states),
      onLine: (line) => onEvent({ kind: "build-output", contender, line }),
      signal,
    });
    const host = new URL(entrant.downloads ?? "about:blank").hostname;
    return {
      sourceDigest,
      notRun: outcome === "unreachable" ? { kind: "download-unreachable", host } : null,
      folder,
    };
  } catch (error) {
    if (!isShowdownError(error, "build")) throw error;
    return { sourceDigest: "", notRun: { kind: "build-failed", problem: error.message }, folder };
  }
}
