import { z } from "zod";

/** How a contender is written. Shown beside every number, so that a tuned server is never mistaken for an idiomatic one. */
export const approaches = ["raw", "idiomatic", "tuned", "framework"] as const;

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]*$/, "expected lower-case letters, digits and hyphens, such as go-gorilla");
const command = z.array(z.string()).min(1, 'expected a program and its arguments, such as ["go", "build"]');
const env = z.record(
  z.string().regex(/^[A-Z_][A-Z0-9_]*$/, "expected an environment variable name"),
  z.string(),
);

const requirement = z.strictObject({
  /** The program looked for on PATH, such as `go`. */
  tool: z.string().min(1),
  /** The command that prints its version. */
  version: command,
  /** The oldest version that will do, such as `1.19`. */
  minimum: z.string().optional(),
  /** Package names per package manager. */
  install: z.strictObject({
    apt: z.array(z.string()).min(1).optional(),
    brew: z.array(z.string()).min(1).optional(),
  }),
});

/** What a variant may say differently from its contender. */
const declared = {
  title: z.string().min(1),
  /** The WebSocket library and its version range, or `none` when RFC 6455 is written by hand. */
  library: z.string().min(1),
  approach: z.enum(approaches),
  /** By matching the leading bytes (`prefix`) or by parsing the JSON of each message (`parse`). */
  routing: z.enum(["prefix", "parse"]),
  /** One message per text message (`single`), or several separated by `\n` (`newline`). */
  framing: z.enum(["single", "newline"]),
  /** What happens to a client that does not read. */
  slowConsumer: z.enum(["block", "drop-message", "drop-connection"]),
  /** The command that runs the server in its folder; it must become the server (`exec`), not leave it behind. */
  start: command,
};

/** `contender.json`, version 1. Paths in `build` and `start` are relative to the contender's folder. */
export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  ...declared,
  language: z.string().min(1),
  /** Every toolchain beyond Node, npm and Bun. */
  requires: z.array(requirement).default([]),
  /** Commands run once, in order, in the contender's folder, with `env`. */
  build: z.array(command).default([]),
  /** Build products, left out of the source digest. */
  products: z.array(z.string().min(1)).default([]),
  env: env.default({}),
  variants: z
    .record(name, z.strictObject({ ...z.object(declared).partial().shape, env: env.default({}) }))
    .default({}),
  /** Facts for someone who has to deploy it, not measured here. */
  deployment: z.strictObject({ singleBinary: z.boolean(), note: z.string().optional() }).optional(),
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Requirement = z.infer<typeof requirement>;
