import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attack as attackAsLibrary } from "../../src/attack/attack.ts";
import { attackLineSchema } from "../../src/views/ndjson/line.ts";
import { attack } from "../attack/attack.ts";
import { echo, serve, type TestServer } from "../attack/servers.ts";
import { longestMs, showdown, showdownCommand, temporaryFolder } from "../showdown/showdown.ts";
import { brief, play, writeScenario } from "./scenario.ts";

setDefaultTimeout(longestMs);

const folder = temporaryFolder();
const servers: TestServer[] = [];
let echoUrl = "";
function start(...ways: Parameters<typeof serve>): string {
  const server = serve(...ways);
  servers.push(server);
  return server.url;
}
beforeAll(() => {
  echoUrl = start(echo);
});
afterAll(async () => {
  for (const server of servers) await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Says to everybody what somebody said. */
function startChat(misses = 0): string {
  const all = new Set<Parameters<Parameters<typeof serve>[0]>[0]>();
  return start(
    (_, message) => {
      for (const [at, socket] of [...all].entries()) if (at >= misses) socket.send(message);
    },
    { onOpen: (socket) => void all.add(socket) },
  );
}

test.concurrent("measures and checks stand beside built-in figures, in every report", async () => {
  const {
    result,
    folder: results,
    stderr,
    exitCode,
  } = await play(
    folder,
    echoUrl,
    `
    const socket = await connect();
    const began = performance.now();
    socket.send({ user, iteration, name: row.name });
    const answer = await socket.expect('"user":' + user);
    measure("round trip", performance.now() - began);
    check("is its own", answer.json().iteration === iteration);
    check("has a name", row.name === "b" || user !== 1);
    check("is odd", user === 1);
    await wait(50);`,
    "--data",
    writeUsers(),
    "--threshold",
    "measure.round trip.p50 < 900ms",
    "--threshold",
    "checks.is odd.failed.share = 50%",
    "--threshold",
    "checks.is its own.failed = 0",
  );
  expect(stderr).toContain('passed: "measure.round trip.p50 < 900ms"');
  expect(stderr).toContain('passed: "checks.is its own.failed = 0"');
  expect([0, 12, 14]).toContain(exitCode);
  const { scenario, messages, connections, latencyUs } = result;
  const finished = scenario?.iterations.finished ?? 0;
  expect(finished).toBeGreaterThan(4);
  expect(scenario?.iterations).toMatchObject({ failed: 0, unended: 0, unstarted: 0 });
  expect(scenario?.measures).toMatchObject([{ name: "round trip", valueUs: { count: finished } }]);
  expect(scenario?.iterationUs.min ?? 0).toBeGreaterThan(40_000);
  expect(scenario?.checks).toMatchObject([
    { name: "is its own", passed: finished, failed: 0, place: null },
    { name: "has a name", passed: finished, failed: 0 },
    { name: "is odd", place: expect.stringMatching(/^\d+:\d+$/) },
  ]);
  expect(messages).toMatchObject({ sent: finished, answered: finished, lost: 0, received: finished });
  expect(latencyUs.count).toBe(finished);
  // Each iteration opened its own, and left it to be closed.
  expect(connections).toMatchObject({ opened: finished, died: 0, failed: 0, openAtEnd: 0 });
  for (const report of [
    stderr,
    ...["report.md", "report.html"].map((name) => readFileSync(join(results, name), "utf8")),
  ]) {
    expect(report).toContain("measure round trip");
    expect(report).toContain("check is its own");
    expect(report).toContain("iterations");
    expect(report).toMatch(
      /"is odd" was not true, first at scenario-\d+\.js:\d+:\d+|&quot;is odd&quot; was not true/,
    );
  }
});

function writeUsers(): string {
  const file = join(folder, "users.csv");
  writeFileSync(file, "name\na\nb\n");
  return file;
}

test.concurrent("everybody in a room is given what one of them says, or the one who is not is missed", async () => {
  const body = `
    const socket = await connect();
    const lobby = room("lobby");
    lobby.join(socket);
    await lobby.meet(4);
    const text = "said by " + user + " in " + iteration;
    socket.send(text);
    check("all four", (await lobby.expect(text)) === 4);
    await lobby.meet(4);
    socket.close();`;
  const four = ["--connections", "4"];
  const { result } = await play(folder, startChat(), body, ...four);
  const finished = result.scenario?.iterations.finished ?? 0;
  expect(finished).toBeGreaterThanOrEqual(4);
  expect(result.scenario?.checks).toMatchObject([{ name: "all four", failed: 0 }]);
  expect(result.scenario?.failures).toEqual([]);
  expect(result.messages).toMatchObject({ lost: 0, answered: 4 * result.messages.sent });

  const missing = await play(folder, startChat(1), body, ...four);
  const [failure] = missing.result.scenario?.failures ?? [];
  expect(failure).toMatchObject({
    kind: "thrown",
    message: expect.stringContaining('no message with "said by'),
  });
  expect(missing.result.messages.lost).toBeGreaterThanOrEqual(1);
});

test.concurrent("what comes early is kept, and each message is given once", async () => {
  const hello = start(echo, { onOpen: (socket) => void [1, 2, 3].map((n) => socket.send(`hello ${n}`)) });
  const { result } = await play(
    folder,
    hello,
    `
    const socket = await connect();
    await wait(50);
    const [two, one] = await Promise.all([socket.expect("2"), socket.expect(/hello/g)]);
    check("in any order", two.text === "hello 2" && one.text === "hello 1");
    socket.send(new Uint8Array([1, 2, 255]));
    const bytes = await socket.expect((message) => !message.isText);
    check("bytes", bytes.bytes.join() === "1,2,255");
    check("the rest", (await socket.expect()).text === "hello 3");
    const none = await socket.expect("hello", { timeoutMs: 20 }).catch((error) => error.message);
    check("no more", none === 'no message with "hello" came within 0.02 s');`,
  );
  expect(result.scenario?.failures).toEqual([]);
  for (const check of result.scenario?.checks ?? []) expect(check).toMatchObject({ failed: 0 });
  expect(result.scenario?.checks).toHaveLength(4);
});

test.concurrent("another path and headers of its own", async () => {
  const asked: string[] = [];
  const url = start(echo, {
    refuse: (request) => {
      asked.push(`${new URL(request.url).pathname} ${request.headers.get("x-user")}`);
      return new URL(request.url).pathname === "/no" ? new Response("no", { status: 403 }) : null;
    },
  });
  const { result, exitCode } = await play(
    folder,
    url,
    `
    await connect("/chat?room=1", { headers: { "X-User": "u" + user } });
    await connect("/no");`,
  );
  expect(asked).toContain("/chat u0");
  expect(asked).toContain("/chat u1");
  expect(result.scenario?.failures).toMatchObject([{ message: "connect: no connection (http 403)" }]);
  expect(result.refusals).toMatchObject([{ status: 403 }]);
  expect(exitCode).toBe(15);
});

test.concurrent("--rate starts iterations at their times, and counts those that found no free user", async () => {
  const body = "await wait(100);";
  const rate = async (perSecond: string) =>
    (await play(folder, echoUrl, body, "--rate", perSecond, "--connections", "3")).result;
  const slow = await rate("10");
  expect(slow.scenario?.iterations).toMatchObject({ finished: 10, unstarted: 0 });
  const fast = await rate("100");
  const { started = 0, unstarted = 0 } = fast.scenario?.iterations ?? {};
  expect(started + unstarted).toBe(100);
  expect(started).toBeLessThan(40);
});

test.concurrent("each second in a line, which add up; measures and checks among what Prometheus asks for", async () => {
  const file = join(folder, "lines.ndjson");
  const scenario = writeScenario(
    folder,
    `
    const socket = await connect();
    socket.send("x");
    await socket.expect();
    measure("one", 5);
    check("two", iteration > 1);
    await wait(100);`,
    "js",
  );
  const command = showdownCommand(
    "attack",
    scenario,
    echoUrl,
    ...brief,
    "--duration",
    "3s",
    "--ndjson",
    file,
  );
  const child = Bun.spawn([...command, "--metrics", "0", "--results", join(folder, "r")], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  let said = "";
  let metrics = "";
  for await (const chunk of child.stderr) {
    said += new TextDecoder().decode(chunk);
    const [url] = /http:\S+\/metrics/.exec(said) ?? [];
    for (let tries = 0; url !== undefined && metrics === "" && tries < 50; tries += 1) {
      await Bun.sleep(100);
      const page = await fetch(url).then(
        (answer) => answer.text(),
        () => "",
      );
      if (page.includes("showdown_checks")) metrics = page;
    }
  }
  await child.exited;
  expect(metrics).toMatch(/showdown_iterations_total\{[^}]*status="finished"[^}]*\} [1-9]/);
  expect(metrics).toMatch(
    /showdown_checks_total\{[^}]*status="failed"[^}]*check="two"[^}]*\} 2|check="two"[^}]*status="failed"[^}]*\} 2/,
  );
  expect(metrics).toMatch(/showdown_measure_seconds_count\{[^}]*measure="one"[^}]*\} [1-9]/);
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  const all = lines.map((line) => attackLineSchema.parse(JSON.parse(line)));
  const end = all.at(-1);
  if (end?.kind !== "attack-ended") throw new Error("expected the end");
  const seconds = all.flatMap((line) => (line.kind === "second" && line.scenario ? [line.scenario] : []));
  const sum = (list: readonly number[]) => list.reduce((total, one) => total + one, 0);
  expect(seconds.length).toBeGreaterThan(1);
  expect(sum(seconds.map((one) => one.iterations.finished))).toBe(end.scenario?.iterations.finished ?? -1);
  expect(sum(seconds.map((one) => one.checks.two?.passed ?? 0))).toBe(end.scenario?.checks.two?.passed ?? -1);
  expect(sum(seconds.map((one) => one.measures.one?.count ?? 0))).toBe(
    end.scenario?.measures.one?.count ?? -1,
  );
});

