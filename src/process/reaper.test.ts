import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { awaitGone, createFixture, isRunning } from "../../test/support/contender-folder.ts";
import { startReaper } from "./reaper.ts";

/** A program that starts a reaper and a server of this mode, says their pids, and then does nothing. */
function startParent(mode: string) {
  const fixture = createFixture(mode);
  const script = `
    const { startReaper } = await import(${JSON.stringify(join(import.meta.dir, "reaper.ts"))});
    const { ServerProcess } = await import(${JSON.stringify(join(import.meta.dir, "server.ts"))});
    const reaper = startReaper();
    const program = ${JSON.stringify(fixture)};
    const server = await ServerProcess.start({ program, host: "127.0.0.1", port: 0, cpus: null, readyMs: 10_000, reaper });
    const child = /child (\\d+)/.exec(server.output())?.[1];
    console.log(JSON.stringify({ reaper: reaper.pid, server: server.pid, child: Number(child ?? 0) }));
    setInterval(() => {}, 1000);`;
  const path = join(fixture.folder, "parent.ts");
  writeFileSync(path, script);
  const parent = Bun.spawn([process.execPath, path], { stdout: "pipe", stderr: "inherit" });
  return { parent, fixture };
}

async function readPids(stdout: ReadableStream<Uint8Array>) {
  const { value } = await stdout.getReader().read();
  return JSON.parse(new TextDecoder().decode(value)) as { reaper: number; server: number; child: number };
}

test.each(["stubborn", "fork", ...(process.platform === "linux" ? ["escape"] : [])])(
  "SIGKILL of the program leaves nothing of a %s server",
  async (mode) => {
    const { parent, fixture } = startParent(mode);
    const pids = await readPids(parent.stdout);
    expect(await isRunning(pids.server)).toBe(true);
    parent.kill("SIGKILL");
    await parent.exited;
    expect(await awaitGone(pids.server, 3000)).toBe(true);
    if (pids.child !== 0) expect(await awaitGone(pids.child, 3000)).toBe(true);
    expect(await awaitGone(pids.reaper, 3000)).toBe(true);
    fixture.remove();
  },
  60_000,
);

test("what was released is left alone, what was not is killed when the reaper is stopped", async () => {
  const start = () => Bun.spawn(["sleep", "60"], { detached: true });
  const [held, released, other] = [start(), start(), start()];
  const reaper = startReaper();
  for (const { pid } of [held, released, other]) reaper.hold(pid);
  reaper.release(released.pid);
  reaper.release(4_000_000);
  await reaper.stop();
  expect(await held.exited).toBe(137);
  expect(await other.exited).toBe(137);
  expect(await isRunning(released.pid)).toBe(true);
  released.kill("SIGKILL");
  await released.exited;
});

test.if(process.platform === "linux")("a reaper sleeps: it uses no CPU time", async () => {
  const reaper = startReaper();
  await Bun.sleep(1000);
  const stat = await Bun.file(`/proc/${reaper.pid}/stat`).text();
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  expect(Number(fields[11]) + Number(fields[12])).toBeLessThanOrEqual(1);
  await reaper.stop();
});

test("a reaper that somebody killed breaks nothing", async () => {
  const reaper = startReaper();
  process.kill(reaper.pid, "SIGKILL");
  await awaitGone(reaper.pid, 2000);
  reaper.hold(1234567);
  await Bun.sleep(50);
  reaper.release(1234567);
  await reaper.stop();
});
