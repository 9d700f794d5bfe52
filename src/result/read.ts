import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { ShowdownError } from "../errors.ts";
import { boundLines } from "../text/bound-lines.ts";
import { printable } from "../text/printable.ts";
import { describeIssues } from "../text/zod-issues.ts";
import { listContradictions } from "./contradictions.ts";
import { type Result, resultSchema, schemaVersion } from "./schema.ts";

/** A result with the place it was read from. */
export interface StoredResult {
  readonly result: Result;
  /** Of `result.json`. */
  readonly path: string;
  readonly folder: string;
}

/** More problems of one file than this are counted only. */
const problemsShown = 12;

/**
 * Reads a `result.json` and makes sure that everything in it is what readers rely on.
 *
 * @throws ShowdownError naming the file and everything that is wrong with it
 */
export function readResultFile(path: string): StoredResult {
  const folder = dirname(path);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new ShowdownError(
      "usage",
      `${path} cannot be read: ${error instanceof Error ? error.message : error}`,
      {
        cause: error,
      },
    );
  }
  const data = parseJson(text, path);
  if (typeof data !== "object" || data === null || !("schema" in data)) {
    throw new ShowdownError("usage", `${path} is not the result of a run: it has no "schema"`, {
      hint: "expected a result.json that showdown wrote",
    });
  }
  if (data.schema !== schemaVersion) throw refuseVersion(path, data.schema);
  const { data: result, error } = resultSchema.safeParse(data);
  if (result === undefined) throw refuse(path, describeIssues(error, { most: problemsShown, data }));
  const contradictions = listContradictions(result);
  if (contradictions.length > 0) throw refuse(path, boundLines(contradictions, problemsShown));
  return { result, path, folder };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const size = `${Buffer.byteLength(text).toLocaleString("en")} bytes`;
    // Of a whole file the last character is the brace that closes it.
    if (!text.trimEnd().endsWith("}")) {
      throw new ShowdownError("usage", `${path} is cut off: its ${size} end in the middle`, {
        cause: error,
        hint: "copy the file again, or repeat the run; what was cut off can't be made up",
      });
    }
    throw new ShowdownError(
      "usage",
      `${path} is not JSON (${printable((error as Error).message, { most: 120 })}), all ${size} of it considered`,
      { cause: error, hint: "was it edited by hand? Take the file that showdown wrote" },
    );
  }
}

function refuseVersion(path: string, version: unknown): ShowdownError {
  if (version === 1) {
    return new ShowdownError(
      "usage",
      `${path} was written by ws-showdown 0.1.0 (schema 1); this version reads schema ${schemaVersion}`,
      {
        hint: "read it with that version (commit c963a20 of this repository), or repeat the run with this one",
      },
    );
  }
  const isNewer = typeof version === "number" && version > schemaVersion;
  return new ShowdownError(
    "usage",
    `${path} is of schema ${printable(JSON.stringify(version), { most: 60 })}; this version reads schema ${schemaVersion}`,
    {
      hint: isNewer
        ? "a newer showdown wrote it: update this one"
        : "showdown never wrote such a file: take the one that it wrote",
    },
  );
}

function refuse(path: string, problems: readonly string[]): ShowdownError {
  return new ShowdownError(
    "usage",
    `${path} is not a valid result:${problems.map((line) => `\n       ${line}`).join("")}`,
    {
      hint: "was it edited by hand? Take the file that showdown wrote",
    },
  );
}
