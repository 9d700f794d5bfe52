import { expect, test } from "bun:test";
import { alterPhases, fixtureRun } from "../../../test/support/fixture-run.ts";
import { listSections } from "../../measures/sections.ts";
import { buildPhaseTable, listMeanings } from "./phase-table.ts";

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

test("the TLS handshake has its columns where TLS was spoken, and no word elsewhere", () => {
  const plain = fixtureRun();
  const secure = alterPhases(plain, "bun-native", "connect", (phase) => ({
    ...phase,
    tlsUs: phase.upgradeUs,
  }));
  const [plainSections, sections] = [plain, secure].map(listSections);
  const header = "TLS p99";
  expect(listMeanings(plainSections ?? []).has(header)).toBe(false);
  expect(listMeanings(sections ?? []).has(header)).toBe(true);
  const connect = sections?.find(({ name }) => name === "connect");
  if (connect === undefined) throw new Error("no connect in the fixture");
  const { columns, rows } = buildPhaseTable(connect, []);
  const at = columns.findIndex((column) => column.header === header);
  const cells = Object.fromEntries(rows.map(({ cells }) => [cells[0]?.text, cells[at]?.text]));
  expect(cells).toMatchObject({ "go-gorilla": "–" });
  expect(cells["bun-native"]).toMatch(/ms$/);
});
