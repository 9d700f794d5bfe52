import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ownCommand } from "../machine/installation.ts";
import { describeExit, exitOf } from "../process/exit.ts";
import { OutputTail } from "../process/output-tail.ts";
import { sendSignal } from "../process/processes.ts";
import { createMark, markName, type Reaper, startReaper } from "../process/reaper.ts";
import { printable } from "../text/printable.ts";
import { findNatsServer, startNatsServer } from "./nats-server.ts";

export interface LocalFleet {
  /** Of its bus, with its token. */
  readonly bus: string;
  /** Ends all of it. */
  stop(): Promise<void>;
}

/** An agent that has nothing to do ends at once. */
const graceMs = 2000;

/**
 * A bus and agents on this machine, with a folder of their own. However this program ends, none of them stays.
 *
 * @param onExit told of an agent that ended by itself, how, and what it said last
 * @throws {ShowdownError} `fleet` where there is no nats-server
 */
export async function startLocalFleet(
  agents: number,
  env: Readonly<Record<string, string | undefined>>,
  onExit: (agent: string) => void,
): Promise<LocalFleet> {
  const program = findNatsServer(env);
  const folder = await mkdtemp(join(tmpdir(), "showdown-fleet-"));
  const reaper = startReaper();
  const token = randomBytes(16).toString("hex");
  let children: Bun.Subprocess[] = [];
  let isStopping = false;
  const stop = async () => {
    isStopping = true;
    for (const { pid } of children) sendSignal(pid, "SIGTERM");
    await Promise.race([Promise.all(children.map(({ exited }) => exited)), Bun.sleep(graceMs)]);
    // It holds all that is left, and the server.
    await reaper.stop();
    await Promise.all(children.map(({ exited }) => exited));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const { host } = await startNatsServer(program, { folder, token, reaper });
    const bus = `nats://${token}@${host}`;
    children = Array.from({ length: agents }, () => {
      const tail = new OutputTail();
      const child = startAgent(bus, { keep: join(folder, "results"), output: tail.descriptor }, env, reaper);
      void child.exited.then(() => {
        tail.close();
        if (!isStopping) onExit(`${child.pid} ${describeExit(exitOf(child))}${lastLine(tail.read())}`);
      });
      return child;
    });
    return { bus, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function lastLine(output: string): string {
  const line = output.trim().split("\n").at(-1) ?? "";
  return line === "" ? "" : `: ${printable(line, { most: 200 })}`;
}

function startAgent(
  bus: string,
  { keep, output }: { readonly keep: string; readonly output: number },
  env: Readonly<Record<string, string | undefined>>,
  reaper: Reaper,
): Bun.Subprocess {
  const child = Bun.spawn(ownCommand("agent", "--keep", keep), {
    env: {
      ...env,
      // Not on its command line, which everyone on this machine can read.
      SHOWDOWN_BUS: bus,
      SHOWDOWN_PARENT: `${process.pid}`,
      [markName]: createMark(reaper),
    },
    stdin: "ignore",
    stdout: "ignore",
    stderr: output,
    detached: true,
  });
  reaper.hold(child.pid);
  return child;
}
