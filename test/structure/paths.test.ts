import { expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";

/** Where a path to the program's own files is found for all three: sources, package, executable. */
const allowed = ["contenders/package-manager.ts", "machine/installation.ts", "text/inline.ts"];
const src = join(import.meta.dir, "..", "..", "src");

test("no source file looks for another one at run time: what is built has only itself", async () => {
  const found: string[] = [];
  for await (const file of new Glob("**/*.ts").scan(src)) {
    if (file.endsWith(".test.ts")) continue;
    const text = await Bun.file(join(src, file)).text();
    if (/\bimport\.meta\b/.test(text)) found.push(file);
  }
  expect(found.sort()).toEqual(allowed);
});
