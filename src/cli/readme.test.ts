import { expect, test } from "bun:test";
import { join } from "node:path";
import { projectFolder } from "../machine/environment.ts";
import { updateReference } from "./readme.ts";

test('the README\'s reference is that of the program ("bun src/cli/readme.ts" writes it)', async () => {
  const readme = await Bun.file(join(projectFolder, "README.md")).text();
  expect(readme).toBe(updateReference(readme));
});
