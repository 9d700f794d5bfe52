import { afterEach, describe, expect, test } from "bun:test";
import { readdirSync, readlinkSync } from "node:fs";
import { createFixture, type Fixture, isRunning } from "../../test/support/contender-folder.ts";
import { until } from "../../test/support/until.ts";
import { isShowdownError, type ShowdownError } from "../errors.ts";
import { readStats } from "./counters.ts";
import { type ServerOptions, ServerProcess } from "./server.ts";

const fixtures: Fixture[] = [];
const servers: ServerProcess[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  for (const fixture of fixtures.splice(0)) fixture.remove();
});

type Overrides = Partial<ServerOptions> & { env?: Record<string, string> };

async function start(mode: string, { env, ...overrides }: Overrides = {}): Promise<ServerProcess> {
  const program = createFixture(mode, env);
  fixtures.push(program);
  const server = await ServerProcess.start({
    program,
    host: "127.0.0.1",
    port: 0,
    cpus: null,
    readyMs: 10_000,
    ...overrides,
  });
  servers.push(server);
  return server;
}

async function failStart(mode: string, overrides?: Overrides): Promise<ShowdownError> {
  const error = await start(mode, overrides).then(
    () => new Error("it started"),
    (reason: Error) => reason,
  );
  if (!isShowdownError(error, "contenderFailed")) throw error;
  return error;
}

test("a server gets ready, answers /stats, and ends gracefully on SIGTERM", async () => {
  const server = await start("good");
  expect(server.port).toBeGreaterThan(0);
  expect(server.readyMs).toBeGreaterThan(0);
  expect(server.exit).toBeNull();
  // The connection of the readiness check is gone by now; unknown keys are no business of ours.
  expect(await readStats("127.0.0.1", server.port)).toEqual({
    connections: 0,
    received: 7,
    sent: 8,
    dropped: 9,
  });
  const stopped = await server.stop();
  expect(stopped).toMatchObject({ graceful: true, code: 0, signal: null });
  expect(stopped.exitMs).toBeLessThan(3000);
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(server.output()).toContain("bye");
  expect(await server.stop()).toBe(stopped);
});

test("a server sees its manifest's environment and nothing of the user's that could change it", async () => {
  process.env.GOGC = "off";
  const server = await start("good", { env: { MODE: "good", OWN: "1" } });
  delete process.env.GOGC;
  const names = JSON.parse(/^env (.*)$/m.exec(server.output())?.[1] ?? "[]");
  expect(names).toContain("OWN");
  expect(names).toContain("PATH");
  expect(names).not.toContain("GOGC");
});

test("a server that exits before it is ready is reported at once, with code and output", async () => {
  const startMs = performance.now();
  const error = await failStart("exit");
  expect(performance.now() - startMs).toBeLessThan(5000);
  expect(error.message).toMatch(
    /^contender "fixture-exit": exited with code 3 before it was ready on 127\.0\.0\.1:\d+$/,
  );
  expect(error.output).toContain("cannot load libfoo.so");
  expect(error.hint).toMatch(/cd .*fixture-.* && HOST=127\.0\.0\.1 PORT=\d+ MODE=exit bun server\.ts/);
});

test.each([
  ["silent", "no handshake"],
  ["not-found", "no handshake"],
  ["garbled", "the echo differs"],
])(
  "a server that never gets ready (%s) is reported with what the last attempt lacked",
  async (mode, lacked) => {
    const error = await failStart(mode, { readyMs: 700 });
    expect(error.message).toContain("not ready on 127.0.0.1:");
    expect(error.message).toContain(`within 0.7 s; the last attempt: ${lacked}`);
  },
);

test("a start program that is not there", async () => {
  const program = { ...createFixture(), start: ["./no-such-server"] };
  fixtures.push(program);
  const error = await failStart("good", { program });
  expect(error.message).toBe('contender "fixture-good": its start program "./no-such-server" was not found');
});

test("a stubborn server is killed after 5 s, and that is told", async () => {
  const server = await start("stubborn");
  const stopped = await server.stop();
  expect(stopped).toMatchObject({ graceful: false, code: null, signal: "SIGKILL" });
  expect(stopped.exitMs).toBeGreaterThan(4900);
  expect(await isRunning(server.pid)).toBe(false);
}, 60_000);

test.each(["fork", "escape"])(
  "what a server leaves behind is killed with it (%s)",
  async (mode) => {
    const server = await start(mode);
    const child = Number(/child (\d+)/.exec(server.output())?.[1]);
    expect(await isRunning(child)).toBe(true);
    const stopped = await server.stop();
    expect(stopped).toMatchObject({ graceful: false, code: 0 });
    expect(await isRunning(child)).toBe(false);
  },
  60_000,
);

