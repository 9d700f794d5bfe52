import { mkdir, open, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { ShowdownError } from "../errors.ts";
import { listContradictions } from "./contradictions.ts";
import { type Result, resultSchema } from "./schema.ts";

/** A run's folder and its `result.json`. */
export interface ResultFile<T = Result> {
  readonly folder: string;
  readonly path: string;
  /**
   * Replaces the file as a whole, so that a reader, or a crash, never sees half of one.
   *
   * @returns what was written
   */
  write(result: T): Promise<T>;
}

/**
 * Whether a run's folder could be made there; leaves nothing behind.
 *
 * @throws {ShowdownError} `resultsFolder`
 */
export async function checkResultsFolder(resultsFolder: string): Promise<void> {
  try {
    await writeProbe(resultsFolder);
  } catch (error) {
    throw refuse(resultsFolder, error);
  }
}

/** Others who check the same folder at the same time may take it away again before the probe is in it. */
async function writeProbe(resultsFolder: string, triesLeft = 20): Promise<void> {
  const probe = join(resultsFolder, `.writable-${crypto.randomUUID()}`);
  const made = await mkdir(resultsFolder, { recursive: true });
  try {
    await replace(probe, "");
  } catch (error) {
    const isGone = (error as NodeJS.ErrnoException).code === "ENOENT";
    if (isGone && triesLeft > 0) return await writeProbe(resultsFolder, triesLeft - 1);
    throw error;
  }
  await rm(probe, { force: true });
  if (made !== undefined) await removeEmpty(resolve(resultsFolder), resolve(made));
}

/**
 * Makes the run's folder and writes the first result into it.
 *
 * @throws {ShowdownError} `resultsFolder` when that is not possible; later writes throw `writing`
 */
export async function createResultFile(resultsFolder: string, initial: Result): Promise<ResultFile> {
  return await createCheckedFile(resultsFolder, initial, check);
}

/**
 * As `createResultFile`, of whatever else a folder of results may hold.
 *
 * @param check gives back what is to be written, or throws
 */
export async function createCheckedFile<T extends { readonly id: string }>(
  resultsFolder: string,
  initial: T,
  check: (result: T) => T,
): Promise<ResultFile<T>> {
  const folder = join(resultsFolder, initial.id);
  const path = join(folder, "result.json");
  const first = check(initial);
  try {
    await mkdir(folder, { recursive: true });
    await replace(path, serialize(first));
  } catch (error) {
    throw refuse(resultsFolder, error);
  }
  const write = async (result: T) => {
    const checked = check(result);
    await writeRunFile(path, serialize(checked));
    return checked;
  };
  return { folder, path, write };
}

/**
 * Another file of a run, such as `report.md`.
 *
 * @throws {ShowdownError} `writing`
 */
export async function writeRunFile(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await replace(path, text);
  } catch (error) {
    throw new ShowdownError("writing", `${path} could not be written: ${messageOf(error)}`, {
      hint: "what was written before is still there; free some space and run again",
      cause: error,
    });
  }
}

/** What is written can always be read: a figure that the schema refuses is a fault of this program, found here. */
function check(result: Result): Result {
  const checked = resultSchema.parse(result);
  const contradictions = listContradictions(checked);
  if (contradictions.length === 0) return checked;
  throw new Error(`the result contradicts itself: ${contradictions.join("; ")}`);
}

function refuse(resultsFolder: string, cause: unknown): ShowdownError {
  const problem = `results folder ${resultsFolder} cannot be written: ${messageOf(cause)}`;
  const hint = "give another one with --results, or free some space";
  return new ShowdownError("resultsFolder", problem, { hint, cause });
}

/** Up to and including `last`; another run may be using one of them already. */
async function removeEmpty(folder: string, last: string): Promise<void> {
  for (let at = folder; at.startsWith(last); at = dirname(at)) await rmdir(at).catch(() => {});
}

function serialize(result: unknown): string {
  return `${JSON.stringify(result, null, 1)}\n`;
}

async function replace(path: string, text: string): Promise<void> {
  const unfinished = `${path}.unfinished`;
  const handle = await open(unfinished, "w");
  try {
    await handle.writeFile(text);
    // Otherwise a full disk may be noticed only after the good file is gone.
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, path);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
