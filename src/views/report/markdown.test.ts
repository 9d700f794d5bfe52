import { expect, test } from "bun:test";
import { fixtureCases } from "../../../test/support/fixture-cases.ts";
import { fixtureResult } from "../../../test/support/fixture-result.ts";
import { expectGolden } from "../../../test/support/golden.ts";
import { renderMarkdown } from "./markdown.ts";

test.each(Object.keys(fixtureCases))("report of %s", async (name) => {
  await expectGolden(`report-${name}.md`, renderMarkdown(fixtureCases[name] ?? fixtureResult()));
});

test.each(Object.entries(fixtureCases))("tables of %s have equally many cells in every row", (_, result) => {
  const cells = (line: string) => line.replaceAll("\\|", "").split("|").length;
  const lines = renderMarkdown(result).split("\n");
  for (const [index, line] of lines.entries()) {
    const above = lines[index - 1] ?? "";
    if (line.startsWith("|") && above.startsWith("|")) expect(cells(line)).toBe(cells(above));
  }
});

test("what a server printed can't break out of its block", () => {
  const [round] = fixtureResult().rounds;
  if (round === undefined) throw new Error("the fixture has no round");
  const output = "```\n# not a heading\n````\n";
  const text = renderMarkdown(
    fixtureResult({ rounds: [{ ...round, status: "failed", reason: "a | b", output }] }),
  );
  expect(text).toContain("`````text\n```\n# not a heading\n````\n`````");
  expect(text).toContain("failed: a \\| b");
});

test("a command is quoted for a shell", () => {
  const command = ["showdown", "run", "--results", "my results", "it's"];
  expect(renderMarkdown(fixtureResult({ command }))).toContain(
    "npm start -- --results 'my results' 'it'\\''s'",
  );
});
