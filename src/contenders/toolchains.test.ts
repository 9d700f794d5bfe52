import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Requirement } from "./manifest.ts";
import { formatInstall, installCommand, type PackageManager } from "./package-manager.ts";
import {
  type EnsureOptions,
  ensureToolchains,
  findMissing,
  lacksToolchains,
  type ToolchainState,
  toolchainVersions,
} from "./toolchains.ts";

// Programs of our own on PATH: a "compiler" that says its version, and an
// "apt-get" that installs it. Real processes throughout; only the packages are small.
let folder = "";
const userPath = process.env.PATH;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "toolchains-"));
  mkdirSync(join(folder, "bin"));
  process.env.PATH = `${join(folder, "bin")}:${userPath}`;
});
afterEach(() => {
  process.env.PATH = userPath;
  rmSync(folder, { recursive: true });
});

function addProgram(name: string, script: string): void {
  writeFileSync(join(folder, "bin", name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, "bin", name), 0o755);
}

const compiler = (version: string) => `echo "zig-like compiler ${version}"`;
const aptLog = () => readFileSync(join(folder, "apt.log"), "utf8").trim().split("\n");

function addApt(version: string, exitCode = 0): PackageManager {
  addProgram("compiler.new", compiler(version));
  addProgram(
    "apt-get",
    `echo "$DEBIAN_FRONTEND $*" >> ${folder}/apt.log
     [ "$1" = install ] || exit 0
     echo "Setting up $5"
     [ ${exitCode} = 0 ] && mv ${folder}/bin/compiler.new ${folder}/bin/zigc
     exit ${exitCode}`,
  );
  return { name: "apt", prefix: [], usable: true };
}

const zigc: Requirement = {
  tool: "zigc",
  version: ["zigc", "version"],
  minimum: "0.12",
  install: { apt: ["zigc-bin"], brew: ["zigc"] },
};

async function ensure(requirement: Requirement, options: Partial<EnsureOptions> = {}) {
  const states = await ensureToolchains([requirement], {
    install: "never",
    packageManager: null,
    ...options,
  });
  return states.get(requirement);
}

test("a tool that is there is ok, with the line of its version", async () => {
  addProgram("zigc", compiler("0.12.1"));
  expect(await ensure(zigc)).toEqual({
    status: "ok",
    tool: "zigc",
    version: "zig-like compiler 0.12.1",
    outdated: null,
  });
});

test("too old, missing, failing: missing with the reason and what to type", async () => {
  const manager = { name: "apt", prefix: ["sudo", "-n"], usable: false } as const;
  const command = "sudo apt-get update && sudo apt-get install -y zigc-bin";
  expect(await ensure(zigc, { packageManager: manager })).toEqual({
    status: "missing",
    tool: "zigc",
    minimum: "0.12",
    found: null,
    reason: "zigc is not on PATH",
    command,
  });
  addProgram("zigc", compiler("0.9.9"));
  expect(await ensure(zigc)).toMatchObject({
    found: "0.9.9",
    reason: "zigc 0.9.9 is older than 0.12",
    command: "install zigc 0.12 or newer and put it on PATH",
  });
  addProgram("zigc", "exit 1");
  expect(await ensure(zigc)).toMatchObject({ reason: '"zigc version" failed' });
  addProgram("zigc", "echo hello");
  expect(await ensure(zigc)).toMatchObject({
    reason: '"zigc version" states no version; expected 0.12 or newer',
  });
});

test("installs without asking: refresh first, non-interactive, then looks again", async () => {
  const packageManager = addApt("0.12");
  const lines: string[] = [];
  const state = await ensure(zigc, { install: "yes", packageManager, onLine: (line) => lines.push(line) });
  expect(state).toEqual({
    status: "installed",
    tool: "zigc",
    version: "zig-like compiler 0.12",
    outdated: null,
  });
  expect(aptLog()).toEqual([
    "noninteractive update",
    "noninteractive install -y --no-install-recommends zigc-bin",
  ]);
  expect(lines).toContain("$ apt-get install -y --no-install-recommends zigc-bin");
  expect(lines.join("\n")).toContain("Setting up");
});

test.each([
  [true, "installed"],
  [false, "missing"],
])("asks once when it should ask, and an answer of %p is obeyed", async (answer, status) => {
  const packageManager = addApt("0.12");
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    return answer;
  };
  expect(await ensure(zigc, { install: "ask", ask, packageManager })).toMatchObject({ status });
  expect(questions).toEqual(["Missing: zigc is not on PATH. Install zigc now?"]);
});

