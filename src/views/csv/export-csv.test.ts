import { expect, test } from "bun:test";
import { alterPhases, fixtureRun } from "../../../test/support/fixture-run.ts";
import { exportCsv } from "./export-csv.ts";

/** RFC 4180 from the reader's side. */
function parse(text: string): Record<string, string>[] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") {
      rows.push(row);
      row = [];
    }
  }
  const [header = [], ...records] = rows;
  return records.map((cells) => {
    expect(cells).toHaveLength(header.length);
    return Object.fromEntries(header.map((name, place) => [name, cells[place] ?? ""]));
  });
}

function fileOf(run: Parameters<typeof exportCsv>[0], name: string) {
  return parse(exportCsv(run).find((file) => file.name === name)?.text ?? "");
}

test("every phase of every round is a line with the numbers of the result", () => {
  const run = fixtureRun();
  const lines = fileOf(run, "phases.csv");
  expect(lines).toHaveLength(4 * 5 * 3);
  const [round] = run.rounds;
  const burst = lines[1];
  expect(burst).toMatchObject({
    run: run.id,
    contender: round?.contender ?? "",
    round: "1",
    phase: "burst-echo",
    status: "ok",
    deliveries: String(round?.phases[1]?.messages?.delivered),
    deliveries_per_second: String(round?.phases[1]?.throughput?.deliveriesPerSecond),
    latency_p99_us: String(round?.phases[1]?.latencyUs?.p99),
    held_per_second: "",
  });
});

test("every second of a timeline is a line", () => {
  const run = fixtureRun();
  const lines = fileOf(run, "timeline.csv");
  expect(lines).toHaveLength(4 * 5 * run.plan.enduranceSeconds);
  const bucket = run.rounds[0]?.phases[2]?.timeline[3];
  expect(lines[3]).toMatchObject({
    phase: "endurance-echo",
    second: "3",
    latency_p99_us: String(bucket?.p99Us),
    server_rss_bytes: String(bucket?.serverRssBytes),
  });
});

test("contenders with what they declare", () => {
  const lines = fileOf(fixtureRun(), "contenders.csv");
  expect(lines.map(({ contender }) => contender)).toEqual([
    "bun-native",
    "elixir-genserver",
    "go-gorilla",
    "node-ws",
  ]);
  expect(lines[2]).toMatchObject({ title: "Go, gorilla/websocket, the article's hub", single_binary: "" });
});

test("commas, quotes and line breaks survive", () => {
  const reason = 'it said "no", twice,\r\nand died';
  const run = alterPhases(fixtureRun(), "node-ws", "burst", (phase) => ({
    ...phase,
    status: "failed",
    reason,
  }));
  const lines = fileOf(run, "phases.csv");
  expect(lines).toHaveLength(4 * 5 * 3);
  expect(lines.find(({ status }) => status === "failed")?.reason).toBe(reason);
});
