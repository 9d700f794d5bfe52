import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { z } from "zod";
import { UsageError } from "../errors.ts";
import { planSchema } from "../plan/plan-schema.ts";
import { nearest } from "../text/nearest.ts";
import { type Result, resultSchema, schemaVersion } from "./schema.ts";

/** A result with the place it was read from. */
export interface StoredResult {
  readonly result: Result;
  /** Of `result.json`. */
  readonly path: string;
  readonly folder: string;
}

const fileName = "result.json";
/** More problems of one file than this are counted only. */
const problemsShown = 12;

/**
 * Reads a run by `latest`, its id, a prefix that only one id has, its folder or its file.
 *
 * @param from where runs are written, and what paths are relative to
 * @throws UsageError when there is no such run, or what is there can't be read
 */
export function readRun(
  reference: string,
  from: { readonly resultsFolder: string; readonly cwd: string },
): StoredResult {
  return readResultFile(findRun(reference, from));
}

function findRun(
  reference: string,
  { resultsFolder, cwd }: { readonly resultsFolder: string; readonly cwd: string },
): string {
  const ids = listRuns(resultsFolder);
  const newest = ids.at(-1);
  if (reference === "latest") {
    if (newest === undefined) {
      throw new UsageError(`there is no run in ${resultsFolder}`, {
        hint: "make one with: showdown run, or say with --results where they are",
      });
    }
    return join(resultsFolder, newest, fileName);
  }
  const matches = ids.includes(reference) ? [reference] : ids.filter((id) => id.startsWith(reference));
  const [only] = matches;
  // A path may look like an id's beginning, but nobody means "2" by a folder of that name when a run has it.
  if (matches.length === 1 && only !== undefined) return join(resultsFolder, only, fileName);
  const path = resolve(cwd, reference);
  if (existsSync(path)) {
    if (!statSync(path).isDirectory()) return path;
    if (existsSync(join(path, fileName))) return join(path, fileName);
    throw new UsageError(`${path} holds no ${fileName}: it is not the folder of a run`, {
      hint: "give the folder of one run, its result.json or its id",
    });
  }
  if (matches.length > 1) {
    throw new UsageError(
      `"${reference}" is the beginning of ${matches.length} runs: ${listSome(matches)}; expected only one`,
      { hint: "give more of the id" },
    );
  }
  const near = nearest(reference, ids);
  throw new UsageError(
    `no run "${reference}": there is neither such a file or folder nor a run of that id in ${resultsFolder}`,
    {
      hint:
        ids.length === 0
          ? "that folder has no runs; say with --results where they are"
          : `${near === null ? "" : `did you mean "${near}"? `}there are ${listSome(ids)}; or say "latest"`,
    },
  );
}

function listSome(ids: readonly string[]): string {
  const shown = ids.slice(-5);
  return `${ids.length > shown.length ? `${ids.length - shown.length} older ones, ` : ""}${shown.join(", ")}`;
}

/** Ids of the runs in a results folder, oldest first: they begin with their time. */
export function listRuns(resultsFolder: string): string[] {
  if (!existsSync(resultsFolder)) return [];
  return readdirSync(resultsFolder)
    .filter((id) => existsSync(join(resultsFolder, id, fileName)))
    .sort();
}

/**
 * Reads a `result.json` and makes sure that everything in it is what readers rely on.
 *
 * @throws UsageError naming the file and everything that is wrong with it
 */
export function readResultFile(path: string): StoredResult {
  const folder = dirname(path);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
  const data = parseJson(text, path);
  if (typeof data !== "object" || data === null || !("schema" in data)) {
    throw new UsageError(`${path} is not the result of a run: it has no "schema"`, {
      hint: "expected a result.json that showdown wrote",
    });
  }
  if (data.schema !== schemaVersion) throw refuseVersion(path, data.schema);
  const parsed = resultSchema.safeParse(data);
  const plan = "plan" in data ? planSchema.safeParse(data.plan) : null;
  const problems = [
    ...(parsed.error?.issues ?? []).map((issue) => describeIssue(issue, data)),
    ...(plan?.error?.issues ?? []).map((issue) =>
      describeIssue({ ...issue, path: ["plan", ...issue.path] }, data),
    ),
  ];
  if (parsed.data === undefined || problems.length > 0) throw refuse(path, problems);
  const contradictions = listContradictions(parsed.data);
  if (contradictions.length > 0) throw refuse(path, contradictions);
  return { result: parsed.data, path, folder };
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const size = `${Buffer.byteLength(text).toLocaleString("en")} bytes`;
    // Of a whole file the last character is the brace that closes it.
    if (!text.trimEnd().endsWith("}")) {
      throw new UsageError(`${path} is cut off: its ${size} end in the middle`, {
        cause: error,
        hint: "copy the file again, or repeat the run; what was cut off can't be made up",
      });
    }
    throw new UsageError(
      `${path} is not JSON (${error instanceof Error ? error.message : error}), all ${size} of it considered`,
      { cause: error, hint: "was it edited by hand? Take the file that showdown wrote" },
    );
  }
}

function refuseVersion(path: string, version: unknown): UsageError {
  const isNewer = typeof version === "number" && version > schemaVersion;
  return new UsageError(
    `${path} is of schema version ${JSON.stringify(version)}; expected ${schemaVersion}, the one of this showdown`,
    {
      hint: isNewer
        ? "a newer showdown wrote it: update this one"
        : "another showdown wrote it: read it with that version, or repeat the run",
    },
  );
}

function refuse(path: string, problems: readonly string[]): UsageError {
  const shown = problems.slice(0, problemsShown);
  const more = problems.length - shown.length;
  const lines = more > 0 ? [...shown, `and ${more} more`] : shown;
  return new UsageError(`${path} is not a valid result:${lines.map((line) => `\n       ${line}`).join("")}`, {
    hint: "was it edited by hand, or written by another version? Take the file that showdown wrote",
  });
}

function describeIssue(issue: z.core.$ZodIssue, data: unknown): string {
  const value = issue.path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    data,
  );
  const got = value === undefined ? "it is missing" : `got ${JSON.stringify(value)?.slice(0, 60)}`;
  const expected = issue.message.replace(/^Invalid (input|option): /, "").replace(/, received .*$/, "");
  return `${formatPath(issue.path)}: ${expected}; ${got}`;
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, place) => (typeof key === "number" ? `[${key}]` : `${place === 0 ? "" : "."}${String(key)}`))
    .join("");
}

/** Values that are fine by themselves and can't all be true. */
function listContradictions({ rounds, contenders, plan }: Result): string[] {
  return rounds.flatMap((round, at) => {
    const where = `rounds[${at}]`;
    const isKnown = contenders.some(
      ({ name, variant }) => name === round.contender && variant === round.variant,
    );
    return [
      ...(isKnown ? [] : [`${where}: contender "${round.contender}" is not among the contenders`]),
      ...(round.phases.length <= plan.phases.length
        ? []
        : [`${where}.phases: ${round.phases.length} phases; the plan has ${plan.phases.length}`]),
      ...round.phases.flatMap(({ messages }, phase) => {
        if (messages === null || messages.expected === messages.delivered + messages.lost) return [];
        const { expected, delivered, lost } = messages;
        return [
          `${where}.phases[${phase}].messages: ${expected} expected is not ${delivered} delivered and ${lost} lost`,
        ];
      }),
    ];
  });
}
