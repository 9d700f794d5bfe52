import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { projectFolder } from "../../src/machine/installation.ts";
import { attackResultSchema } from "../../src/result/attack.ts";
import { type Result, resultSchema } from "../../src/result/schema.ts";
import { fixture, startServer } from "../contract/server-process.ts";
import { startEcho } from "../outputs/echo-server.ts";
import { type Ended, runToEnd } from "../support/run-to-end.ts";

// Two builds, two installations from the registry, and a run.
setDefaultTimeout(300_000);

/** What is shipped, far from the project. Paths have a space. */
const root = mkdtempSync(join(tmpdir(), "showdown packaging "));
const environment = {
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("npm_"))),
  XDG_CACHE_HOME: join(root, "cache"),
};
const user = join(root, "user");
const installed = join(user, "node_modules", "ws-showdown");
const executable = join(root, "alone", "showdown");
const tarball = join(root, "package.tgz");
const echo = startEcho();
/** What the user's programs need of a platform, without the types of one. */
const globals = "declare const console: { log(...all: unknown[]): void };\n";
let result: Result;
/** The executable, in the project's folder. */
let building: Promise<Ended>;

async function run(
  command: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Ended> {
  return await runToEnd(command, { cwd, env: { ...environment, ...env } });
}

async function succeed(...given: Parameters<typeof run>): Promise<Ended> {
  const ended = await run(...given);
  if (ended.exitCode !== 0) {
    throw new Error(`${given[0].join(" ")} ended with ${ended.exitCode}\n${ended.stderr}\n${ended.stdout}`);
  }
  return ended;
}

/** Every file below it with its size and time: the same where nothing was written. */
function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => `${path} ${statSync(path).size} ${statSync(path).mtimeMs}`);
}

function setWritable(folder: string, isWritable: boolean): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), isWritable ? 0o755 : 0o555);
  }
  chmodSync(folder, isWritable ? 0o755 : 0o555);
}

beforeAll(async () => {
  await succeed(["npm", "pack", "--pack-destination", root], projectFolder);
  const packed = readdirSync(root).find((name) => name.endsWith(".tgz"));
  copyFileSync(join(root, packed ?? ""), tarball);
  // Only now, since both write to dist; beside what else goes on, since most of that waits.
  building = succeed(["npm", "run", "build:executable"], projectFolder);
  building.catch(() => {});
  mkdirSync(user);
  writeFileSync(join(user, "package.json"), "{}");
  // Of the project that it is used in: for that one's own Bun.
  writeFileSync(join(user, "bunfig.toml"), 'preload = ["./missing.ts"]');
  writeFileSync(join(user, ".env"), "SHOWDOWN_ROUNDS=0");
});

afterAll(async () => {
  await echo.stop();
  // With what was copied while it was not.
  setWritable(root, true);
  rmSync(root, { recursive: true, force: true });
});

const scenarioText = `import { scenario } from "ws-showdown";

export default scenario({
  async run({ connect, check, measure }) {
    const socket = await connect();
    socket.send("hello");
    check("an answer", (await socket.expect("hello")).isText);
    measure("one", 1);
  },
});
`;

/** A scenario in that folder, against an echo. */
async function playScenario(command: readonly string[], cwd: string, env: Record<string, string>) {
  writeFileSync(join(cwd, "scenario.ts"), scenarioText);
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response(null, { status: 400 })),
    websocket: { message: (socket, message) => void socket.send(message) },
  });
  const options = ["--connections", "2", "--duration", "1s", "--json"];
  const args = ["attack", "scenario.ts", `ws://127.0.0.1:${server.port}/`, ...options];
  const { stdout, stderr } = await run([...command, ...args], cwd, env);
  await server.stop(true);
  if (stdout === "") throw new Error(stderr);
  const { scenario } = JSON.parse(stdout);
  expect(scenario.failures).toEqual([]);
  expect(scenario.checks).toMatchObject([{ name: "an answer", failed: 0 }]);
  expect(scenario.measures).toMatchObject([{ name: "one" }]);
}

