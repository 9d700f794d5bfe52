import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { echo, serve, type TestServer } from "../attack/servers.ts";
import { longestMs, showdownCommand, temporaryFolder } from "../showdown/showdown.ts";
import { brief, play, refused, writeScenario } from "./scenario.ts";

setDefaultTimeout(longestMs);

const folder = temporaryFolder();
let server: TestServer;
beforeAll(() => {
  server = serve((socket, message) => {
    if (message === "close") socket.close(4001, "as you wish");
    else echo(socket, message);
  });
});
afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Where a text stands in a scenario's file, as errors tell it. */
function placeOf(file: string, text: string): string {
  const lines = readFileSync(file, "utf8").split("\n");
  const row = lines.findIndex((line) => line.includes(text));
  return `${row + 1}:${(lines[row]?.indexOf(text) ?? 0) + 1}`;
}

test.concurrent("what it throws is counted by message and line, and the report shows nothing but text", async () => {
  const { result, exitCode, stderr, file } = await play(
    folder,
    server.url,
    `
    if (user === 0) throw new Error("boom\\x1b[2J\\u202e");
    const socket = await connect();
    socket.send("close");
    await socket.expect("never");`,
  );
  expect(exitCode).toBe(15);
  expect(result.reason).toEqual({ kind: "no-iteration-finished" });
  const failures = result.scenario?.failures ?? [];
  expect(failures).toHaveLength(2);
  const [boom, closed] = ["boom", "closed"].map((word) =>
    failures.find(({ message }) => message.includes(word)),
  );
  expect(boom).toMatchObject({ kind: "thrown", message: "boom\x1b[2J\u202e" });
  expect(boom?.place?.split(":")[0]).toBe(placeOf(file, 'throw new Error("boom').split(":")[0] ?? "");
  expect(closed?.message).toBe("expect: the connection is closed (close 4001)");
  expect(closed?.place).toBe(placeOf(file, 'expect("never")'));
  // A user that fails waits a little longer each time.
  expect(boom?.count ?? 0).toBeLessThan(8);
  expect(stderr).toContain("boom\\x1b[2J\\u{202e} (scenario-");
  expect(stderr).not.toContain("\x1b[2J");
  expect(stderr).toContain("Failed: no iteration of the scenario came to its end.");
});

/** What a scenario may do wrong, and how that is counted. */
const wrongs: readonly (readonly [body: string, message: string | RegExp])[] = [
  ['throw "text"', "threw text"],
  ["throw { toString() { throw 1; } }", "threw what has no text"],
  ["null.x", /null is not an object/],
  ['measure("m", Number.NaN)', /^TypeError: measure\("m"\): NaN is no time/],
  ['measure("a<b", 1)', /^TypeError: measure\("a<b"\): expected a name/],
  [
    'for (let n = 0; n < 101; n += 1) check("c" + n, true)',
    /^TypeError: check\("c100"\): there are 100 names/,
  ],
  ['await room("r").meet(300)', /^meet\(300\): expected a number from 1 to \d+, the users of this worker$/],
  ['await room("r").expect()', "expect: nobody is in the room"],
  ['await connect("no path")', /^connect\("no path"\): expected a path/],
  ['await connect("/", { headers: { a: "b\\r\\nc: d" } })', /^connect: header "a"/],
  ["(await connect()).send(undefined)", /^send\(undefined\): expected text/],
  ["(await connect()).send(1n)", /JSON/],
  ['const s = await connect(); s.close(); s.send("x")', /^send: the scenario has closed the connection/],
  ["await (await connect()).expect(7)", /^TypeError: expect\(number\)/],
  ['await (async () => { await wait(1); throw new Error("deep"); })()', "deep"],
  ['(async () => { await wait(1); throw new Error("lost"); })(); await wait(50)', "not awaited: lost"],
];

test.concurrent("each mistake is counted by what is wrong and its line", async () => {
  const lines = wrongs.map(([body], at) => `if (user === ${at}) { ${body}; }`);
  const users = ["--connections", `${wrongs.length}`];
  const { result } = await play(folder, server.url, lines.join("\n"), ...users);
  const { failures = [], otherFailures = 0, iterations } = result.scenario ?? {};
  // Twelve of them are told.
  expect(failures).toHaveLength(12);
  expect(otherFailures).toBeGreaterThan(0);
  for (const { message, place } of failures) {
    const at = wrongs.findIndex(([, one]) => (typeof one === "string" ? one === message : one.test(message)));
    expect(at, message).toBeGreaterThanOrEqual(0);
    // What is thrown without being an error does not say where.
    if (message.startsWith("threw ")) expect(place).toBeNull();
    else expect(place, message).toStartWith(`${5 + at}:`);
  }
  const { started = 0, finished = 0, failed = 0, unended = 0 } = iterations ?? {};
  expect(started).toBe(finished + failed + unended);
});

test.concurrent("messages of which each is another one are counted as others", async () => {
  const body = 'throw new Error("number " + iteration + " of " + user);';
  const { result } = await play(folder, server.url, body, "--connections", "20");
  const { failures = [], otherFailures = 0, iterations } = result.scenario ?? {};
  expect(failures).toHaveLength(12);
  expect(otherFailures).toBe((iterations?.failed ?? 0) - 12);
});