test.concurrent("--abort-on ends it by a check or a measure of its own", async () => {
  const body = 'measure("m", 20); check("c", false); await wait(20);';
  const long = ["--duration", "60s"];
  const one = await play(folder, echoUrl, body, ...long, "--abort-on", "checks.c.failed > 5");
  expect(one.result.reason).toMatchObject({ kind: "abort-on", measure: "checks.c.failed" });
  const other = await play(folder, echoUrl, body, ...long, "--abort-on", "measure.m.p50 > 10ms");
  expect(other.result.reason).toMatchObject({ kind: "abort-on", measure: "measure.m.p50" });
  expect(other.stderr).toContain("measure.m.p50 was 20.0 ms");
  expect([one.exitCode, other.exitCode]).toEqual([15, 15]);
});

test.concurrent("--trace shows one iteration's exchange", async () => {
  const file = writeScenario(folder, 'const s = await connect("/x"); s.send("abc"); await s.expect();', "js");
  const { stdout, exitCode } = await showdown("attack", file, echoUrl, "--trace", "--reply-timeout", "1");
  expect(stdout).toMatch(/→ GET \/x HTTP\/1\.1.*→ text, 3 B\n\s+abc.*← text, 3 B\n\s+abc/s);
  expect(exitCode).toBe(0);
});

