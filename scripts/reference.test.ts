import { expect, test } from "bun:test";
import { type Parameter, parameters } from "../src/plan/parameters.ts";
import { formatReference, referencePath } from "./reference.ts";

test('docs/options.md is that of the program ("bun scripts/reference.ts" writes it)', async () => {
  expect(await Bun.file(referencePath).text()).toBe(formatReference());
});

test("every parameter has its row", () => {
  for (const { option, help } of Object.values<Parameter<unknown>>(parameters)) {
    const row = formatReference()
      .split("\n")
      .find((line) => line.startsWith(`| \`--${option}`));
    expect([option, row]).toEqual([option, expect.stringContaining(help)]);
  }
});
