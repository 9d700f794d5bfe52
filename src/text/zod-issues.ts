import type { z } from "zod";
import { boundLines } from "./bound-lines.ts";
import { suggest } from "./nearest.ts";
import { printable } from "./printable.ts";

interface IssueOptions {
  /** More problems than this are counted only. */
  readonly most: number;
  /** What was validated, so that each problem shows the value found. */
  readonly data?: unknown;
  /** The keys there are, so that an unknown one can be told which was meant. */
  readonly keys?: readonly string[];
}

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** What a schema refused, one problem a line: `rounds[0].status: "good"; expected one of "ok"|"failed"`. */
export function describeIssues(error: z.core.$ZodError, options: IssueOptions): string[] {
  return boundLines(
    error.issues.flatMap((issue) => describeIssue(issue, [], options)),
    options.most,
  );
}

function describeIssue(issue: Issue, parent: Path, options: IssueOptions): string[] {
  const path = [...parent, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    const known = options.keys ?? [];
    return issue.keys.map((key) => `${formatPath([...path, key])}: unknown key${suggest(key, known)}`);
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // The branch that fits best says most about what was meant.
    const best = issue.errors.reduce((least, branch) => (branch.length < least.length ? branch : least));
    return best.flatMap((inner) => describeIssue(inner, path, options));
  }
  if (issue.code === "invalid_key") {
    return issue.issues.map((inner) => `${formatPath(path)}: bad key; expected ${expectation(inner)}`);
  }
  const found = "data" in options ? `${formatValue(valueAt(options.data, path))}; ` : "";
  const where = formatPath(path);
  return [`${where === "" ? "" : `${where}: `}${found}expected ${expectation(issue)}`];
}

/** Zod's own messages without what is said beside them, or the schema's own, which begin with "expected". */
function expectation({ message }: { readonly message: string }): string {
  return message
    .replace(/^(Invalid \w+: |Too \w+: |Invalid discriminator value\. Expected )/, "")
    .replace(/^expected /, "")
    .replace(/, received .*$/s, "");
}

function formatPath(path: Path): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === "number") return `${text}[${step}]`;
    return `${text}${text === "" ? "" : "."}${printable(String(step), { most: 60 })}`;
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
  return value === undefined ? "missing" : printable(JSON.stringify(value), { most: 60 });
}
