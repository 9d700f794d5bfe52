import type { z } from "zod";
import { nearest } from "../text/nearest.ts";
import { manifestSchema } from "./manifest.ts";

/** One thing that is wrong with a `contender.json`. */
export interface ManifestProblem {
  /** Where in the file, such as `requires[0].install`; empty for the file as a whole. */
  readonly path: string;
  /** The value found, as JSON; `missing` where there is none. */
  readonly value: string;
  readonly expected: string;
}

type Path = readonly PropertyKey[];

function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return text === "" ? String(step) : `${text}.${String(step)}`;
  }, "");
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === "object" && value !== null ? (value as Record<PropertyKey, unknown>)[step] : undefined,
    root,
  );
}

function formatValue(value: unknown): string {
  if (value === undefined) return "missing";
  const json = JSON.stringify(value);
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}

/** What is read here of a schema; zod's own types differ per kind. */
interface Definition {
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly shape?: Readonly<Record<PropertyKey, z.ZodType>>;
}

/** The keys an object at this place may have. */
function keysAt(schema: z.ZodType, path: Path): string[] {
  const { innerType, element, valueType, shape } = schema.def as Definition;
  if (innerType !== undefined) return keysAt(innerType, path);
  const [step, ...rest] = path;
  if (step === undefined) return Object.keys(shape ?? {});
  const next = element ?? valueType ?? shape?.[step];
  return next === undefined ? [] : keysAt(next, rest);
}

function oneOf(values: readonly unknown[]): string {
  const quoted = values.map((value) => JSON.stringify(value));
  const last = quoted.pop() ?? "";
  return quoted.length === 0 ? last : `${quoted.join(", ")} or ${last}`;
}

const kinds: Record<string, string> = {
  string: "a string",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};

function explain(issue: z.core.$ZodIssue, raw: unknown): ManifestProblem[] {
  const path = formatPath(issue.path);
  const value = formatValue(valueAt(raw, issue.path));
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = keysAt(manifestSchema, issue.path);
      return issue.keys.map((key) => {
        const meant = nearest(key, known);
        const expected = meant === null ? `one of the keys ${known.join(", ")}` : `did you mean "${meant}"?`;
        return { path: formatPath([...issue.path, key]), value: "unknown key", expected };
      });
    }
    case "invalid_type":
      return [{ path, value, expected: kinds[issue.expected] ?? issue.expected }];
    case "invalid_value":
      return [{ path, value, expected: oneOf(issue.values) }];
    case "invalid_key":
      return issue.issues.map(({ message }) => ({
        path,
        value: "bad key",
        expected: stripExpected(message),
      }));
    case "too_small":
      return [{ path, value, expected: tooSmall(issue.message, issue.origin) }];
    default:
      return [{ path, value, expected: stripExpected(issue.message) }];
  }
}

/** The schema's own messages begin with "expected"; zod's do not. */
function stripExpected(message: string): string {
  return message.replace(/^expected /, "");
}

function tooSmall(message: string, origin: string): string {
  if (message.startsWith("expected ")) return stripExpected(message);
  return origin === "string" ? "a string that is not empty" : "a list that is not empty";
}

/** Line and column of a syntax error, which `JSON.parse` here does not say; the JavaScript parser does. */
function locate(text: string): string {
  try {
    new Bun.Transpiler({ loader: "js" }).transformSync(`(${text}\n)`);
  } catch (error) {
    const failures = error instanceof AggregateError ? error.errors : [error];
    const position = (failures[0] as { position?: { line: number; column: number } | null }).position;
    // The opening bracket moved the first line by one column.
    if (position) return `line ${position.line}, column ${position.column - (position.line === 1 ? 1 : 0)}: `;
  }
  return "";
}

const versionPattern = /^\d+(\.\d+)*$/;

/** Checks the text of a `contender.json`: the manifest, or every problem it has. */
export function parseManifest(
  text: string,
): { manifest: z.infer<typeof manifestSchema> } | { problems: ManifestProblem[] } {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.replace(/^JSON Parse error: /, "");
    return {
      problems: [{ path: "", value: `not JSON (${locate(text)}${reason})`, expected: "a JSON object" }],
    };
  }
  const parsed = manifestSchema.safeParse(raw);
  const problems = parsed.success ? [] : parsed.error.issues.flatMap((issue) => explain(issue, raw));
  // What the schema's types cannot say.
  if (valueAt(raw, ["variants", "default"]) !== undefined) {
    problems.push({
      path: "variants.default",
      value: "reserved name",
      expected: "another name: the contender itself is its default variant",
    });
  }
  for (const [index, requirement] of (parsed.data?.requires ?? []).entries()) {
    const { minimum } = requirement;
    if (minimum === undefined || versionPattern.test(minimum)) continue;
    problems.push({
      path: `requires[${index}].minimum`,
      value: formatValue(minimum),
      expected: "a version such as 1.19",
    });
  }
  return parsed.success && problems.length === 0 ? { manifest: parsed.data } : { problems };
}
