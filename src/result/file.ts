import { mkdir, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { ResultsFolderError, WritingError } from "../errors.ts";
import type { Result } from "./schema.ts";

/** A run's folder and its `result.json`. */
export interface ResultFile {
  readonly folder: string;
  readonly path: string;
  /** Replaces the file as a whole, so that a reader, or a crash, never sees half of one. */
  write(result: Result): Promise<void>;
  /** Another file of the run, such as `report.md`. */
  writeBeside(name: string, text: string): Promise<string>;
}

/**
 * Creates the run's folder and writes the first result into it, before anything is started.
 *
 * @throws ResultsFolderError when that is not possible; later writes throw a `writing` error
 */
export async function createResultFile(resultsFolder: string, initial: Result): Promise<ResultFile> {
  const folder = join(resultsFolder, initial.id);
  const path = join(folder, "result.json");
  try {
    await mkdir(folder, { recursive: true });
    await replace(path, serialize(initial));
  } catch (error) {
    throw new ResultsFolderError(`results folder ${resultsFolder} cannot be written: ${messageOf(error)}`, {
      hint: "give another one with --results, or free some space",
      cause: error,
    });
  }
  const write = async (target: string, text: string) => {
    try {
      await replace(target, text);
    } catch (error) {
      throw new WritingError(`${target} could not be written: ${messageOf(error)}`, {
        hint: "what was written before is still there; free some space and run again",
        cause: error,
      });
    }
  };
  return {
    folder,
    path,
    write: (result) => write(path, serialize(result)),
    writeBeside: async (name, text) => {
      const target = join(folder, name);
      await write(target, text);
      return target;
    },
  };
}

function serialize(result: Result): string {
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
