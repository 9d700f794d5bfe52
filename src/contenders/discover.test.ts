import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectFolder } from "../machine/installation.ts";
import { discoverContenders } from "./discover.ts";

const valid = {
  title: "A",
  language: "Go",
  library: "none",
  approach: "raw",
  routing: "parse",
  framing: "single",
  slowConsumer: "block",
  start: ["./server"],
};

const roots: string[] = [];
function makeRoot(manifests: Record<string, unknown>): string {
  const root = mkdtempSync(join(tmpdir(), "contenders-"));
  roots.push(root);
  for (const [name, manifest] of Object.entries(manifests)) {
    mkdirSync(join(root, name));
    const text = typeof manifest === "string" ? manifest : JSON.stringify(manifest);
    writeFileSync(join(root, name, "contender.json"), text);
  }
  return root;
}
afterEach(() => {
  for (const root of roots.splice(0)) rmSync(root, { recursive: true });
});

async function problemsOf(manifests: Record<string, unknown>): Promise<string> {
  const error = await discoverContenders([makeRoot(manifests)]).catch((reason) => reason);
  expect(error).toMatchObject({ reason: "manifest" });
  expect(error.exitCode).toBe(4);
  return error.message;
}

test("contenders are the folders with a manifest, sorted by name, over several roots", async () => {
  const one = makeRoot({ zebra: valid, "go-a": { ...valid, build: [["true"]] } });
  mkdirSync(join(one, "shared-code"));
  const found = await discoverContenders([one, makeRoot({ middle: valid })]);
  expect(found.map(({ name }) => name)).toEqual(["go-a", "middle", "zebra"]);
  expect(found[0]).toMatchObject({ folder: join(one, "go-a"), manifest: { build: [["true"]], env: {} } });
});

test("a root may be a contender's own folder", async () => {
  const root = makeRoot({ alone: valid });
  expect(await discoverContenders([join(root, "alone"), root])).toHaveLength(1);
});

test("the project's own contenders are valid", async () => {
  expect((await discoverContenders([join(projectFolder, "contenders")])).length).toBeGreaterThan(0);
});

test("all problems of all manifests come at once, each with path, value and what was expected", async () => {
  const { title: _, ...untitled } = valid;
  const message = await problemsOf({
    one: { ...untitled, approach: "fast", langauge: "Go", build: ["go"] },
    two: {
      ...valid,
      start: [],
      requires: [{ tool: "go", version: ["go"], minimum: "^1.2", install: { yum: ["go"] } }],
      variants: { default: {}, tuned: { strat: ["x"] } },
    },
    three: valid,
  });
  expect(message).toStartWith("9 problems in the contenders' manifests\n");
  const lines = message.split("\n").map((line) => line.trim());
  expect(lines).toContain("title: missing; expected string");
  expect(lines).toContain(
    'approach: "fast"; expected one of "raw"|"idiomatic"|"tuned"|"framework"|"article"|"floor"',
  );
  expect(lines).toContain('langauge: unknown key, did you mean "language"?');
  expect(lines).toContain('build[0]: "go"; expected array');
  expect(lines).toContain('start: []; expected a program and its arguments, such as ["go", "build"]');
  expect(lines).toContain("requires[0].install.yum: unknown key");
  expect(lines).toContain('variants.tuned.strat: unknown key, did you mean "start"?');
  expect(message).toContain("variants.default: bad key; expected another name");
  expect(message).not.toContain("three");
});

test("a minimum version has to be one", async () => {
  const requires = [{ tool: "go", version: ["go", "version"], minimum: ">=1.2", install: {} }];
  expect(await problemsOf({ a: { ...valid, requires } })).toContain(
    'requires[0].minimum: ">=1.2"; expected a version such as 1.19',
  );
});

test.each([
  ['{\n  "title": "A"\n  "language": "Go"\n}', "line 3, column 3"],
  ["", "Unexpected EOF"],
  ["[]", "expected object"],
  ["null", "null; expected object"],
])("broken JSON %j says where", async (text, expected) => {
  expect(await problemsOf({ broken: text })).toContain(expected);
});

test("a bad environment variable and a bad folder name", async () => {
  const message = await problemsOf({ My_Server: { ...valid, env: { "a-b": "1" } } });
  expect(message).toContain("env.a-b: bad key; expected an environment variable name");
  expect(message).toContain('folder name: "My_Server"; expected lower-case letters');
});

test("two contenders of one name in different roots", async () => {
  const error = await discoverContenders([makeRoot({ same: valid }), makeRoot({ same: valid })]).catch(
    (e) => e,
  );
  expect(error).toMatchObject({ reason: "manifest" });
  expect(error.message).toContain("folder name: the same as");
});

test("a root that does not exist", async () => {
  const error = await discoverContenders(["/does/not/exist"]).catch((reason) => reason);
  expect(error).toMatchObject({ reason: "usage" });
  expect(error.message).toBe('contenders folder "/does/not/exist": does not exist');
});
