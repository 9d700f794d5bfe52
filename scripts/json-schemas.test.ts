import { expect, test } from "bun:test";
import { join } from "node:path";
import { createJsonSchemas, schemaFolder } from "./json-schemas.ts";

test.each(Object.entries(createJsonSchemas()))("schema/%s is what the types say", async (name, text) => {
  // Differs? bun scripts/json-schemas.ts
  expect(await Bun.file(join(schemaFolder, name)).text()).toBe(text);
});

test("the manifest's schema refuses unknown keys and asks only for what has no default", () => {
  const schema = JSON.parse(createJsonSchemas()["contender.schema.json"] ?? "{}");
  expect(schema.additionalProperties).toBe(false);
  expect(schema.required).toContain("start");
  expect(schema.required).not.toContain("env");
  expect(schema.properties.variants.additionalProperties.required ?? []).toEqual([]);
});
