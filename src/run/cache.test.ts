import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Warning } from "../result/reasons.ts";
import { cacheKey, digestPackages, openCache } from "./cache.ts";

const schema = z.object({ perSecond: z.number() });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cache-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("what was kept is read again, and nothing but whole files is ever there", async () => {
  const cache = openCache(folder);
  expect(await cache.read("ceilings/a.json", schema)).toBeNull();
  await cache.write("ceilings/a.json", { perSecond: 7 });
  expect(await cache.read("ceilings/a.json", schema)).toEqual({ perSecond: 7 });
  expect(readdirSync(join(folder, "ceilings"))).toEqual(["a.json"]);
});

test.each(["", "{", '{"perSecond"', "null", '{"perSecond":"many"}'])("%j is measured anew", async (text) => {
  writeFileSync(join(folder, "a.json"), text);
  const cache = openCache(folder);
  expect(await cache.read("a.json", schema)).toBeNull();
  await cache.write("a.json", { perSecond: 8 });
  expect(await cache.read("a.json", schema)).toEqual({ perSecond: 8 });
});

test("a cache that can't be written is one warning, and no failure", async () => {
  const path = join(folder, "file");
  writeFileSync(path, "");
  const warnings: Warning[] = [];
  const cache = openCache(path, (warning) => warnings.push(warning));
  await cache.write("a.json", {});
  await cache.write("b.json", {});
  expect(warnings).toMatchObject([{ kind: "cache-read-only", folder: path }]);
});

test("the packages that a contender finds decide, those of the folders above too", async () => {
  const inner = join(folder, "contenders", "one");
  mkdirSync(inner, { recursive: true });
  const digests = new Set([await digestPackages(inner)]);
  writeFileSync(join(folder, "package-lock.json"), "1");
  digests.add(await digestPackages(inner));
  mkdirSync(join(folder, "contenders", "node_modules"));
  writeFileSync(join(folder, "contenders", "node_modules", ".package-lock.json"), "1");
  digests.add(await digestPackages(inner));
  writeFileSync(join(inner, "bun.lock"), "1");
  digests.add(await digestPackages(inner));
  expect(digests.size).toBe(4);
  expect(await digestPackages(inner)).toBe([...digests].at(-1) as string);
});

test("a key is of the sources and of everything else that it is given", async () => {
  const keys = await Promise.all([
    cacheKey(["contract"], [1]),
    cacheKey(["contract"], [2]),
    cacheKey(["websocket"], [1]),
    cacheKey(["contract"], [1]),
  ]);
  expect(new Set(keys).size).toBe(3);
  expect(keys[3]).toBe(keys[0] as string);
});
