import { expect, test } from "bun:test";
import { resultSchema } from "../../src/result/schema.ts";
import { fixtureCases } from "./fixture-cases.ts";

test.each(Object.entries(fixtureCases))("%s is a result as the schema has it", (_, result) => {
  expect(resultSchema.safeParse(result).error).toBeUndefined();
});