test.concurrent("Ctrl-C keeps what it came to", async () => {
  const told = join(folder, "goes-on");
  const body = `measure("m", 1); await wait(30); if (iteration === 3) await Bun.write("${told}", "");`;
  const file = writeScenario(folder, body, "js");
  const results = temporaryFolder();
  const child = Bun.spawn(
    showdownCommand(
      "attack",
      file,
      echoUrl,
      "--connections",
      "2",
      "--duration",
      "60s",
      "--json",
      "--results",
      results,
    ),
    { stdin: "ignore", stdout: "pipe", stderr: "ignore" },
  );
  for (let tries = 0; tries < 300 && !existsSync(told); tries += 1) await Bun.sleep(100);
  child.kill("SIGINT");
  const { scenario, status } = JSON.parse(await new Response(child.stdout).text());
  expect(await child.exited).toBe(130);
  expect(status).toBe("aborted");
  expect(scenario.iterations.finished).toBeGreaterThan(1);
  rmSync(results, { recursive: true, force: true });
});

test.concurrent("of several workers and TLS's absence nothing is lost; the library takes a scenario, too", async () => {
  const body = 'const s = await connect(); s.send("x"); await s.expect("x"); check("two", true);';
  const { result } = await play(folder, echoUrl, body, "--connections", "4", "--workers", "2");
  const { iterations, checks } = result.scenario ?? { iterations: null, checks: [] };
  expect(iterations?.finished).toBe(iterations?.started);
  expect(checks).toMatchObject([{ name: "two", passed: iterations?.finished ?? -1 }]);

  const scenario = writeScenario(folder, body);
  const { events, result: ended } = attackAsLibrary({
    scenario,
    url: echoUrl,
    connections: 2,
    durationSeconds: 1,
  });
  let seconds = 0;
  for await (const event of events) if (event.kind === "second" && event.scenario !== undefined) seconds += 1;
  expect(seconds).toBeGreaterThan(0);
  expect((await ended).scenario?.checks[0]?.failed).toBe(0);
});

test.concurrent("a URL of its own, which the command line replaces", async () => {
  const file = join(folder, "with-url.js");
  // What it prints must not come between what the tool says on stdout.
  writeFileSync(
    file,
    `console.log("hi");\nexport default { url: "${echoUrl}", run: async ({ connect }) => void (await connect()) };`,
  );
  const own = await attack(file, ...brief);
  expect(own.result.plan.target.url).toBe(echoUrl);
  const other = start(echo);
  expect((await attack(file, other, ...brief)).result.plan.target.url).toBe(other);
});
