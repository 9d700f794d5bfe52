import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isShowdownError } from "../errors.ts";
import { loadConfig } from "./config.ts";
import { readOptions } from "./parse-options.ts";
import { listConfig } from "./print-config.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "showdown-config-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function write(name: string, text: string): Promise<void> {
  await Bun.write(join(folder, name), text);
}

async function refusal(chosen: Parameters<typeof loadConfig>[0] = {}): Promise<string> {
  try {
    await loadConfig(chosen, folder);
  } catch (error) {
    if (isShowdownError(error, "usage")) return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
}

const whole = `import { defineConfig } from "ws-showdown";
export default defineConfig({
  connections: 2000,
  rounds: 3,
  phases: ["connect", "burst-echo"],
  threshold: ["throughput > 1/s", "latency.p99 < 1s"],
  noPin: true,
  environments: { ci: { connections: 50, enduranceRate: 10 } },
});
`;

test("the command line wins over the environment, that over the file's environment, and that over the rest", async () => {
  await write("showdown.config.ts", whole);
  const sources = await loadConfig({ environment: "ci" }, folder);
  const env = { SHOWDOWN_ROUNDS: "4", SHOWDOWN_WORKERS: "2" };
  const { settings, values, origins } = readOptions("run", ["--workers", "1"], env, sources);
  expect(settings).toMatchObject({
    workers: 1,
    rounds: 4,
    connections: 50,
    enduranceRatePerSecond: 10,
    pin: false,
  });
  expect(settings.phases).toEqual([{ kind: "connect" }, { kind: "burst", workload: "echo" }]);
  expect(values.threshold).toEqual(["throughput > 1/s", "latency.p99 < 1s"]);
  const from = (name: string) => listConfig("run", origins, "quick").find(({ option }) => option === name);
  expect(from("workers")).toEqual({ option: "workers", value: "1", from: "command line" });
  expect(from("rounds")).toEqual({ option: "rounds", value: "4", from: "SHOWDOWN_ROUNDS" });
  expect(from("connections")?.from).toBe("showdown.config.ts, environment ci");
  expect(from("phases")?.from).toBe("showdown.config.ts");
  expect(from("seed")?.from).toBe("preset quick");
});

test("of an attack every value is told with where it comes from, and no secret", async () => {
  await write("showdown.config.json", '{ "connections": 7, "header": ["X-Token: hush"], "duration": "2s" }');
  const env = { SHOWDOWN_RATE: "30", SHOWDOWN_CONNECTIONS: "8" };
  const args = [
    "ws://127.0.0.1/",
    "--connections",
    "9",
    "--cookie",
    "a=hush",
    "--adapter-option",
    "token=hush",
  ];
  const { attack, origins } = readOptions("attack", args, env, await loadConfig({}, folder));
  expect(attack).toEqual({ connections: 9, ratePerSecond: 30, durationSeconds: 2 });
  const rows = new Map(listConfig("attack", origins, "quick").map(({ option, ...row }) => [option, row]));
  expect(rows.get("connections")).toEqual({ value: "9", from: "command line" });
  expect(rows.get("rate")).toEqual({ value: "30", from: "SHOWDOWN_RATE" });
  expect(rows.get("duration")).toEqual({ value: "2s", from: "showdown.config.json" });
  expect(rows.get("connect-rate")).toEqual({ value: "1,000", from: "default" });
  expect(rows.get("header")).toEqual({ value: "X-Token: …", from: "showdown.config.json" });
  expect(rows.get("cookie")?.value).toBe("a=…");
  expect(JSON.stringify([...rows])).not.toContain("hush");
});

test("a command takes the options that it has", async () => {
  await write("showdown.config.json", '{ "connections": 5, "json": true }');
  const sources = await loadConfig({}, folder);
  expect(readOptions("list", [], {}, sources)).toMatchObject({ settings: {}, values: { json: true } });
});

test("no file is none, but one that is named has to be there", async () => {
  expect(await loadConfig({}, folder)).toEqual([]);
  expect(await refusal({ config: "mine.ts" })).toBe(
    `--config mine.ts: there is no ${join(folder, "mine.ts")}`,
  );
  expect(await refusal({ environment: "ci" })).toContain("--environment ci: there is no showdown.config.ts");
});

test.each([
  ["export default { conections: 1 }", 'conections: unknown key, did you mean "connections"?'],
  ['export default { "endurance-rate": 1 }', 'endurance-rate: unknown key, did you mean "enduranceRate"?'],
  [
    "export default { environments: { a: { rouns: 1 } } }",
    'environments.a.rouns: unknown key, did you mean "rounds"?',
  ],
  ["export default { config: 'x' }", "config: unknown key"],
  ["export default { json: {} }", "json: expected text, a number, true, false or a list of these"],
  ["export const config = {}", "expected an object as its default export"],
  ["const x = ;", "showdown.config.ts:1:11: Unexpected ;"],
  ["\n\nthrow new Error('no')", "showdown.config.ts:3:11: no"],
])("%j is refused where it stands", async (text, expected) => {
  await write("showdown.config.ts", text);
  expect(await refusal()).toContain(expected);
});

test("a value that is not possible is told with its place, an unknown environment with the nearest", async () => {
  await write("showdown.config.ts", "export default { rounds: 0, environments: { ci: {} } }");
  const sources = await loadConfig({}, folder);
  expect(() => readOptions("run", [], {}, sources)).toThrow(
    "showdown.config.ts: rounds: 0: expected a whole number",
  );
  expect(await refusal({ environment: "c" })).toContain('did you mean "ci"?');
});
