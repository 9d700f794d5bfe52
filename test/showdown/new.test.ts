import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { longestMs, showdown, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Outside of this repository. */
function newFolder(): string {
  const folder = temporaryFolder();
  folders.push(folder);
  return folder;
}

const templates = ["elixir-genserver", "go-gorilla", "node-ws", "python-websockets", "rust-axum"];

test.each(templates)(
  "a new contender like %s is found by its path, and needs nothing around it",
  async (like) => {
    const folder = join(newFolder(), "servers", "my-server");
    const made = await showdown("new", folder, "--like", like);
    expect(made).toMatchObject({ exitCode: 0 });
    const manifest = JSON.parse(readFileSync(join(folder, "contender.json"), "utf8"));
    expect(manifest).toMatchObject({ title: "my-server" });
    for (const key of ["$schema", "variants", "optional", "template"])
      expect(manifest).not.toHaveProperty(key);
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
    for (const product of manifest.products) expect(files).not.toContain(product);
    expect(files.filter((file) => /[._]test\b/.test(file))).toEqual([]);
    for (const file of files.filter((one) => one.endsWith(".ts")))
      expect(readFileSync(join(folder, file), "utf8")).not.toContain('from "../');
    const dry = await showdown(
      "run",
      `${folder}/`,
      "clean",
      "--contenders",
      "test/fixtures/contenders",
      "--dry-run",
    );
    expect(JSON.parse(dry.stdout).plan.entrants).toEqual([
      { contender: "my-server", variant: "default" },
      { contender: "clean", variant: "default" },
    ]);
  },
);

test.each([
  [
    "bun-native",
    "node-ws",
    2,
    /"bun-native" is taken by .*contenders\/bun-native; expected a name of its own/,
  ],
  [
    "My Server",
    "node-ws",
    2,
    /"My Server": expected lower-case letters, digits and hyphens, such as my-server/,
  ],
  ["my-server", "node", 3, /--like node: no contender, did you mean "node-ws"\?/],
  ["my-server", "bun-native", 3, /--like bun-native: a contender that is no template/],
] as const)("new %s --like %s is refused, and nothing is made", async (name, like, exitCode, says) => {
  const root = newFolder();
  const ended = await showdown("new", join(root, name), "--like", like);
  expect(ended).toMatchObject({ exitCode, stdout: "" });
  expect(ended.stderr).toMatch(says);
  expect(readdirSync(root)).toEqual([]);
});

test("without --like all that can be copied are named", async () => {
  const ended = await showdown("new", join(newFolder(), "my-server"));
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain(`--like ${templates.join("|")}`);
});

test("what is there is left as it is", async () => {
  const folder = join(newFolder(), "my-server");
  mkdirSync(folder);
  const ended = await showdown("new", folder, "--like", "node-ws");
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain(`${folder} exists already; nothing was changed`);
  expect(readdirSync(folder)).toEqual([]);
});

test("a missing toolchain is told, and the folder is made", async () => {
  const folder = join(newFolder(), "my-server");
  const before = process.env.PATH;
  process.env.PATH = "/nowhere";
  try {
    const ended = await showdown("new", folder, "--like", "rust-axum");
    expect(ended.exitCode).toBe(0);
    expect(ended.stderr).toContain("warning: cargo is not on PATH; before it can be built: ");
    expect(existsSync(join(folder, "Cargo.toml"))).toBe(true);
  } finally {
    process.env.PATH = before;
  }
});

test("a path without a contender is refused", async () => {
  const ended = await showdown("verify", "./nobody");
  expect(ended.exitCode).toBe(3);
  expect(ended.stderr).toContain("./nobody: there is no ");
});