test("a crash shows in `exited`, and stopping afterwards is not called graceful", async () => {
  const server = await start("good");
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}/ws`);
  socket.onopen = () => socket.send('{"type":"crash"}');
  expect(await server.exited).toEqual({ code: 42, signal: null });
  expect(server.exit).toEqual({ code: 42, signal: null });
  expect(await server.stop()).toEqual({ graceful: false, exitMs: 0, code: 42, signal: null });
});

test("a server that never stops logging is neither blocked nor kept in full", async () => {
  const server = await start("chatty");
  await Bun.sleep(1000);
  // Our event loop stands still for a while; the server must not notice.
  const until = performance.now() + 500;
  while (performance.now() < until);
  expect(await readStats("127.0.0.1", server.port, 5000)).not.toBeNull();
  const output = server.output();
  expect(output.length).toBeLessThanOrEqual(64 * 1024);
  expect(output.length).toBeGreaterThan(32 * 1024);
  expect(output).toMatch(/^line \d+ x/);
  expect((await server.stop()).graceful).toBe(true);
}, 60_000);

test("a port in use is refused with who listens there", async () => {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const error = await start("good", { port: listener.port }).catch((reason) => reason);
  listener.stop(true);
  expect(error).toMatchObject({ reason: "portInUse" });
  expect(error.exitCode).toBe(9);
  expect(error.message).toStartWith(`port ${listener.port} on 127.0.0.1 is in use`);
  if (process.platform === "linux") expect(error.message).toContain(`(pid ${process.pid})`);
});

test("a given port is used, and an address of another machine is refused", async () => {
  const first = await start("good");
  await first.stop();
  const second = await start("good", { port: first.port });
  expect(second.port).toBe(first.port);
  const error = await start("good", { host: "192.0.2.1" }).catch((reason) => reason);
  expect(error).toMatchObject({ reason: "usage" });
  expect(error.message).toStartWith("cannot listen on 192.0.2.1:0: ");
});

test("an abort while waiting leaves no process", async () => {
  const abort = new AbortController();
  const program = createFixture("silent");
  fixtures.push(program);
  const starting = start("silent", { program, signal: abort.signal });
  await Bun.sleep(300);
  const pid = program.readPid();
  expect(await isRunning(pid)).toBe(true);
  abort.abort();
  expect(await starting.catch((reason) => reason)).toMatchObject({ reason: "aborted" });
  expect(await isRunning(pid)).toBe(false);
  const after = await start("good", { signal: abort.signal }).catch((reason) => reason);
  expect(after).toMatchObject({ reason: "aborted", exitCode: 130 });
});

test.if(process.platform === "linux")("a server is pinned with all its threads", async () => {
  const server = await start("good", { cpus: [0] });
  const status = await Bun.file(`/proc/${server.pid}/status`).text();
  expect(status).toMatch(/^Cpus_allowed_list:\s*0$/m);
});

test("stats that are slow, wrong or not there are null", async () => {
  const slow = await start("slow-stats");
  const startMs = performance.now();
  expect(await readStats("127.0.0.1", slow.port, 100)).toBeNull();
  expect(performance.now() - startMs).toBeLessThan(2000);
  const bad = await start("bad-stats");
  expect(await readStats("127.0.0.1", bad.port)).toBeNull();
  await bad.stop();
  expect(await readStats("127.0.0.1", bad.port)).toBeNull();
});

describe.if(process.platform === "linux")("a start that is not the server", () => {
  /** @param script instead of the server, which it may start as `bun server.ts` */
  const launch = (script: string, mode = "good") => {
    const program = { ...createFixture(mode), start: ["sh", "-c", script] };
    fixtures.push(program);
    return program;
  };

  test("a server in a session of its own is what is measured, killed and restarted", async () => {
    const program = launch("setsid -f bun server.ts; sleep 60");
    const server = await start("good", { program });
    const pid = program.readPid();
    const sample = await server.probe().sample();
    // Bun alone takes tens of megabytes; the shell and its sleep two.
    expect(sample.rssBytes).toBeGreaterThan(20e6);
    expect(sample.cpuMs).toBeGreaterThan(5);
    expect(sample.processes).toBe(3);
    await server.restart();
    expect(await isRunning(pid)).toBe(false);
    const next = program.readPid();
    await server.kill();
    expect(await isRunning(next)).toBe(false);
    expect(await server.stop()).toMatchObject({ signal: "SIGKILL" });
  });

  test("it is ended by a SIGTERM too", async () => {
    const program = launch("setsid -f bun server.ts; sleep 60");
    const server = await start("good", { program });
    expect(await server.stop()).toMatchObject({ graceful: true });
    expect(server.output()).toContain("bye");
    expect(await isRunning(program.readPid())).toBe(false);
  });

  test.each(["setsid -f bun server.ts", "bun server.ts & sleep 0.2"])(
    "one that forks and exits is told that it must not: %s",
    async (script) => {
      const program = launch(script);
      const error = await failStart("good", { program });
      expect(error.message).toContain('its "start" exited with code 0 and left a process in the background');
      expect(error.hint).toContain("exec");
      const listLeft = () =>
        readdirSync("/proc").filter((pid) => {
          try {
            return readlinkSync(`/proc/${pid}/cwd`) === program.folder;
          } catch {
            return false;
          }
        });
      // Killed, it may yet have to get a CPU to go.
      await until(() => listLeft().length === 0);
    },
  );

  test("one whose server can't be told from a stranger's is refused", async () => {
    const program = launch(`env -i PATH="$PATH" HOST=$HOST PORT=$PORT setsid -f bun server.ts; sleep 60`);
    const error = await failStart("good", { program });
    expect(error.message).toMatch(
      /port \d+ is served by bun \(pid \d+\), which its "start" is not the parent of/,
    );
    process.kill(program.readPid(), "SIGKILL");
  });
});
