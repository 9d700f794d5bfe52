import { expect, test } from "bun:test";
import { fixtureCases } from "../../../test/support/fixture-cases.ts";
import { fixtureResult } from "../../../test/support/fixture-result.ts";
import { expectGolden } from "../../../test/support/golden.ts";
import { renderMarkdown } from "./markdown.ts";

test.each(Object.entries(fixtureCases))("%s: the report as in its golden file", async (name, result) => {
  await expectGolden(`report-${name}.md`, renderMarkdown(result));
});

test("a table keeps its columns and code its end, whatever a manifest or a server says", () => {
  const evil = "a|b`</details><script>*x*";
  const result = fixtureResult();
  const text = renderMarkdown({
    ...result,
    contenders: result.contenders.map((facts) => ({ ...facts, title: evil })),
    rounds: result.rounds.map((round) => ({
      ...round,
      status: "failed",
      reason: { kind: "server-not-ready", problem: evil },
      output: "```\n# no heading\n````",
    })),
  });
  expect(text).not.toContain("a|b");
  expect(text).not.toMatch(/[^\\]<script/);
  expect(text).toContain("`````\n```\n# no heading\n````\n`````");
  const rows = text.split("\n").filter((line) => line.startsWith("| "));
  const tables = rows.map((row) => row.replaceAll("\\|", "").split("|").length);
  for (const [at, row] of rows.entries()) {
    if (row.startsWith("| ---") || row.startsWith("| --:")) expect(tables[at]).toBe(tables[at - 1]);
  }
});
