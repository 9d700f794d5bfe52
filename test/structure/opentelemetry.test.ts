import { expect, test } from "bun:test";
import { join } from "node:path";
import { Glob } from "bun";

const src = join(import.meta.dir, "..", "..", "src");

test("OpenTelemetry's packages are loaded by who asks for metrics only: nobody else waits for them", async () => {
  const importers: string[] = [];
  const loaders: string[] = [];
  for await (const file of new Glob("**/*.ts").scan(src)) {
    const text = await Bun.file(join(src, file)).text();
    if (text.includes('"@opentelemetry/')) importers.push(file);
    // An `import("…")` waits until it is asked for.
    if (/from "[^"]*\/(publish-metrics|metric-producer)\.ts"/.test(text)) loaders.push(file);
  }
  expect(importers.sort()).toEqual(["views/metrics/metric-producer.ts", "views/metrics/publish-metrics.ts"]);
  expect(loaders).toEqual(["views/metrics/publish-metrics.ts"]);
});
