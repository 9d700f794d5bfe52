import { expect, test } from "bun:test";
import { z } from "zod";
import { describeIssues } from "./zod-issues.ts";

const schema = z.strictObject({
  name: z.string(),
  size: z.int().positive(),
  kind: z.enum(["a", "b"]),
  tags: z.array(z.string()),
  end: z.discriminatedUnion("status", [
    z.object({ status: z.literal("ok") }),
    z.object({ status: z.literal("failed"), code: z.int() }),
  ]),
  env: z.record(z.string().regex(/^[A-Z]+$/, "expected capitals"), z.string()),
});
const valid = { name: "x", size: 1, kind: "a", tags: [], end: { status: "ok" }, env: {} };

function problems(data: unknown, most = 9): string[] {
  const parsed = schema.safeParse(data);
  if (parsed.success) throw new Error("expected a refusal");
  return describeIssues(parsed.error, { most, data, keys: Object.keys(schema.shape) });
}

test("each problem names its place, the value and what was expected", () => {
  const { name: _, ...nameless } = valid;
  expect(problems(nameless)).toEqual(["name: missing; expected string"]);
  expect(problems({ ...valid, size: 0 })).toEqual(["size: 0; expected number to be >0"]);
  expect(problems({ ...valid, kind: "c" })).toEqual(['kind: "c"; expected one of "a"|"b"']);
  expect(problems({ ...valid, tags: ["x", 7] })).toEqual(["tags[1]: 7; expected string"]);
  expect(problems({ ...valid, end: { status: "failed" } })).toEqual(["end.code: missing; expected number"]);
  expect(problems({ ...valid, env: { a: "1" } })).toEqual(["env.a: bad key; expected capitals"]);
  expect(problems(null)).toEqual(["null; expected object"]);
});

test("an unknown key is told which was meant", () => {
  expect(problems({ ...valid, sice: 1 })).toEqual(['sice: unknown key, did you mean "size"?']);
  expect(problems({ ...valid, "\x1b[31m": 1 })).toEqual(["\\x1b[31m: unknown key"]);
});

test("an unknown kind of a union names the key that decides", () => {
  expect(problems({ ...valid, end: { status: "lost" } }).join()).toContain('end.status: "lost"; expected');
});

test("values are cut and made visible, and many problems are counted", () => {
  expect(problems({ ...valid, size: `\u202e${"x".repeat(100)}` })[0]?.length).toBeLessThan(90);
  expect(problems({ ...valid, tags: [1, 2, 3, 4] }, 2)).toEqual([
    "tags[0]: 1; expected string",
    "tags[1]: 2; expected string",
    "and 2 more",
  ]);
});
