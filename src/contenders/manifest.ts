import { z } from "zod";
import { contenderSchema } from "../result/schema.ts";
import { describeIssues } from "../text/zod-issues.ts";

const mostProblems = 20;

/** Of contenders and variants. */
export const namePattern = /^[a-z0-9][a-z0-9-]*$/;
export const nameRule = "expected lower-case letters, digits and hyphens, such as go-gorilla";

const name = z.string().regex(namePattern, nameRule);
const command = z.array(z.string()).min(1, 'expected a program and its arguments, such as ["go", "build"]');
const environmentName = z
  .string()
  .regex(/^[A-Z_][A-Z0-9_]*$/, "expected an environment variable name, such as WORKERS");
const env = z.record(environmentName, z.string());

const variantName = name.refine(
  (text) => text !== "default",
  "expected another name: the contender itself is its default variant",
);

const versionNumber = z.string().regex(/^\d+(\.\d+){0,2}$/, "expected a version such as 1.19");
const packages = z.array(z.string()).min(1);
const debianPackages = z.array(z.string().regex(/^[a-z0-9][a-z0-9.+-]+$/, "expected a package name")).min(1);

const requirement = z.strictObject({
  /** The program looked for on PATH, such as `go`. */
  tool: z.string().min(1),
  /** The command that prints its version. */
  version: command,
  /** The oldest version that will do, such as `1.19`. */
  minimum: versionNumber.optional(),
  /** Package names per package manager. */
  install: z.strictObject({
    apt: packages.optional(),
    brew: packages.optional(),
    /**
     * Of a newer Debian, for systems with apt whose own version is out of support: unpacked in the cache, with all they
     * depend on. Programs of the packages named here are put on PATH.
     */
    debian: z.strictObject({ release: z.string().regex(/^[a-z]+$/), packages: debianPackages }).optional(),
  }),
});

/** What a variant may say differently from its contender. */
const declared = {
  title: z.string().min(1),
  /** The WebSocket library and its version range, or `none` when RFC 6455 is written by hand. */
  library: z.string().min(1),
  /** Shown beside every number, so that a tuned server is never mistaken for an idiomatic one. */
  approach: contenderSchema.shape.approach.exclude(["undeclared"]),
  /** By matching the leading bytes (`prefix`), by checking the whole shape without decoding it (`scan`), or by parsing the JSON of each message (`parse`). */
  routing: contenderSchema.shape.routing.exclude(["undeclared"]),
  /** One message per text message (`single`), or several separated by `\n` (`newline`). */
  framing: contenderSchema.shape.framing,
  /** What happens to a client that does not read. */
  slowConsumer: contenderSchema.shape.slowConsumer.exclude(["undeclared"]),
  /**
   * The environment variable in which the server takes a number of processes that share its port. It is set only where
   * one process may not have enough descriptors for the connections asked for.
   */
  processes: environmentName.optional(),
  /** The command that runs the server in its folder; it must become the server (`exec`), not leave it behind. */
  start: command,
};

/** `contender.json`, version 1. Paths in `build` and `start` are relative to the contender's folder. */
export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  ...declared,
  language: z.string().min(1),
  /** The contract's messages (`chaos-chat`), or Phoenix Channels (`phoenix`), which then say the same. */
  protocol: contenderSchema.shape.protocol,
  /** Every toolchain beyond Node, npm and Bun. */
  requires: z.array(requirement).default([]),
  /** What the build downloads from. Where it does not answer, the contender is not run, and the others are. */
  downloads: z.url({ protocol: /^https?$/ }).optional(),
  /** Commands run once, in order, in the contender's folder, with `env`. */
  build: z.array(command).default([]),
  /** Build products, left out of the source digest. */
  products: z.array(z.string().min(1)).default([]),
  env: env.default({}),
  variants: z
    .record(variantName, z.strictObject({ ...z.object(declared).partial().shape, env: env.default({}) }))
    .default({}),
  /** Takes part only when it is named, or with `--all`: a default run takes about two minutes. */
  optional: z.boolean().default(false),
  /** `showdown new --like` copies it, without its variants and these files (as .gitignore names them), with this build. */
  template: z.strictObject({ omit: z.array(z.string()), build: z.array(command).optional() }).optional(),
  /** Facts for someone who has to deploy it, not measured here. */
  deployment: z.strictObject({ singleBinary: z.boolean(), note: z.string().optional() }).optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Requirement = z.infer<typeof requirement>;

/** Checks the text of a `contender.json`: the manifest, or every problem it has, one a line. */
export function parseManifest(text: string): { manifest: Manifest } | { problems: string[] } {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch (error) {
    const reason = (error as Error).message.replace(/^JSON Parse error: /, "");
    return { problems: [`not JSON (${locate(text)}${reason}); expected a JSON object`] };
  }
  const parsed = manifestSchema.safeParse(data);
  if (parsed.success) return { manifest: parsed.data };
  const keys = Object.keys(manifestSchema.shape);
  return { problems: describeIssues(parsed.error, { most: mostProblems, data, keys }) };
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
