import type { Subprocess } from "bun";
import { Client, freePort } from "./client.ts";

interface Manifest {
  readonly build?: readonly (readonly string[])[];
  readonly start: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly variants?: Readonly<Record<string, Pick<Manifest, "env"> & Partial<Pick<Manifest, "start">>>>;
}

const programOf = (name: string) => (name === "bun" ? process.execPath : name);

const readManifest = (folder: string): Promise<Manifest> => Bun.file(`${folder}/contender.json`).json();

/** Runs the build commands of a contender; to be called before all tests. */
export async function build(folder: string): Promise<void> {
  for (const [program = "", ...args] of (await readManifest(folder)).build ?? []) {
    const command = [programOf(program), ...args];
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

/** A running contender, stopped when its scope is left. */
export class Server implements AsyncDisposable {
  readonly port: number;
  readonly process: Subprocess<"ignore", "ignore", "pipe">;

  private constructor(port: number, process: Subprocess<"ignore", "ignore", "pipe">) {
    this.port = port;
    this.process = process;
  }

  /** Starts the contender in `folder`, or a variant of it, and waits until a handshake succeeds. */
  static async start(
    folder: string,
    env: Readonly<Record<string, string>> = {},
    variant?: string,
  ): Promise<Server> {
    const { variants, ...own } = await readManifest(folder);
    const over = variant === undefined ? {} : variants?.[variant];
    if (over === undefined) throw new Error(`${folder} has no variant ${variant}`);
    const defaults = { ...own.env, ...over.env };
    const [program = "", ...args] = over.start ?? own.start;
    const port = await freePort();
    const process_ = Bun.spawn([programOf(program), ...args], {
      cwd: folder,
      env: { ...process.env, HOST: "127.0.0.1", PORT: String(port), ...defaults, ...env },
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