test.concurrent("one that never ends is ended at the end of its time, by the line where it waits", async () => {
  const { result, exitCode, stderr, file } = await play(
    folder,
    server.url,
    `
    const socket = await connect();
    try {
      for (;;) {
        try {
          await socket.expect("never", { timeoutMs: 60_000 });
        } catch {}
      }
    } finally {
      socket.close();
    }`,
  );
  expect(result.scenario?.iterations).toMatchObject({ started: 2, unended: 2, finished: 0 });
  expect(result.scenario?.failures).toEqual([
    { kind: "unended", message: "expect", place: placeOf(file, 'expect("never"'), count: 2 },
  ]);
  expect(stderr).toMatch(/Not ended: 2 × last in expect \(scenario-\d+\.js:\d+:\d+\)/);
  expect([0, 14]).toContain(exitCode);
});

test.concurrent("one that waits for what is not of the tool is ended, too", async () => {
  const { result } = await play(folder, server.url, "await new Promise(() => {});");
  expect(result.scenario?.failures).toMatchObject([{ kind: "unended", message: "", place: null, count: 2 }]);
});

test.concurrent("one that awaits nothing keeps nobody from ending", async () => {
  const { result } = await play(folder, server.url, "");
  expect(result.scenario?.iterations.finished ?? 0).toBeGreaterThan(10);
  expect(result.scenario?.iterations.unended).toBe(0);
});

test.concurrent("a loop that does not await is found, and no process stays", async () => {
  const file = writeScenario(folder, "await wait(100); for (;;) {}", "js");
  const { exitCode, said, workers } = await watch(file, server.url, ...brief);
  expect(exitCode).toBe(14);
  expect(said).toMatch(/generator worker 0 failed: it told nothing for 10 s: .*without awaiting\s+anything/s);
  expect(workers.length).toBeGreaterThanOrEqual(1);
  expect(workers.filter(isRunning)).toEqual([]);
});

test.concurrent("its workers end with the tool, even in a loop", async () => {
  if (process.platform !== "linux") return;
  const told = join(folder, "loops");
  const body = `await Bun.write(${JSON.stringify(told)}, ""); for (;;) {}`;
  const file = writeScenario(folder, body, "js");
  const args = ["attack", file, server.url, "--duration", "60s", "--connections", "1"];
  const command = showdownCommand(...args, "--results", join(folder, "killed"));
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "ignore" });
  await until(() => existsSync(told));
  const workers = childrenOf(child.pid);
  expect(workers.length).toBeGreaterThan(0);
  child.kill("SIGKILL");
  await child.exited;
  await until(() => !workers.some(isRunning));
});

test.concurrent("a type error, with its line; and what another has to do with it is none", async () => {
  const file = writeScenario(folder, '    const socket = await connect(7);\n    socket.sned("x");');
  const { stderr } = await refused(file, server.url);
  expect(stderr).toMatch(
    /scenario-\d+\.ts:5:34: Argument of type 'number' is not assignable to parameter of type 'string'\.? ?\(TS2345\)/,
  );
  expect(stderr).toMatch(/scenario-\d+\.ts:6:12: Property 'sned' does not exist/);
  expect(stderr).toContain("// @ts-nocheck");
});

test.concurrent("what can't be loaded, with its line", async () => {
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const cases: [string, RegExp][] = [
    [write("syntax.js", "export default {\n  run( {\n};\n"), /syntax\.js:\d+:\d+: /],
    [write("throws.js", "\n\nthrow new Error('at once');\n"), /throws\.js:3:\d+: at once/],
    [write("nothing.js", "export const run = 1;\n"), /nothing\.js: it has no default export/],
    [write("no-run.js", "export default {};\n"), /no-run\.js: "run" is missing/],
    [
      write("exits.js", "process.exit(3);\n"),
      /exits\.js: it ended the process while it was loaded \(exit code 3\)/,
    ],
    [join(folder, "absent.ts"), /absent\.ts: there is no such file/],
  ];
  for (const [file, message] of cases) expect((await refused(file, server.url)).stderr).toMatch(message);
  const url = await refused(write("no-url.js", "export default { run() {} };\n"));
  expect(url.stderr).toContain('it has no "url"');
});

test.concurrent("what is not through with being loaded is ended", async () => {
  const cases = ["for (;;) {}", "await new Promise(() => {});"].map((text, at) => {
    const file = join(folder, `loops-${at}.js`);
    writeFileSync(file, `${text}\nexport default { run() {} };\n`);
    return file;
  });
  const all = await Promise.all(cases.map((file) => watch(file, server.url)));
  for (const { exitCode, said, workers } of all) {
    expect(exitCode).toBe(2);
    expect(said).toMatch(/loops-\d\.js: it was not loaded within 20 s/);
    expect(workers).toHaveLength(1);
    expect(workers.filter(isRunning)).toEqual([]);
  }
});

test.concurrent("options that a scenario leaves nothing to are refused", async () => {
  const file = writeScenario(folder, "", "js");
  const { stderr } = await refused(file, server.url, "--message", "x", "--in-flight", "2", "--reconnect");
  expect(stderr).toContain("--message, --in-flight, --reconnect: not with a scenario");
  expect((await refused(file, file, server.url)).stderr).toContain("expected one URL, or a scenario");
});

/** At most half a minute: the machine may be busy. */
async function until(isTrue: () => boolean): Promise<void> {
  for (let tries = 0; tries < 300 && !isTrue(); tries += 1) await Bun.sleep(100);
  expect(isTrue()).toBe(true);
}

/** An attack, and the processes that it had. */
async function watch(...args: readonly string[]) {
  const command = showdownCommand("attack", ...args, "--results", join(folder, "watched"));
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const workers = new Set<number>();
  const timer = setInterval(() => {
    for (const pid of childrenOf(child.pid)) workers.add(pid);
  }, 50);
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const exitCode = await child.exited;
  clearInterval(timer);
  return { exitCode, said: `${stdout}${stderr}`, workers: [...workers] };
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8");
    return text.trim().split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
