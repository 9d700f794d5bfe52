import { expect, test } from "bun:test";
import { fixtureCases } from "../../../test/support/fixture-cases.ts";
import { fixtureResult } from "../../../test/support/fixture-result.ts";
import { expectGolden } from "../../../test/support/golden.ts";
import { renderTerminal } from "./terminal.ts";

test.each(Object.keys(fixtureCases))("summary of %s", async (name) => {
  const result = fixtureCases[name] ?? fixtureResult();
  await expectGolden(`terminal-${name}.txt`, renderTerminal(result, { columns: 110, color: false }));
});

test("a narrow terminal gets every column, in more parts", async () => {
  const text = renderTerminal(fixtureResult(), { columns: 60, color: false });
  await expectGolden("terminal-narrow.txt", text);
  for (const header of ["to best", "p99.9", "uncorr. p99", "CPU/delivery", "send lag p99"]) {
    expect(text).toContain(header);
  }
});

test.each(Object.entries(fixtureCases))(
  "%s fits its columns, apart from words that can't be broken",
  (_, result) => {
    for (const columns of [60, 80, 110, 200]) {
      for (const line of renderTerminal(result, { columns, color: false }).split("\n")) {
        const isUnbroken = !line.trim().includes(" ");
        if (!isUnbroken) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
      }
    }
  },
);

test.each(Object.entries(fixtureCases))("%s in colour is the same text", (_, result) => {
  const plain = renderTerminal(result, { columns: 110, color: false });
  const colored = renderTerminal(result, { columns: 110, color: true });
  expect(plain).not.toContain("\x1b");
  expect(colored).toContain("\x1b[");
  const lines = (text: string) => text.split("\n").map((line) => line.trimEnd());
  expect(lines(Bun.stripANSI(colored))).toEqual(lines(plain));
});

test("a phase that was not done shows no throughput", () => {
  const text = renderTerminal(fixtureCases["every-status"] ?? fixtureResult(), {
    columns: 200,
    color: false,
  });
  const burst = text.slice(text.indexOf("Burst broadcast\n"), text.indexOf("Endurance echo\n"));
  const row = burst.split("\n").find((line) => line.startsWith("  elixir-genserver")) ?? "";
  expect(row).toContain("aborted");
  expect(row).not.toMatch(/\d\/s/);
});

test("a figure below the step it comes in is not called zero", () => {
  const result = fixtureResult();
  const rounds = result.rounds.map((round) => ({
    ...round,
    phases: round.phases.map((phase) => ({
      ...phase,
      server: { ...phase.server, cpuMs: 0, cpuUsPerDelivery: 0 },
    })),
  }));
  const text = renderTerminal({ ...result, rounds }, { columns: 110, color: false });
  // 1 ms over 375,000 deliveries
  expect(text).toContain("< 0.003 µs");
  expect(text).not.toMatch(/ 0\.00 µs/);
});
