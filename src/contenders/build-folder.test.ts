import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBuildFolder } from "./build-folder.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "showdown-build-folder-"));
  mkdirSync(join(root, "mine", "lib"), { recursive: true });
  writeFileSync(join(root, "mine", "contender.json"), "{}");
  writeFileSync(join(root, "mine", "lib", "a.js"), "1");
});
afterEach(() => rmSync(root, { recursive: true }));

const find = (isPackaged: boolean, cacheDir = join(root, "cache")) =>
  findBuildFolder(
    { contender: "mine", folder: join(root, "mine"), products: ["dist"] },
    cacheDir,
    isPackaged,
  );

test("a contender of one's own is built where it lies", async () => {
  expect(await find(false)).toBe(join(root, "mine"));
});

test("one that came with a package is copied to the cache once, and anew when it changed", async () => {
  const copy = await find(true);
  expect(copy).toStartWith(join(root, "cache", "contenders"));
  expect(readdirSync(copy, { recursive: true }).sort()).toEqual(["contender.json", "lib", "lib/a.js"]);
  // What was built there stays.
  writeFileSync(join(copy, "dist"), "");
  expect(await find(true)).toBe(copy);
  expect(readdirSync(copy)).toContain("dist");
  writeFileSync(join(root, "mine", "lib", "a.js"), "2");
  expect(await find(true)).not.toBe(copy);
});

test("runs at the same time share the copy", async () => {
  const copies = await Promise.all([find(true), find(true), find(true)]);
  expect(new Set(copies).size).toBe(1);
  expect(readdirSync(join(copies[0] ?? "", ".."))).toEqual(["mine"]);
});

test("a cache that cannot be written is told", async () => {
  writeFileSync(join(root, "cache"), "a file");
  expect(find(true)).rejects.toThrow("mine cannot be copied to");
});
