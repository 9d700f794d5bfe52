import { expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";

const src = join(import.meta.dir, "..", "..", "src");

test("NATS is loaded by fleets only: nobody else waits for it, or needs it", async () => {
  const importers: string[] = [];
  const loaders: string[] = [];
  for await (const file of new Glob("**/*.ts").scan(src)) {
    const text = await Bun.file(join(src, file)).text();
    if (text.includes('"@nats-io/')) importers.push(file);
    // An `import("…")` waits until it is asked for.
    if (!file.startsWith("fleet/") && /from "[^"]*\/fleet\//.test(text)) loaders.push(file);
  }
  expect(importers).toEqual(["fleet/bus.ts"]);
  expect(loaders.filter((file) => !file.startsWith("cli/fleet/"))).toEqual(["cli/commands/agent.ts"]);
});
