import type { Subprocess } from "bun";
import { Client, freePort } from "./client.ts";

const folder = `${import.meta.dir}/..`;
const built = build();

/** Runs the manifest's build commands, once for all tests of a process. */
async function build(): Promise<void> {
  const { build: commands } = (await Bun.file(`${folder}/contender.json`).json()) as { build: string[][] };
  for (const [program = "", ...args] of commands) {
    const command = [program === "bun" ? process.execPath : program, ...args];
    const run = Bun.spawn(command, { cwd: folder, stdout: "ignore", stderr: "pipe" });
    if ((await run.exited) !== 0) throw new Error(`${command.join(" ")}: ${await run.stderr.text()}`);
  }
}

export interface Stats {
  readonly connections: number;
  readonly received: number;
  readonly sent: number;
  readonly dropped: number;
}

/** A running server of this folder, stopped when its scope is left. */
export class Server implements AsyncDisposable {
  readonly port: number;
  readonly process: Subprocess<"ignore", "ignore", "pipe">;

  private constructor(port: number, process: Subprocess<"ignore", "ignore", "pipe">) {
    this.port = port;
    this.process = process;
  }

  /** Starts the built server and waits until a handshake succeeds; `wrap` goes before the start command. */
  static async start(
    env: Readonly<Record<string, string>> = {},
    wrap: readonly string[] = [],
  ): Promise<Server> {
    await built;
    const port = await freePort();
    const process_ = Bun.spawn([...wrap, "node", "dist/server.js"], {
      cwd: folder,
      env: { ...process.env, HOST: "127.0.0.1", PORT: String(port), ...env },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "pipe",
    });
    const server = new Server(port, process_);
    for (let tries = 0; tries < 200; tries++) {
      try {
        (await Client.open(port)).socket.destroy();
        await server.statsWhen((stats) => stats.connections === 0);
        return server;
      } catch {
        await Bun.sleep(25);
      }
    }
    await server[Symbol.asyncDispose]();
    throw new Error(`no handshake on 127.0.0.1:${port} within 5 s: ${await process_.stderr.text()}`);
  }

  async stats(): Promise<Stats> {
    return (await (await fetch(`http://127.0.0.1:${this.port}/stats`)).json()) as Stats;
  }

  /** The first stats that satisfy `condition`, or the last ones seen after 3 s. */
  async statsWhen(condition: (stats: Stats) => boolean): Promise<Stats> {
    const deadline = performance.now() + 3_000;
    for (;;) {
      // While the server has no descriptor left, there is no answer.
      const stats = await this.stats().catch((error: unknown) => error as Error);
      const isLate = performance.now() > deadline;
      if (!(stats instanceof Error) && (isLate || condition(stats))) return stats;
      if (isLate) throw stats;
      await Bun.sleep(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill("SIGKILL");
    await this.process.exited;
  }
}
