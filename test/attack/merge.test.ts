import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attackResultSchema } from "../../src/result/attack.ts";
import { longestMs, showdown, temporaryFolder } from "../showdown/showdown.ts";
import { attack, type EndedAttack, small } from "./attack.ts";
import { echo, serve, type TestServer } from "./servers.ts";

setDefaultTimeout(longestMs);

let server: TestServer;
let attacks: readonly [EndedAttack, EndedAttack];
const results = temporaryFolder();

beforeAll(async () => {
  server = serve(echo);
  attacks = [await attack(server.url, ...small), await attack(server.url, ...small, "--seed", "2")];
}, longestMs);
afterAll(async () => await server.stop());

const merge = (...args: readonly string[]) => showdown("merge", ...args, "--results", results);
const fileOf = ({ folder }: EndedAttack) => join(folder, "result.json");

test("two attacks are one: all counts, and a report that names both", async () => {
  const [a, b] = attacks;
  const { stdout, exitCode, stderr } = await merge(a.folder, fileOf(b));
  // On a busy machine one of them may not count, which is not what is tested.
  expect([0, 14], stderr).toContain(exitCode);
  for (const { result } of attacks) expect(stdout).toContain(result.id);
  expect(stdout.replaceAll(/\s+/g, " ")).toContain("by each of 2 machines");
  const folder = join(results, `${a.result.startedAt.slice(0, 23).replaceAll(/[:.]/g, "-")}-merged`);
  const merged = attackResultSchema.parse(JSON.parse(readFileSync(join(folder, "result.json"), "utf8")));
  expect(merged.connections).toMatchObject({ requested: 8, opened: 8 });
  expect(merged.messages).toMatchObject({ sent: 800, answered: 800, lost: 0 });
  expect(merged.latencyUs.count).toBe(800);
  expect(merged.timeline.buckets.reduce((all, { sent }) => all + sent, 0)).toBe(800);
  expect(readFileSync(join(folder, "report.md"), "utf8")).toContain("## Machines");
  expect(existsSync(join(folder, "report.html"))).toBe(true);
});

test("shares of one attack are the attack", async () => {
  const share = (number: number) => attack(server.url, ...small, "--workers", "2", "--share", `${number}/2`);
  const [one, two] = await Promise.all([share(1), share(2)]);
  expect(one.result).toMatchObject({ share: { index: 0, of: 2 }, connections: { requested: 2, opened: 2 } });
  const half = await merge(one.folder, "--json", one.folder);
  expect(half.stderr).toContain("share 1/2 is given twice");
  const both = await merge(two.folder, one.folder, "--json");
  const merged = attackResultSchema.parse(JSON.parse(both.stdout));
  expect(merged.plan).toEqual(one.result.plan);
  expect(merged.connections).toMatchObject({ requested: 4, opened: 4 });
  expect(merged.messages).toMatchObject({ planned: 400, sent: 400, answered: 400, lost: 0 });
  expect(both.stderr.replaceAll(/\s+/g, " ")).toContain("shared by 2 machines");
  const rooms = await showdown("attack", server.url, "--share", "1/2", "--adapter", "phoenix");
  expect(rooms.exitCode).toBe(2);
  expect(rooms.stderr).toContain("each machine is owed what the others send");
});

test("what was merged is reported and merged again, and thresholds are of the sum", async () => {
  const [a, b] = attacks;
  const file = join(results, "both.json");
  const met = await merge(a.folder, b.folder, "--out", file, "--threshold", "answered = 800");
  expect(met.stderr).toContain('passed: "answered = 800": answered is 800\n');
  expect((await showdown("report", file, "--out", join(results, "both.md"))).stdout).toContain("-merged");
  const twice = await merge(file, a.folder);
  expect(twice.exitCode).toBe(2);
  expect(twice.stderr).toContain(`${a.result.id} is given twice`);
});

test("what does not belong together is refused", async () => {
  const [a] = attacks;
  const other = await attack(server.url, ...small, "--connections", "5");
  const different = await merge(a.folder, other.folder);
  expect(different.exitCode).toBe(2);
  expect(different.stderr).toContain("differ in connections: expected the same attack");
  const old = join(results, "old");
  mkdirSync(old);
  const { totals, ...rest } = a.result;
  writeFileSync(join(old, "result.json"), JSON.stringify({ ...rest, id: "old" }));
  expect((await merge(a.folder, old)).stderr).toContain("old has quantiles but no histograms");
  expect((await merge(a.folder)).stderr).toContain("expected the results of two machines or more, got 1");
});
