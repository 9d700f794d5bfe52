import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import type { z } from "zod";
import { ShowdownError } from "../errors.ts";
import { boundLines } from "../text/bound-lines.ts";
import { printable } from "../text/printable.ts";
import { describeIssues } from "../text/zod-issues.ts";
import { type AttackResult, attackResultSchema } from "./attack.ts";
import { listContradictions } from "./contradictions.ts";
import { type Result, resultSchema, schemaVersion } from "./schema.ts";

/** A result with the place it was read from. */
export interface StoredResult {
  readonly result: Result;
  /** Of `result.json`. */
  readonly path: string;
  readonly folder: string;
}

/** The same of an attack. */
export interface StoredAttack {
  readonly attack: AttackResult;
  readonly path: string;
  readonly folder: string;
}

/** More problems of one file than this are counted only. */
const problemsShown = 12;

/**
 * Reads a `result.json` of a run and makes sure that everything in it is what readers rely on.
 *
 * @throws ShowdownError naming the file and everything that is wrong with it
 */
export function readResultFile(path: string): StoredResult {
  const stored = readStored(path);
  if ("result" in stored) return stored;
  throw unusable(
    `${path} is the result of an attack, expected that of a run`,
    "see it with: showdown report",
  );
}

/**
 * As `readResultFile`, of an attack.
 *
 * @throws ShowdownError likewise
 */
export function readAttackFile(path: string): StoredAttack {
  const stored = readStored(path);
  if ("attack" in stored) return stored;
  throw unusable(`${path} is the result of a run, expected that of an attack`);
}

/**
 * As `readResultFile`, also of an attack.
 *
 * @throws ShowdownError likewise
 */
export function readStored(path: string): StoredResult | StoredAttack {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw unusable(`${path} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
  const data = parseJson(text, path);
  if (typeof data !== "object" || data === null || !("schema" in data)) {
    const hint = "expected a result.json that showdown wrote";
    throw unusable(`${path} is not the result of a run: it has no "schema"`, hint);
  }
  if (data.schema !== schemaVersion) throw refuseVersion(path, data.schema);
  const folder = dirname(path);
  if ("kind" in data && data.kind === "attack") {
    const attack = parse(attackResultSchema, data, path);
    return { attack, path, folder };
  }
  const result = parse(resultSchema, data, path);
  const problems = boundLines(listContradictions(result), problemsShown);
  if (problems.length > 0) throw refuse(path, problems);
  return { result, path, folder };
}

function parse<T>(schema: z.ZodType<T>, value: unknown, path: string): T {
  const { data, error } = schema.safeParse(value);
  if (error === undefined) return data;
  throw refuse(path, describeIssues(error, { most: problemsShown, data: value }));
}

function refuse(path: string, problems: readonly string[]): ShowdownError {
  const lines = problems.map((line) => `\n       ${line}`).join("");
  return unusable(`${path} is not a valid result:${lines}`, edited);
}

const edited = "was it edited by hand? Take the file that showdown wrote";

/** What the user gave is not what can be read. */
export function unusable(message: string, hint?: string): ShowdownError {
  return new ShowdownError("usage", message, { hint });
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const size = `${Buffer.byteLength(text).toLocaleString("en")} bytes`;
    // Of a whole file the last character is the brace that closes it.
    if (!text.trimEnd().endsWith("}")) {
      const hint = "copy the file again, or repeat the run; what was cut off can't be made up";
      throw unusable(`${path} is cut off: its ${size} end in the middle`, hint);
    }
    const problem = printable((error as Error).message, { most: 120 });
    throw unusable(`${path} is not JSON (${problem}), all ${size} of it considered`, edited);
  }
}

function refuseVersion(path: string, version: unknown): ShowdownError {
  const reads = `this version reads schema ${schemaVersion}`;
  if (version === 1) {
    return unusable(
      `${path} was written by ws-showdown 0.1.0 (schema 1); ${reads}`,
      "read it with that version (commit c963a20 of this repository), or repeat the run with this one",
    );
  }
  const isNewer = typeof version === "number" && version > schemaVersion;
  return unusable(
    `${path} is of schema ${printable(JSON.stringify(version), { most: 60 })}; ${reads}`,
    isNewer
      ? "a newer showdown wrote it: update this one"
      : "showdown never wrote such a file: take the one that it wrote",
  );
}
