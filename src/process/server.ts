import { ShowdownError } from "../errors.ts";
import type { Exit } from "../result/reasons.ts";
import { printable, printableLines } from "../text/printable.ts";
import { abortedError, throwIfAborted } from "./abort.ts";
import { ServerChild, type ServerProgram, type ServerStop } from "./child.ts";
import { findProgram } from "./child-environment.ts";
import { describeExit } from "./exit.ts";
import { findListeners } from "./listener.ts";
import { claimPort } from "./port.ts";
import { createProbe, findProbeSource, listTree, type Probe } from "./probe.ts";
import { awaitReady } from "./readiness.ts";
import type { Reaper } from "./reaper.ts";

/** How long a start command is watched that is not itself the server: it may be about to exit. */
const launcherMs = 300;

export interface ServerOptions {
  readonly program: ServerProgram;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Pinned to these, or not at all (Linux). */
  readonly cpus: readonly number[] | null;
  /** How long it may take until a handshake and an echo succeed. */
  readonly readyMs: number;
  readonly reaper?: Reaper;
  readonly signal?: AbortSignal;
}

/** What of a server runs, and what of it is measured: the trees of these processes. */
interface Life {
  readonly child: ServerChild;
  readonly roots: readonly number[];
  readonly readyMs: number;
}

/** A server that runs on this machine, and can be ended and started again on its port. */
export class ServerProcess {
  readonly host: string;
  readonly port: number;
  readonly #options: ServerOptions;
  #life: Life;

  private constructor(options: ServerOptions, port: number, life: Life) {
    this.#options = options;
    this.host = options.host;
    this.port = port;
    this.#life = life;
  }

  /**
   * Starts a server and waits until a handshake and an echo succeed.
   *
   * @throws {ShowdownError} `contenderFailed` with the end of its output when it exits before, is not ready in time, or
   * is not what listens on the port; `portInUse`; `aborted`. Nothing is left running then.
   */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    throwIfAborted(options.signal);
    const port = claimPort(options.host, options.port);
    return new ServerProcess(options, port, await launch(options, port));
  }

  /** Of the process of the start command; also its process group and session. */
  get pid(): number {
    return this.#life.child.pid;
  }

  /** From its start to the first echo. */
  get readyMs(): number {
    return this.#life.readyMs;
  }

  /** Of the process that is the server now. */
  get exited(): Promise<Exit> {
    return this.#life.child.exited;
  }

  /** Null while it runs. */
  get exit(): Exit | null {
    return this.#life.child.exit;
  }

  /** The end of what it printed, 64 KiB at most, as it came. */
  output(): string {
    return this.#life.child.output();
  }

  /** Watches the process that is the server now, with all that belongs to it. */
  probe(): Probe {
    return createProbe(this.#life.roots);
  }

  /** SIGTERM, then after 5 s SIGKILL to all that is left of it. Leaves no process; may be called again. */
  stop(): Promise<ServerStop> {
    return this.#life.child.stop();
  }

  /** SIGKILL to all of it, as the kernel does when memory runs out. */
  kill(): Promise<void> {
    return this.#life.child.kill();
  }

  /**
   * Starts it anew, with nothing of the old process left.
   *
   * @throws as `start`; it then stays ended
   */
  async restart(): Promise<void> {
    await this.stop();
    throwIfAborted(this.#options.signal);
    claimPort(this.host, this.port);
    this.#life = await launch(this.#options, this.port);
  }
}

async function launch(options: ServerOptions, port: number): Promise<Life> {
  const { program, host, cpus, readyMs, reaper, signal } = options;
  const name = `contender "${program.name}"`;
  const [first = ""] = program.start;
  const path = findProgram(first, program.folder);
  if (path === null) {
    throw new ShowdownError(
      "contenderFailed",
      `${name}: its start program "${printable(first)}" was not found`,
      { hint: `looked on PATH, and in ${program.folder} where the name has a slash; is it built?` },
    );
  }
  if (cpus !== null && Bun.which("taskset") === null) {
    throw new ShowdownError("contenderFailed", `${name}: cannot be pinned to CPUs, taskset was not found`, {
      hint: "install util-linux, or run without pinning",
    });
  }
  const startMs = performance.now();
  const child = new ServerChild({ program, path, host, port, cpus, reaper });
  const fail = (message: string, hint = `look at it by hand: ${formatCommand(options, port)}`) =>
    new ShowdownError("contenderFailed", `${name}: ${message}`, {
      hint,
      output: printableLines(child.output()),
    });
  const waiting = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal === undefined ? undefined : abortedError(signal));
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const ready = awaitReady({ host, port, protocol: program.protocol }, readyMs, waiting.signal);
    const outcome = await Promise.race([ready, child.exited, aborted.promise]);
    if (outcome !== null && typeof outcome !== "object") {
      throw fail(`not ready on ${host}:${port} within ${readyMs / 1000} s; the last attempt: ${outcome}`);
    }
    const life = { child, readyMs: performance.now() - startMs };
    if (outcome === null) {
      const roots = await findRoots(child, port, fail);
      if (child.exit === null) return { ...life, roots };
    }
    const exit = child.exit ?? (await child.exited);
    if (exit.code === 0 && child.members().length > 0) {
      throw fail(
        'its "start" exited with code 0 and left a process in the background; it must stay and be the server',
        'start the server in the foreground, without a daemon option, and end a script with "exec SERVER"',
      );
    }
    throw fail(`${describeExit(exit)} before it was ready on ${host}:${port}`);
  } catch (error) {
    await child.stop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    waiting.abort();
  }
}

/**
 * The processes to be measured: all that the start command has started, provided that what listens on the port is among
 * them. A launcher's own figures would be those of a server that does nothing.
 */
async function findRoots(
  child: ServerChild,
  port: number,
  fail: (message: string, hint: string) => ShowdownError,
): Promise<readonly number[]> {
  if (findProbeSource() === "none") return [child.pid];
  if (findListeners(port, [child.pid]).length > 0) return [child.pid];
  await Promise.race([child.exited, Bun.sleep(launcherMs)]);
  // More than one where the server left the tree, into a session of its own.
  const roots = child.roots();
  if (child.exit !== null || findListeners(port, listTree(roots)).length > 0) return roots;
  const [stranger] = findListeners(port);
  throw fail(
    stranger === undefined
      ? `what listens on port ${port} can't be seen from here, so it can't be measured`
      : `port ${port} is served by ${printable(stranger.name)} (pid ${stranger.pid}), which its "start" is not the parent of, so it can't be measured`,
    "start must run the server itself, as this user and with the environment it is given; a server in a container can be verified by its URL",
  );
}

/** The start command as one would type it, to look at the server by hand. */
function formatCommand({ program, host }: ServerOptions, port: number): string {
  const env = Object.entries({ HOST: host, PORT: `${port}`, ...program.env });
  const quote = (word: string) =>
    /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  const words = [...env.map(([name, value]) => `${name}=${quote(value)}`), ...program.start.map(quote)];
  return printable(`cd ${quote(program.folder)} && ${words.join(" ")}`);
}
