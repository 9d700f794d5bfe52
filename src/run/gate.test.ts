import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtureResult } from "../../test/support/fixture-result.ts";
import { discoverContenders } from "../contenders/discover.ts";
import { describeEntrant, resolveEntrants } from "../contenders/entrants.ts";
import { startReaper } from "../process/reaper.ts";
import { openCache } from "./cache.ts";
import { passGate, refusalOf } from "./gate.ts";

setDefaultTimeout(60_000);

const fixtures = join(import.meta.dir, "..", "..", "test", "fixtures", "contenders");
const { environment } = fixtureResult();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gate-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

async function pass(contender: string) {
  const [entrant] = resolveEntrants(await discoverContenders([fixtures]), [contender]);
  if (entrant === undefined) throw new Error(`no ${contender}`);
  const facts = describeEntrant(entrant, {
    sourceDigest: "1",
    notRun: null,
    verified: null,
    toolchains: {},
  });
  const reaper = startReaper();
  try {
    const { signal } = new AbortController();
    const cache = openCache(folder);
    return await passGate({ entrant, facts, environment, cache, reaper, readyMs: 5000, signal });
  } finally {
    await reaper.stop();
  }
}

test("who fails is told why, and may have had a bad moment: nothing of it is remembered", async () => {
  const verification = await pass("exits-at-start");
  expect(refusalOf(verification)).toMatchObject({
    kind: "breaks-contract",
    problem: expect.stringContaining("exited with code 1"),
  });
  expect(readdirSync(folder)).toEqual([]);
});

test("who passes is remembered, until the file is gone or can't be read", async () => {
  const first = await pass("clean");
  expect(refusalOf(first)).toBeNull();
  const [name] = readdirSync(join(folder, "verified"));
  const path = join(folder, "verified", name ?? "");
  const startMs = performance.now();
  expect(await pass("clean")).toEqual(first);
  expect(performance.now() - startMs).toBeLessThan(1000);
  writeFileSync(path, "{");
  expect(await pass("clean")).toEqual(first);
  expect(JSON.parse(await Bun.file(path).text())).toEqual(JSON.parse(JSON.stringify(first)));
});
