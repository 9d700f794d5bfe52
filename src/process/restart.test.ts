import { afterEach, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { awaitGone, createFixture, type Fixture, isRunning } from "../../test/support/contender-folder.ts";
import { readStats } from "./counters.ts";
import { ServerProcess } from "./server.ts";

let fixture: Fixture;
let server: ServerProcess;
afterEach(async () => {
  if (server.exit === null) await server.kill();
  await server.stop();
  fixture.remove();
});

async function start(mode: string): Promise<ServerProcess> {
  fixture = createFixture(mode);
  server = await ServerProcess.start({
    program: fixture,
    host: "127.0.0.1",
    port: 0,
    cpus: null,
    readyMs: 5000,
  });
  return server;
}

test("a killed server comes back on its port as another process", async () => {
  const { port, pid } = await start("good");
  await server.kill();
  expect(server.exit).toEqual({ code: null, signal: "SIGKILL" });
  expect(await readStats("127.0.0.1", port, 500)).toBeNull();
  await server.restart();
  expect(server.port).toBe(port);
  expect(server.pid).not.toBe(pid);
  expect(server.exit).toBeNull();
  expect(await readStats("127.0.0.1", port)).not.toBeNull();
  expect(await server.stop()).toMatchObject({ graceful: true, code: 0 });
});

test("a kill takes the children along, also those that ignore SIGTERM", async () => {
  await start("fork");
  const child = Number(/child (\d+)/.exec(server.output())?.[1]);
  expect(await isRunning(child)).toBe(true);
  await server.kill();
  expect(await awaitGone(child, 1000)).toBe(true);
});

test("one that can't be started again stays ended, and says why", async () => {
  await start("good");
  await server.kill();
  rmSync(`${fixture.folder}/server.ts`);
  await expect(server.restart()).rejects.toThrow("before it was ready");
  expect(server.exit).toEqual({ code: null, signal: "SIGKILL" });
});
