import { expect, test } from "bun:test";
import { dirname, join, relative } from "node:path";
import { Glob } from "bun";

/** The rooms of src, ground floor first: a file imports from its own room and from those before it. */
const floors = [
  "errors.ts",
  "text",
  "stats",
  "plan",
  "result",
  "measures",
  "judgement",
  "machine",
  "process",
  "contenders",
  "websocket",
  "contract",
  "engine",
  "trust",
  "run",
  "attack",
  "fleet",
  "views",
  "cli",
  "index.ts",
];
const src = join(import.meta.dir, "..", "..", "src");

test("no file imports from a higher room", async () => {
  const upward: string[] = [];
  for await (const file of new Glob("**/*.ts").scan(src)) {
    const room = file.split("/")[0] as string;
    if (file.endsWith(".test.ts")) continue;
    expect(floors, `room of ${file}`).toContain(room);
    const text = await Bun.file(join(src, file)).text();
    for (const [, path] of text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)) {
      const target = relative(src, join(src, dirname(file), path as string));
      const other = target.split("/")[0] as string;
      if (floors.indexOf(other) > floors.indexOf(room)) upward.push(`${file} -> ${target}`);
    }
  }
  expect(upward).toEqual([]);
});
