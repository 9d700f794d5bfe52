import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { z } from "zod";
import { isShowdownError } from "../errors.ts";
import { nearest } from "../text/nearest.ts";
import { readResultFile, readStored, type StoredAttack, type StoredResult, unusable } from "./read.ts";
import type { Result } from "./schema.ts";

/** Where runs are looked for. */
export interface RunSource {
  readonly resultsFolder: string;
  /** What paths are relative to. */
  readonly cwd: string;
  /** Told of each file that `latest` passes over because it can't be read. */
  readonly onSkipped?: (problem: string) => void;
}

/** A run of a results folder, by the first lines of its file: nothing else of it has been read. */
interface RunFile {
  /** Of the folder, which anyone may have renamed. */
  readonly name: string;
  /** Of `result.json`. */
  readonly path: string;
  /** As the file says; null where it says nothing that can be read. */
  readonly id: string | null;
  /** Milliseconds since 1970; null likewise. */
  readonly startedAtMs: number | null;
}

const fileName = "result.json";
/** A file that showdown wrote has its id and its time within these. */
const headBytes = 1024;

/**
 * Reads a run by `latest`, its id, a prefix that only one id has, its folder or its file. `latest` is the newest, by
 * the time in its file, of the runs that measured something.
 *
 * @throws ShowdownError when there is no such run, or what is there can't be read
 */
export function readRun(reference: string, from: RunSource): StoredResult {
  if (reference !== "latest") return readResultFile(findRun(reference, from));
  return readLatest(from, (path) => {
    const stored = readStored(path);
    return "result" in stored && hasMeasured(stored.result) ? stored : null;
  });
}

/**
 * As `readRun`, also of an attack.
 *
 * @throws ShowdownError likewise
 */
export function readRunOrAttack(reference: string, from: RunSource): StoredResult | StoredAttack {
  if (reference !== "latest") return readStored(findRun(reference, from));
  return readLatest(from, (path) => {
    const stored = readStored(path);
    const isWorthIt = "attack" in stored ? stored.attack.messages.sent > 0 : hasMeasured(stored.result);
    return isWorthIt ? stored : null;
  });
}

/** @param read null for what has nothing to show */
function readLatest<T>({ resultsFolder, onSkipped }: RunSource, read: (path: string) => T | null): T {
  const runs = listRuns(resultsFolder);
  const broken = runs.filter(({ startedAtMs }) => startedAtMs === null);
  // Copies of one run have one time: the folder that still has the run's name is preferred.
  const newestFirst = runs
    .filter(({ startedAtMs }) => startedAtMs !== null)
    .sort(
      (a, b) =>
        (b.startedAtMs ?? 0) - (a.startedAtMs ?? 0) || Number(b.name === b.id) - Number(a.name === a.id),
    );
  for (const { path } of [...broken, ...newestFirst]) {
    try {
      const stored = read(path);
      if (stored !== null) return stored;
    } catch (error) {
      if (!isShowdownError(error)) throw error;
      onSkipped?.(error.message);
    }
  }
  throw unusable(
    runs.length === 0
      ? `there is no run in ${resultsFolder}`
      : `no run in ${resultsFolder} has measured anything that can be read`,
    "make one with: showdown run, or say with --results where they are",
  );
}

/** A run that ended before its first phase has nothing to show. */
function hasMeasured({ rounds }: Result): boolean {
  return rounds.some(({ phases }) => phases.some(({ status }) => status !== "not-run"));
}

function findRun(reference: string, { resultsFolder, cwd }: RunSource): string {
  const runs = listRuns(resultsFolder);
  const by = (is: (name: string) => boolean) =>
    runs.filter(({ name, id }) => is(name) || (id !== null && is(id)));
  const folder = runs.find(({ name }) => name === reference);
  const exact = folder === undefined ? by((name) => name === reference) : [folder];
  const matches = exact.length > 0 ? exact : by((name) => name.startsWith(reference));
  const [only] = matches;
  // A path may look like an id's beginning, but nobody means "2" by a folder of that name when a run has it.
  if (matches.length === 1 && only !== undefined) return only.path;
  const path = resolve(cwd, reference);
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) return path;
    if (existsSync(join(path, fileName))) return join(path, fileName);
    const hint = "give the folder of one run, its result.json or its id";
    throw unusable(`${path} holds no ${fileName}: it is not the folder of a run`, hint);
  }
  if (matches.length > 1) {
    const fits = `"${reference}" fits ${matches.length} runs: ${listSome(matches)}; expected one`;
    throw unusable(fits, "give more of the id, or the folder's name");
  }
  const names = runs.flatMap(({ name, id }) => (id === null || id === name ? [name] : [name, id]));
  const near = nearest(reference, names);
  throw unusable(
    `no run "${reference}": there is neither such a file or folder nor a run of that id in ${resultsFolder}`,
    runs.length === 0
      ? "that folder has no runs; say with --results where they are"
      : `${near === null ? "" : `did you mean "${near}"? `}there are ${listSome(runs)}; or say "latest"`,
  );
}

function listSome(runs: readonly RunFile[]): string {
  const shown = runs.slice(-5).map(({ name }) => name);
  return `${runs.length > shown.length ? `${runs.length - shown.length} older ones, ` : ""}${shown.join(", ")}`;
}

/** The runs of a results folder, oldest first by the time in their files; those without one come first. */
export function listRuns(resultsFolder: string): RunFile[] {
  if (!existsSync(resultsFolder)) return [];
  return readdirSync(resultsFolder)
    .sort()
    .flatMap((name): RunFile[] => {
      const path = join(resultsFolder, name, fileName);
      return existsSync(path) ? [{ name, path, ...readHead(path) }] : [];
    })
    .sort((a, b) => (a.startedAtMs ?? 0) - (b.startedAtMs ?? 0));
}

const headPattern =
  /^\s*\{\s*"schema"\s*:\s*\d+\s*,\s*"id"\s*:\s*("(?:[^"\\]|\\.)*")\s*,\s*"startedAt"\s*:\s*("[^"\\]*")/;

const headSchema = z.object({
  id: z.string().nullable().catch(null),
  startedAt: z.string().transform(Date.parse).catch(Number.NaN),
});

function readHead(path: string): Pick<RunFile, "id" | "startedAtMs"> {
  try {
    const [, id, startedAt] = headPattern.exec(readBeginning(path)) ?? [];
    // Written by another program, in another order: only the whole file tells.
    const text = id === undefined ? readFileSync(path, "utf8") : `{"id":${id},"startedAt":${startedAt}}`;
    const head = headSchema.parse(JSON.parse(text));
    return { id: head.id, startedAtMs: Number.isNaN(head.startedAt) ? null : head.startedAt };
  } catch {
    // Whoever reads the file itself is told why.
    return { id: null, startedAtMs: null };
  }
}

function readBeginning(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(headBytes);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, headBytes, 0));
  } finally {
    closeSync(file);
  }
}
