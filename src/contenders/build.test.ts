import { afterEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { awaitGone } from "../../test/support/contender-folder.ts";
import { type BuildOptions, type BuildSource, buildContender } from "./build.ts";
import { digestSources, listSources } from "./digest.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function makeFolder(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "build-"));
  folders.push(folder);
  for (const [path, text] of Object.entries(files)) put(folder, path, text);
  return folder;
}

function put(folder: string, path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** A contender whose build counts itself in a file that is ignored, and then does what `script` says. */
function makeContender(script: string, products: string[] = ["out"]): BuildSource {
  return {
    contender: "a",
    folder: makeFolder({ ".gitignore": "count\n", "main.c": "int main;" }),
    build: [["sh", "-c", `echo x >> count; ${script}`]],
    products,
    buildEnv: { MODE: "release" },
  };
}

const buildCount = ({ folder }: BuildSource) => readFileSync(join(folder, "count"), "utf8").length / 2;

function options(extra: Partial<BuildOptions> = {}): BuildOptions {
  return { cacheDir: makeFolder({}), toolchainVersions: { cc: "gcc 12" }, ...extra };
}

test("what cannot be downloaded from is told at once, and only where something is to be built", async () => {
  const server = Bun.serve({ port: 0, fetch: () => new Response(null, { status: 502 }) });
  const contender = { ...makeContender("touch out"), downloads: `${server.url}packages` };
  const kept = options();
  const outcome = async (source: BuildSource) => (await buildContender(source, kept)).outcome;
  expect(await outcome(contender)).toBe("unreachable");
  await server.stop(true);
  expect(await outcome(contender)).toBe("unreachable");
  expect(() => buildCount(contender)).toThrow();
  expect(await outcome({ ...contender, downloads: undefined })).toBe("built");
  expect(await outcome(contender)).toBe("cached");
});

test("sources are what git would not ignore, without products and hidden folders", async () => {
  const folder = makeFolder({
    "main.go": "",
    ".formatter.exs": "",
    "lib/deep/a.ex": "",
    "lib/deep/a.beam": "",
    "lib/keep.beam": "",
    "bin/server": "",
    "_build/prod/x": "",
    "node_modules/ws/index.js": "",
    "lib/node_modules/x.js": "",
    ".elixir_ls/cache": "",
    "deps/x": "",
    "lib/deps/x": "",
    "docs/build.log": "",
    logs: "a file, no folder",
    ".gitignore": "# comment\n*.beam\n!keep.beam\n/deps\nlogs/\ndocs/*.log\n",
    "lib/.gitignore": "secret.ex\n",
    "lib/secret.ex": "",
    "secret.ex": "",
  });
  expect(await listSources(folder, ["./bin/", "_build"])).toEqual([
    ".formatter.exs",
    ".gitignore",
    "lib/.gitignore",
    "lib/deep/a.ex",
    "lib/deps/x",
    "lib/keep.beam",
    "logs",
    "main.go",
    "secret.ex",
  ]);
});

test("sources are the files that git itself lists", async () => {
  const folder = makeFolder({
    "a.txt": "",
    "b/c.log": "",
    "b/important.log": "",
    "b/tmp/x": "",
    "tmp/y": "",
    "b/foo-1.o": "",
    "e/f/g/h.txt": "",
    "e/x/h.txt": "",
    "#notes": "",
    "!shout": "",
    "A.LOG": "",
    "cache/a": "",
    "cache/keep/b": "",
    "cache/.gitignore": "/*\n!/keep/\n",
    ".gitignore": "*.log\n!important.log\n/tmp\nfoo-[0-9].o\ne/**/h.txt\n\\#notes\n\\!shout\n",
  });
  Bun.spawnSync(["git", "init", "-q"], { cwd: folder });
  const git = Bun.spawnSync(["git", "ls-files", "--others", "--exclude-standard"], { cwd: folder });
  expect(await listSources(folder, [])).toEqual(git.stdout.toString().trim().split("\n").sort());
});

test("the digest changes with a file's content, name, mode or link, and with nothing else", async () => {
  const folder = makeFolder({ a: "1", b: "2" });
  const seen = new Set([await digestSources(folder, [])]);
  expect(await digestSources(makeFolder({ b: "2", a: "1" }), [])).toBe([...seen][0] ?? "");
  const changes = [
    () => put(folder, "a", "12"),
    () => put(folder, "c", ""),
    () => chmodSync(join(folder, "a"), 0o755),
    () => symlinkSync("a", join(folder, "d")),
  ];
  for (const change of changes) {
    change();
    seen.add(await digestSources(folder, []));
  }
  expect(seen.size).toBe(5);
  put(folder, "node_modules/x", "new");
  put(folder, "out/x", "new");
  seen.add(await digestSources(folder, ["out"]));
  expect(seen.size).toBe(5);
});

test("a build runs once per sources, toolchains and products", async () => {
  const contender = makeContender('echo "$MODE" > out');
  const once = options();
  const first = await buildContender(contender, once);
  expect(first.outcome).toBe("built");
  expect(readFileSync(join(contender.folder, "out"), "utf8")).toBe("release\n");
  expect(await buildContender(contender, once)).toMatchObject({
    outcome: "cached",
    sourceDigest: first.sourceDigest,
  });
  expect(buildCount(contender)).toBe(1);
  put(contender.folder, "main.c", "changed");
  expect((await buildContender(contender, once)).outcome).toBe("built");
  expect((await buildContender(contender, { ...once, toolchainVersions: { cc: "gcc 13" } })).outcome).toBe(
    "built",
  );
  rmSync(join(contender.folder, "out"));
  expect((await buildContender(contender, { ...once, toolchainVersions: { cc: "gcc 13" } })).outcome).toBe(
    "built",
  );
  expect(buildCount(contender)).toBe(4);
});

test("a contender without build commands has a digest all the same", async () => {
  const contender = makeContender("true");
  const result = await buildContender({ ...contender, build: [] }, options());
  expect(result).toMatchObject({ outcome: "none", sourceDigest: expect.stringMatching(/^[0-9a-f]{64}$/) });
});

test("a build that fails is told with command, exit code and its last 30 lines, and is not cached", async () => {
  const contender = makeContender("for i in $(seq 50); do echo line $i; done; echo broken >&2; exit 7");
  const lines: string[] = [];
  const failing = options({ onLine: (line) => lines.push(line) });
  const error = await buildContender(contender, failing).catch((reason) => reason);
  expect(error).toMatchObject({ reason: "build" });
  expect(error.exitCode).toBe(5);
  expect(error.message).toMatch(/^contender "a": build command "sh -c .*" failed with exit code 7\n/);
  expect(error.message).toContain("  line 50");
  expect(error.message).toContain("  broken");
  expect(error.message).not.toContain("  line 20\n");
  expect(error.hint).toContain(`cd ${contender.folder}`);
  expect(lines).toContain("line 1");
  await buildContender(contender, failing).catch(() => {});
  expect(buildCount(contender)).toBe(2);
});

test("a build that makes no product, or whose program is missing", async () => {
  const empty = await buildContender(makeContender("true"), options()).catch((reason) => reason);
  expect(empty.message).toBe('contender "a": the build succeeded but made no "out"');
  const contender = makeContender("true");
  const absent = { ...contender, build: [["no-such-compiler"]] };
  const missing = await buildContender(absent, options()).catch((reason) => reason);
  expect(missing).toMatchObject({ reason: "build" });
  expect(missing.message).toBe('contender "a": cannot build, program "no-such-compiler" was not found');
});

test("two programs that build at once: one builds, the other waits", async () => {
  // Fails when a second build runs while the first does.
  const contender = makeContender("mkdir busy || exit 1; sleep 0.7; rmdir busy; echo done > out");
  const cacheDir = makeFolder({});
  const script = `
    const { buildContender } = await import(${JSON.stringify(join(import.meta.dir, "build.ts"))});
    const { outcome } = await buildContender(${JSON.stringify(contender)},
      { cacheDir: ${JSON.stringify(cacheDir)}, toolchainVersions: {}, onLine: (line) => console.log(line) });
    console.log("outcome " + outcome);`;
  const outputs = await Promise.all(
    [1, 2].map(() =>
      new Response(Bun.spawn([process.execPath, "-e", script], { stderr: "inherit" }).stdout).text(),
    ),
  );
  const outcomes = outputs.map((text) => /outcome (.*)/.exec(text)?.[1]).sort();
  expect(outcomes).toEqual(["built", "cached"]);
  expect(outputs.join()).toContain("waiting for another build of a");
  expect(buildCount(contender)).toBe(1);
});

test("a lock ends with its process, even by SIGKILL", async () => {
  const contender = makeContender("echo started > started; sleep 30; echo done > out");
  const cacheDir = makeFolder({});
  const script = `
    const { buildContender } = await import(${JSON.stringify(join(import.meta.dir, "build.ts"))});
    const { startReaper } = await import(${JSON.stringify(join(import.meta.dir, "..", "process", "reaper.ts"))});
    await buildContender(${JSON.stringify(contender)},
      { cacheDir: ${JSON.stringify(cacheDir)}, toolchainVersions: {}, reaper: startReaper(), onLine: console.log });`;
  const killed = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe" });
  await killed.stdout.getReader().read();
  killed.kill("SIGKILL");
  await killed.exited;
  const quick = {
    ...contender,
    build: [["sh", "-c", "echo done > out"]],
  };
  const startMs = performance.now();
  expect((await buildContender(quick, options({ cacheDir }))).outcome).toBe("built");
  expect(performance.now() - startMs).toBeLessThan(5000);
});

test("an abort kills the build and all it started", async () => {
  const contender = makeContender("sleep 60 & echo $! > child; echo go; wait");
  const abort = new AbortController();
  const lines: string[] = [];
  const building = buildContender(
    contender,
    options({
      signal: abort.signal,
      onLine: (line) => {
        lines.push(line);
        if (line === "go") abort.abort();
      },
    }),
  );
  expect(await building.catch((reason) => reason)).toMatchObject({ reason: "aborted" });
  const child = Number(readFileSync(join(contender.folder, "child"), "utf8"));
  expect(child).toBeGreaterThan(0);
  expect(await awaitGone(child, 2000)).toBe(true);
});

test("a cache that can't be written costs the memory of a build, not the build", async () => {
  const contender = makeContender("echo done > out");
  // A file where the folder should be: root may write to a read-only folder.
  const cacheDir = join(makeFolder({ file: "" }), "file");
  const lines: string[] = [];
  const read = options({ cacheDir, onLine: (line) => lines.push(line) });
  expect((await buildContender(contender, read)).outcome).toBe("built");
  expect((await buildContender(contender, read)).outcome).toBe("built");
  expect(buildCount(contender)).toBe(2);
  expect(lines.join("\n")).toContain(`cannot be remembered in "${cacheDir}"`);
});

test("what a build prints is safe to show, in its lines and in the error", async () => {
  const contender = makeContender(`printf '\\033[2J\\033]0;owned\\007red\\n\\tindented\\n'; exit 1`);
  const lines: string[] = [];
  const error = await buildContender(contender, options({ onLine: (line) => lines.push(line) })).catch(
    (reason) => reason,
  );
  expect(lines).toContain("\\x1b[2J\\x1b]0;owned\\x07red");
  expect(lines).toContain("    indented");
  expect(error.message).toContain("\\x1b[2J");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(`${lines.join("\n")}${error.message}`).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
});
