import { expect, test } from "bun:test";
import { alterPhases, fixtureRun } from "../../../test/support/fixture-run.ts";
import { catalogue } from "../../measures/catalogue.ts";
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
  const burst = round?.phases[1];
  if (burst?.kind !== "burst" || burst.status === "not-run") throw new Error("expected a burst that ran");
  expect(lines[1]).toMatchObject({
    run: run.id,
    contender: round?.contender ?? "",
    round: "1",
    phase: "burst-echo",
    status: "ok",
    reason: "",
    throughput_per_second: String(burst.throughput?.deliveriesPerSecond),
    latency_p99_us: String(burst.latencyUs.p99),
    memory_per_connection_bytes: "",
    reach_share: "1",
    messages_per_segment: "1",
    messages_delivered: String(burst.messages.delivered),
    server_cpu_ms: String(burst.server.cpuMs),
    throughput_send_span_ms: String(burst.throughput?.sendSpanMs ?? ""),
    sustained_per_second: "",
    connections_requested: "",
  });
  expect(lines[0]).toMatchObject({ phase: "connect", connections_requested: String(run.plan.connections) });
  expect(lines[0]).toMatchObject({ memory_rss_slope: "resolved", neighbours_servers: "" });
  expect(Number(lines[0]?.memory_rss_low_bytes)).toBeGreaterThan(5000);
  expect(Number(lines[0]?.memory_per_connection_bytes)).toBeGreaterThan(5000);
});

test("every measure of the catalogue has a column of its own, with its unit", () => {
  const [, phases] = exportCsv(fixtureRun());
  const header = phases?.text.split("\r\n")[0]?.split(",") ?? [];
  expect(new Set(header).size).toBe(header.length);
  for (const name of [
    "latency_p99_9_us",
    "capacity_per_second",
    "sustained_share",
    "lost",
    "peak_memory_bytes",
  ]) {
    expect(header).toContain(name);
  }
  expect(header.length).toBeGreaterThan(catalogue.length);
});

test("every bucket of a timeline is a line, with the seconds it holds", () => {
  const run = alterPhases(fixtureRun(), "node-ws", "endurance", (phase) => ({
    ...phase,
    timeline: { ...phase.timeline, bucketSeconds: 10 },
  }));
  const lines = fileOf(run, "timeline.csv");
  expect(lines).toHaveLength(4 * 5 * run.plan.enduranceSeconds);
  const round = run.rounds.findIndex(({ contender }) => contender === "node-ws");
  const phase = run.rounds[round]?.phases[2];
  if (phase?.kind !== "endurance" || phase.status === "not-run") throw new Error("expected an endurance");
  const bucket = phase.timeline.buckets[3];
  expect(lines.find(({ contender, second }) => contender === "node-ws" && second === "30")).toMatchObject({
    phase: "endurance-echo",
    bucket_seconds: "10",
    latency_p99_us: String(bucket?.p99Us),
    server_rss_bytes: String(bucket?.serverRssBytes),
  });
});

test("contenders with what they declare, and commas, quotes and line breaks survive", () => {
  const title = 'it said "no", twice,\r\nand died';
  const run = fixtureRun();
  const contenders = run.contenders.map((facts) => (facts.name === "node-ws" ? { ...facts, title } : facts));
  const lines = fileOf({ ...run, contenders }, "contenders.csv");
  expect(lines.map(({ contender }) => contender)).toEqual([
    "bun-native",
    "elixir-genserver",
    "go-gorilla",
    "node-ws",
  ]);
  expect(lines[2]).toMatchObject({ title: "Go, gorilla/websocket, the article's hub", single_binary: "" });
  expect(lines[3]?.title).toBe(title);
});

test("what did not run has its reason and no figures", () => {
  const run = alterPhases(fixtureRun(), "node-ws", "burst", () => ({
    kind: "burst",
    workload: "echo",
    status: "not-run",
    reason: { kind: "earlier-phase", phase: 0 },
  }));
  const line = fileOf(run, "phases.csv").find(({ status }) => status === "not-run");
  expect(line).toMatchObject({ reason: "earlier-phase", throughput_per_second: "", messages_sent: "" });
});
