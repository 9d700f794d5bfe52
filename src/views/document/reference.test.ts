import { expect, test } from "bun:test";
import { firstRoundOnly, fixtureThroughputs } from "../../../test/support/fixture-run.ts";
import type { Result } from "../../result/schema.ts";
import { buildReference } from "./reference.ts";

const slow = [100, 101, 99, 100, 101];
const result = fixtureThroughputs({
  "bun-native": slow.map((rate) => 4 * rate),
  "go-gorilla": slow.map((rate) => 2 * rate),
  "node-ws": slow.toReversed(),
});

function throughputs(of: Result, name: string): string[] {
  const [table] = buildReference(of, name).flatMap((block) => (block.kind === "table" ? [block.table] : []));
  const at = table?.columns.findIndex(({ header }) => header === "throughput") ?? -1;
  return (table?.rows ?? []).map(({ cells }) => `${cells[0]?.text} ${cells[at]?.text}`);
}

test("how many times better each is, and the other way round from the other side", () => {
  expect(throughputs(result, "go-gorilla")).toEqual([
    "bun-native 2.00× (2.00–2.00)",
    "node-ws 0.50× (0.49–0.51)",
  ]);
  expect(throughputs(result, "node-ws")).toEqual([
    "bun-native 4.00× (3.95–4.05)",
    "go-gorilla 2.00× (1.98–2.02)",
  ]);
});

test("a variant of another league is compared too, as it is nowhere else", () => {
  const [first, ...others] = result.contenders.map((facts) =>
    facts.name === "bun-native" ? { ...facts, approach: "tuned" as const } : facts,
  );
  const leagues = { ...result, contenders: first === undefined ? [] : [first, ...others] };
  expect(throughputs(leagues, "go-gorilla")).toContain("bun-native 2.00× (2.00–2.00)");
});

test("one round has a ratio and no limits, and who is alone is compared with nobody", () => {
  expect(throughputs(firstRoundOnly(result), "node-ws")).toContain("go-gorilla 1.98×");
  const alone = {
    ...result,
    contenders: result.contenders.filter(({ name }) => name === "node-ws"),
    rounds: result.rounds.filter(({ contender }) => contender === "node-ws"),
  };
  expect(buildReference(alone, "node-ws")).toEqual([]);
});