test("never installs when told so, without anybody to ask, or without the right to", async () => {
  const packageManager = addApt("0.12");
  expect(await ensure(zigc, { install: "never", packageManager })).toMatchObject({ status: "missing" });
  expect(await ensure(zigc, { install: "ask", packageManager })).toMatchObject({ status: "missing" });
  const unusable = { ...packageManager, usable: false };
  expect(await ensure(zigc, { install: "yes", packageManager: unusable })).toMatchObject({
    status: "missing",
  });
  expect(() => aptLog()).toThrow();
});

test("an installation that fails, or brings too old a version", async () => {
  let packageManager = addApt("0.12", 100);
  expect(await ensure(zigc, { install: "yes", packageManager })).toMatchObject({
    status: "missing",
    reason: '"apt-get install -y --no-install-recommends zigc-bin" failed with exit code 100',
  });
  packageManager = addApt("0.11");
  expect(await ensure(zigc, { install: "yes", packageManager })).toMatchObject({
    status: "missing",
    reason: "installed, but zigc 0.11 is older than 0.12",
    command: "install zigc 0.12 or newer and put it on PATH",
  });
});

test("a version out of support will do: it is told, and another one is asked for where there is a way", async () => {
  addProgram("deno", 'echo "deno 2.6.1"');
  addProgram("apt-get", "exit 1");
  const debian = { release: "trixie", packages: ["deno-of-no-debian"] };
  const old: Requirement = { tool: "deno", version: ["deno", "--version"], install: { debian } };
  const outdated = "Deno 2.6.1 is out of support since 2026-02-25";
  const state: ToolchainState = { status: "ok", tool: "deno", version: "deno 2.6.1", outdated };
  expect(await ensure(old)).toEqual(state);
  const questions: string[] = [];
  const ask = async (question: string) => {
    questions.push(question);
    return false;
  };
  expect(await ensure(old, { install: "ask", ask })).toEqual(state);
  const canUnpack = Bun.which("dpkg-deb") !== null;
  expect(questions).toEqual(canUnpack ? [`Missing: ${outdated}. Install deno now?`] : []);
  const lines: string[] = [];
  expect(await ensure(old, { install: "yes", onLine: (line) => lines.push(line) })).toMatchObject({
    outdated,
  });
  if (canUnpack) expect(lines.at(-1)).toEndWith("going on with what is there");
  const states = await ensureToolchains([old], { install: "never", packageManager: null });
  expect(findMissing([old], states)).toEqual([]);
  expect(states.get(old)).toMatchObject({ outdated });
});

test("each requirement gets its own answer", async () => {
  addProgram("zigc", compiler("0.12"));
  const newer = { ...zigc, minimum: "1" };
  const twin = { ...zigc };
  const states = await ensureToolchains([zigc, newer, twin], { install: "never", packageManager: null });
  expect(findMissing([zigc, twin], states)).toEqual([]);
  const missing = findMissing([zigc, newer], states);
  expect(missing).toMatchObject([{ reason: "zigc 0.12 is older than 1" }]);
  expect(lacksToolchains(missing)).toEqual({
    kind: "toolchain-missing",
    tools: [{ tool: "zigc", minimum: "1", found: "0.12" }],
  });
  expect(toolchainVersions([twin, newer], states)).toEqual({ zigc: "zig-like compiler 0.12" });
});

test("as another user than root, sudo is used and given the setting it would drop", () => {
  const manager = { name: "apt", prefix: ["sudo", "-n"], usable: true } as const;
  expect(installCommand(zigc, manager).join(" ")).toBe(
    "sudo -n env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends zigc-bin",
  );
  expect(formatInstall(zigc, { name: "brew", usable: true, prefix: [] })).toBe("brew install zigc");
});

test("an abort ends a version command and an installation, as what it is", async () => {
  for (const [name, script] of [
    ["zigc", "exec sleep 60"],
    ["apt-get", "exec sleep 60"],
  ] as const) {
    const packageManager = addApt("0.12");
    addProgram(name, script);
    const abort = new AbortController();
    const ensuring = ensure(zigc, { install: "yes", packageManager, signal: abort.signal });
    setTimeout(() => abort.abort(), 200);
    expect(await ensuring.catch((reason) => reason)).toMatchObject({ reason: "aborted", exitCode: 130 });
    rmSync(join(folder, "bin", name));
  }
});