describe("the npm package", () => {
  test("holds what is needed to run, and no tests", async () => {
    const { stdout } = await succeed(["tar", "-tzf", tarball], root);
    const files = stdout.trim().split("\n");
    expect(files).toContain("package/bin/showdown.mjs");
    expect(files).toContain("package/contenders/node-ws/package-lock.json");
    expect(files).toContain("package/dist/showdown.1");
    expect(
      files.filter((file) => /\.test\.ts$|_test\.(go|exs)$|\/(test|src\/cli|node_modules)\//.test(file)),
    ).toEqual([]);
  });

  test("is installed without install scripts, with one Bun", async () => {
    await succeed(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", tarball], user);
    expect(readdirSync(join(user, "node_modules", "@oven"))).toHaveLength(1);
    const { stdout } = await succeed(["npx", "ws-showdown", "--version"], user);
    expect(stdout).toStartWith("ws-showdown ");
  });

  test("runs contenders of its own from a folder that it does not write to", async () => {
    setWritable(installed, false);
    const before = listFiles(installed);
    const options = ["--preset", "smoke", "--keep-invalid", "--no-verify", "--json"];
    const { stdout } = await succeed(
      ["npx", "--ignore-scripts", "ws-showdown", "run", ...options, "bun-native", "node-ws"],
      user,
      { npm_config_ignore_scripts: "true" },
    );
    result = resultSchema.parse(JSON.parse(stdout));
    expect(result.rounds.map(({ contender }) => contender).sort()).toEqual(["bun-native", "node-ws"]);
    expect(result.rounds.flatMap(({ phases }) => phases.map(({ status }) => status))).not.toContain(
      "not-run",
    );
    expect(listFiles(installed)).toEqual(before);
    expect(existsSync(join(user, "results", result.id, "report.html"))).toBe(true);
    expect(existsSync(join(root, "cache", "ws-showdown", "contenders"))).toBe(true);
  });

  test("loads a server by its URL, as its configuration says where nothing else does", async () => {
    const configuration = { connections: 3, rate: 300, environments: { ci: { duration: "500ms" } } };
    const text = `import { defineConfig } from "ws-showdown";\nexport default defineConfig(${JSON.stringify(configuration)});\n`;
    writeFileSync(join(user, "showdown.config.ts"), text);
    const asked = [
      "npx",
      "ws-showdown",
      "attack",
      echo.url,
      "--environment",
      "ci",
      "--connections",
      "4",
      "--json",
    ];
    const rate = { SHOWDOWN_RATE: "200" };
    const printed = await succeed([...asked, "--print-config"], user, rate);
    const rows = JSON.parse(printed.stdout) as { option: string; value: string; from: string }[];
    expect(rows.filter(({ from }) => from !== "default")).toEqual([
      { option: "connections", value: "4", from: "command line" },
      { option: "rate", value: "200", from: "SHOWDOWN_RATE" },
      { option: "duration", value: "500ms", from: "showdown.config.ts, environment ci" },
      { option: "json", value: "true", from: "command line" },
    ]);
    const { stdout, stderr } = await run(asked, user, rate);
    rmSync(join(user, "showdown.config.ts"));
    const attacked = attackResultSchema.parse(JSON.parse(stdout));
    expect(attacked.messages, stderr).toMatchObject({ sent: 100, answered: 100, lost: 0 });
    expect(existsSync(join(user, "results", attacked.id, "report.html"))).toBe(true);
  });

  test("has completions, and a manual where man looks for it", async () => {
    const { stdout } = await succeed(["npx", "ws-showdown", "completions", "bash"], user);
    expect(stdout).toContain("-F _showdown showdown ws-showdown");
    const { man } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { man: string[] };
    expect(readFileSync(join(installed, man[0] ?? ""), "utf8")).toContain(".SS showdown attack ");
  });

  test("is a library for Bun, with its types, and says to Node that it needs Bun", async () => {
    const file = JSON.stringify(join("results", result.id, "result.json"));
    writeFileSync(
      join(user, "use.mts"),
      `import { type AttackRequest, attack, defineConfig, readResult, renderHtml } from "ws-showdown";
const { result } = readResult(${file});
// @ts-expect-error a number is no text: the types are there
const rounds: string = result.plan.rounds;
export default defineConfig({ connections: rounds });
console.log(renderHtml(result).startsWith("<!doctype html>"));
const request: AttackRequest = { url: "ws://127.0.0.1:9/", connections: 2, connectTimeoutMs: 500 };
// @ts-expect-error the parameters have their types
attack({ url: "ws://127.0.0.1:9/", connections: "2", connectTimeoutMs: 100 });
const started = attack(request);
for await (const event of started.events) if (event.kind === "connected") console.log(event.failed);
const ended = await started.result;
console.log(ended.status, ended.reason?.kind, renderHtml(ended).includes(ended.id));
`,
    );
    writeFileSync(
      join(user, "run.mts"),
      `import { describeEnvironment, discoverContenders, resolveEntrants, resolvePlan, startRun } from "ws-showdown";
const entrants = resolveEntrants(await discoverContenders(["node_modules/ws-showdown/contenders"]), ["bun-native"]);
const environment = await describeEnvironment();
const plan = resolvePlan({
  preset: "smoke",
  settings: { phases: [{ kind: "connect" }], validityRule: false },
  entrants,
  serverCpus: null,
  workerCpus: null,
  descriptorLimit: environment.descriptorLimit.soft,
  leastMessageBytes: () => 1,
});
const controller = new AbortController();
const { events, result } = startRun(plan, {
  entrants,
  environment,
  resultsFolder: "results",
  cacheDir: "cache",
  label: "library",
  command: [],
  verify: false,
  warnings: [],
  install: "never",
  signal: controller.signal,
});
let ended = 0;
for await (const event of events) if (event.kind === "phase-ended") ended += 1;
const { status, rounds } = await result;
console.log(ended, status, rounds.map(({ contender }) => contender).join());
`,
    );
    const [bun] = readdirSync(join(user, "node_modules", "@oven"));
    const program = [join(user, "node_modules", "@oven", bun ?? "", "bin", "bun"), "--config=/dev/null"];
    const used = await succeed([...program, "use.mts"], user);
    expect(used.stdout).toBe("true\n2\nfailed no-connection-opened true\n");
    const ran = await succeed([...program, "run.mts"], user);
    expect(ran.stdout).toBe("1 finished bun-native\n");
    const tsc = join(projectFolder, "node_modules", ".bin", "tsc");
    const strict = ["--noEmit", "--strict", "--skipLibCheck", "--target", "esnext", "--module", "nodenext"];
    writeFileSync(join(user, "globals.d.ts"), globals);
    await succeed([tsc, ...strict, "--ignoreConfig", "use.mts", "run.mts", "globals.d.ts"], user);
    const refused = await run(["node", "--input-type=module", "-e", 'await import("ws-showdown")'], user);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toContain("ws-showdown's library runs on Bun");
  });

  test("plays a scenario, whose types are those of the package", async () => {
    const command = ["node", join(installed, "bin", "showdown.mjs")];
    await playScenario(command, user, {});
    writeFileSync(join(user, "wrong.ts"), scenarioText.replace("connect()", "connect(7)"));
    const tsc = join(user, "node_modules", ".bin", "tsc");
    mkdirSync(dirname(tsc), { recursive: true });
    symlinkSync(join(projectFolder, "node_modules", ".bin", "tsc"), tsc);
    const { exitCode, stderr } = await run([...command, "attack", "wrong.ts", "ws://127.0.0.1:1/"], user);
    rmSync(tsc);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("wrong.ts:5:34: Argument of type 'number'");
  });

  test("says in one sentence that there is no Bun", async () => {
    const copy = join(root, "without bun");
    cpSync(join(installed, "bin"), join(copy, "bin"), { recursive: true });
    copyFileSync(join(installed, "package.json"), join(copy, "package.json"));
    const node = Bun.which("node") ?? "";
    const only = { PATH: join(root, "nothing") };
    const { exitCode, stderr } = await run(
      [node, join(copy, "bin", "showdown.mjs"), "--version"],
      root,
      only,
    );
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error: expected Bun \d+\.\d+\.\d+ or newer for .*, found none/);
  });
});

describe("the executable, with nothing on PATH", () => {
  const alone = dirname(executable);
  const nothing = { PATH: "", HOME: alone };

  beforeAll(async () => {
    mkdirSync(alone);
    await building;
    copyFileSync(join(projectFolder, "dist", "showdown"), executable);
    chmodSync(executable, 0o755);
  });

  test("lists contenders of the user's", async () => {
    const { stdout } = await succeed(
      [executable, "list", "--contenders", join(projectFolder, "contenders")],
      alone,
      nothing,
    );
    expect(stdout).toContain("node-ws");
  });

  test("reports and compares runs", async () => {
    const results = join(user, "results");
    const file = join(alone, "report.html");
    await succeed([executable, "report", result.id, "--results", results, "--out", file], alone, nothing);
    expect(readFileSync(file, "utf8")).toStartWith("<!doctype html>");
    const path = join(results, result.id, "result.json");
    const { stdout } = await succeed([executable, "compare", path, path], alone, nothing);
    expect(stdout).toContain("A and B are the same run");
  });

  test("plays a scenario", async () => {
    await playScenario([executable], alone, nothing);
  });

  test("loads a server by its URL, and reports it", async () => {
    const results = join(alone, "results");
    const load = ["--connections", "4", "--rate", "200", "--duration", "500ms", "--results", results];
    const { stdout, stderr } = await run([executable, "attack", echo.url, ...load, "--json"], alone, nothing);
    const attacked = attackResultSchema.parse(JSON.parse(stdout));
    expect(attacked.messages, stderr).toMatchObject({ sent: 100, answered: 100, lost: 0 });
    const file = join(alone, "attack.html");
    await run([executable, "report", "latest", "--results", results, "--out", file], alone, nothing);
    expect(readFileSync(file, "utf8")).toContain(attacked.id);
  });

  test("verifies a server, and loads it by worker processes that are itself", async () => {
    const server = startServer(fixture("bun-server.ts"));
    const { host, port, path } = server.target;
    const url = `ws://${host}:${port}${path}`;
    try {
      await server.ready();
      const verified = await run([executable, "verify", url, "--json"], alone, nothing);
      const [{ report }] = JSON.parse(verified.stdout);
      expect(report.passed).toBeGreaterThan(100);
      const options = ["--preset", "smoke", "--keep-invalid", "--no-verify", "--json", "--name", "mine"];
      const { stdout } = await succeed([executable, "run", "--url", url, ...options], alone, nothing);
      const loaded = resultSchema.parse(JSON.parse(stdout));
      expect(loaded.rounds.flatMap(({ phases }) => phases.map(({ status }) => status))).toContain("ok");
    } finally {
      await server.kill();
    }
  });
});
