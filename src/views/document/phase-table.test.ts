import { expect, test } from "bun:test";
import { fixtureRun } from "../../../test/support/fixture-run.ts";
import { listSections } from "../../measures/sections.ts";
import { buildPhaseTable } from "./phase-table.ts";

const columnOf = (header: string, floor: string | null) => {
  const result = fixtureRun();
  const contenders = result.contenders.map((facts) =>
    facts.name === floor ? { ...facts, approach: "floor" as const } : facts,
  );
  const section = listSections({ ...result, contenders }).find(({ name }) => name === "burst-echo");
  if (section === undefined) throw new Error("no burst-echo in the fixture");
  const { columns, rows } = buildPhaseTable(section, []);
  const at = columns.findIndex((column) => column.header === header);
  return at < 0 ? null : Object.fromEntries(rows.map(({ cells }) => [cells[0]?.text, cells[at]?.text]));
};

test("where a floor took part, what decides is also told as its multiple", () => {
  expect(columnOf("throughput ÷ floor", null)).toBeNull();
  const multiples = columnOf("throughput ÷ floor", "bun-native");
  // The fixture's bun-native delivers 1.33 times what its go-gorilla does.
  expect(multiples).toMatchObject({ "bun-native": "1.00×", "go-gorilla": "0.75×" });
});
