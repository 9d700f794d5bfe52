import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

setDefaultTimeout(30_000);
const launcher = join(import.meta.dir, "..", "showdown.mjs");
const started: Bun.Subprocess[] = [];
// Accepts and says nothing, so that verify has something to wait for.
const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
afterEach(async () => {
  for (const child of started.splice(0)) {
    child.kill("SIGTERM");
    await child.exited;
  }
});

/** @param command what starts the launcher, in sh */
async function start(command: string, env: Record<string, string> = {}) {
  const child = Bun.spawn(["sh", "-c", `${command} verify ws://127.0.0.1:${silent.port}/ws`], {
    env: { ...process.env, _: "", ...env },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  started.push(child);
  const program = await until(() => programOf(child.pid));
  await until(() => catchesHangup(program) || null);
  return { child, program };
}

/** The Bun process below the launcher, once it is the program. */
function programOf(pid: number): number | null {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  const [child] = list === "" ? [] : list.split(" ").map(Number);
  if (child === undefined) return null;
  const arguments_ = readFileSync(`/proc/${child}/cmdline`, "utf8").split("\0");
  return arguments_[0]?.endsWith("bun") === true &&
    arguments_.some((argument) => argument.endsWith("main.ts"))
    ? child
    : null;
}

/** Whether it has a handler for SIGHUP by now: before that, the signal does what it does to any program. */
function catchesHangup(pid: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const caught = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  return (BigInt(`0x${caught}`) & 1n) === 1n;
}

async function until<T>(find: () => T | null): Promise<T> {
  for (let tries = 0; tries < 500; tries++) {
    const found = find();
    if (found !== null) return found;
    await Bun.sleep(20);
  }
  throw new Error("it did not come about within 10 s");
}

describe.if(process.platform === "linux")("SIGHUP", () => {
  test.each([
    ["ignored by who starts it", `trap '' HUP; exec sh ${launcher}`, {}],
    // The shell that was typed into says so in the environment.
    ["ignored by nohup", `trap '' HUP; exec node ${launcher}`, { _: "/usr/bin/nohup" }],
  ])("%s ends neither launcher nor program", async (_, command, env) => {
    const { child, program } = await start(command, env);
    child.kill("SIGHUP");
    process.kill(program, "SIGHUP");
    await Bun.sleep(500);
    expect(child.exitCode ?? child.signalCode).toBeNull();
    expect(programOf(child.pid)).toBe(program);
  });

  test("that nobody ignores ends both", async () => {
    const { child } = await start(`exec sh ${launcher}`);
    child.kill("SIGHUP");
    expect(await child.exited).toBe(130);
  });
});
