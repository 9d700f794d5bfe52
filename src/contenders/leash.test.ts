import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { awaitGone, createFixture, isRunning } from "./fixture.ts";
import { startLeash } from "./leash.ts";

/** A program that starts a leash and a server of this mode, says their pids, and then does nothing. */
function startParent(mode: string) {
  const fixture = createFixture(mode);
  const script = `
    const { startLeash } = await import(${JSON.stringify(join(import.meta.dir, "leash.ts"))});
    const { startServer } = await import(${JSON.stringify(join(import.meta.dir, "server.ts"))});
    const leash = startLeash();
    const entrant = ${JSON.stringify(fixture)};
    const server = await startServer({ entrant, host: "127.0.0.1", port: 0, cpus: null, readyMs: 10_000, leash });
    const child = /child (\\d+)/.exec(server.output())?.[1];
    console.log(JSON.stringify({ leash: leash.pid, server: server.pid, child: Number(child ?? 0) }));
    setInterval(() => {}, 1000);`;
  const path = join(fixture.folder, "parent.ts");
  writeFileSync(path, script);
  const parent = Bun.spawn([process.execPath, path], { stdout: "pipe", stderr: "inherit" });
  return { parent, fixture };
}

async function readPids(stdout: ReadableStream<Uint8Array>) {
  const { value } = await stdout.getReader().read();
  return JSON.parse(new TextDecoder().decode(value)) as { leash: number; server: number; child: number };
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
    expect(await awaitGone(pids.leash, 3000)).toBe(true);
    fixture.remove();
  },
  20_000,
);

test("what was released is left alone, what was not is killed when the leash is stopped", async () => {
  const start = () => Bun.spawn(["sleep", "60"], { detached: true });
  const [held, released, other] = [start(), start(), start()];
  const leash = startLeash();
  for (const { pid } of [held, released, other]) leash.hold(pid);
  leash.release(released.pid);
  leash.release(4_000_000);
  await leash.stop();
  expect(await held.exited).toBe(137);
  expect(await other.exited).toBe(137);
  expect(await isRunning(released.pid)).toBe(true);
  released.kill("SIGKILL");
  await released.exited;
});

test.if(process.platform === "linux")("a leash sleeps: it uses no CPU time", async () => {
  const leash = startLeash();
  await Bun.sleep(1000);
  const stat = await Bun.file(`/proc/${leash.pid}/stat`).text();
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  expect(Number(fields[11]) + Number(fields[12])).toBeLessThanOrEqual(1);
  await leash.stop();
});

test("a leash that somebody killed breaks nothing", async () => {
  const leash = startLeash();
  process.kill(leash.pid, "SIGKILL");
  await awaitGone(leash.pid, 2000);
  leash.hold(1234567);
  await Bun.sleep(50);
  leash.release(1234567);
  await leash.stop();
});
