import { formatEntrant, type ResolvedEntrant } from "../contenders/entrants.ts";
import { ContenderFailedError } from "../errors.ts";
import { formatCpuList } from "../machine/cpus.ts";
import { findProgram, serverEnvironment } from "./child-environment.ts";
import { OutputTail } from "./output-tail.ts";
import { claimPort } from "./port.ts";
import { findMembers, sendSignal } from "./processes.ts";
import { awaitReady } from "./readiness.ts";
import { createMark, markName, type Reaper } from "./reaper.ts";

/** The contract's time between SIGTERM and the end. */
const graceMs = 5000;
const pollMs = 10;

export interface ServerOptions {
  readonly entrant: Pick<ResolvedEntrant, "contender" | "variant" | "folder" | "start" | "env">;
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

export interface ServerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface ServerStop extends ServerExit {
  /** It was running and ended in time on SIGTERM, with nothing of it left to be killed. */
  readonly graceful: boolean;
  /** From SIGTERM to its end; 0 when it had ended before. */
  readonly exitMs: number;
}

/** A contender's running process. */
export interface Server {
  readonly host: string;
  readonly port: number;
  /** Also its process group and session. */
  readonly pid: number;
  /** From its start to the first echo. */
  readonly readyMs: number;
  readonly exited: Promise<ServerExit>;
  /** Null while it runs. */
  readonly exit: ServerExit | null;
  /** The end of what it printed, 64 KiB at most. */
  output(): string;
  /** SIGTERM, then after 5 s SIGKILL to all that is left of it. Leaves no process; may be called again. */
  stop(): Promise<ServerStop>;
}

/** How a process ended, in words. */
export function describeExit({ code, signal }: ServerExit): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
}

/** The start command as one would type it, to look at the server by hand. */
function formatCommand({ entrant, host }: ServerOptions, port: number): string {
  const env = Object.entries({ HOST: host, PORT: `${port}`, ...entrant.env });
  const quote = (word: string) =>
    /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  const words = [...env.map(([name, value]) => `${name}=${quote(value)}`), ...entrant.start.map(quote)];
  return `cd ${quote(entrant.folder)} && ${words.join(" ")}`;
}

class RunningServer implements Server {
  readonly host: string;
  readonly port: number;
  readonly exited: Promise<ServerExit>;
  readyMs = 0;
  exit: ServerExit | null = null;
  readonly #child: Bun.Subprocess;
  readonly #mark: string;
  readonly #tail = new OutputTail();
  readonly #reaper: Reaper | undefined;
  #stopping: Promise<ServerStop> | null = null;

  constructor(program: string, options: ServerOptions, port: number) {
    const { entrant, host, cpus, reaper } = options;
    this.host = host;
    this.port = port;
    this.#reaper = reaper;
    this.#mark = createMark(reaper);
    const command = [program, ...entrant.start.slice(1)];
    const pinned = cpus === null ? command : ["taskset", "-c", formatCpuList(cpus), ...command];
    try {
      this.#child = Bun.spawn(pinned, {
        cwd: entrant.folder,
        env: serverEnvironment({ ...entrant.env, HOST: host, PORT: `${port}`, [markName]: this.#mark }),
        stdin: "ignore",
        stdout: this.#tail.descriptor,
        stderr: this.#tail.descriptor,
        detached: true,
      });
    } catch (error) {
      this.#tail.close();
      throw error;
    }
    reaper?.hold(this.#child.pid);
    this.exited = this.#child.exited.then((code) => {
      const { signalCode } = this.#child;
      const exit = {
        code: signalCode === null ? code : null,
        signal: signalCode === null ? null : `${signalCode}`,
      };
      this.exit = exit;
      return exit;
    });
  }

  get pid(): number {
    return this.#child.pid;
  }

  output(): string {
    return this.#tail.read();
  }

  stop(): Promise<ServerStop> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** What is left of it, beyond its first process. Elsewhere than on Linux only its group can be asked. */
  #isAnyLeft(): boolean {
    if (process.platform === "linux") return findMembers(this.pid, this.#mark).length > 0;
    return sendSignal(-this.pid, 0);
  }

  async #stop(): Promise<ServerStop> {
    const wasRunning = this.exit === null;
    const startMs = performance.now();
    const leftMs = () => Math.max(0, graceMs - (performance.now() - startMs));
    if (wasRunning) sendSignal(this.pid, "SIGTERM");
    await Promise.race([this.exited, Bun.sleep(leftMs())]);
    const exitedInTime = this.exit !== null;
    let exitMs = performance.now() - startMs;
    if (exitedInTime && this.#isAnyLeft()) {
      // A wrapper that did not pass the signal on, or workers that outlived their parent.
      sendSignal(-this.pid, "SIGTERM");
      while (leftMs() > 0 && this.#isAnyLeft()) await Bun.sleep(pollMs);
    }
    const graceful = wasRunning && exitedInTime && !this.#isAnyLeft();
    await this.#kill();
    const exit = await this.exited;
    if (!exitedInTime) exitMs = performance.now() - startMs;
    this.#reaper?.release(this.pid);
    this.#tail.close();
    return { ...exit, graceful, exitMs: wasRunning ? exitMs : 0 };
  }

  async #kill(): Promise<void> {
    // Again and again, because a process may fork while the others are being killed.
    for (let tries = 0; tries < 200 && this.#isAnyLeft(); tries++) {
      sendSignal(-this.pid, "SIGKILL");
      if (process.platform === "linux") {
        for (const pid of findMembers(this.pid, this.#mark)) sendSignal(pid, "SIGKILL");
      }
      await Bun.sleep(pollMs);
    }
  }
}

/**
 * Starts a contender and waits until a handshake and an echo succeed.
 * @throws {ContenderFailedError} with the end of its output when it exits before, or is not ready in time;
 * {PortInUseError}. Nothing is left running then, nor when the signal aborts.
 */
export async function startServer(options: ServerOptions): Promise<Server> {
  const { entrant, host, readyMs, signal } = options;
  const name = `contender "${formatEntrant(entrant)}"`;
  signal?.throwIfAborted();
  const port = claimPort(host, options.port);
  const [first = ""] = entrant.start;
  const program = findProgram(first, entrant.folder);
  if (program === null) {
    throw new ContenderFailedError("never-ready", `${name}: its start program "${first}" was not found`, {
      hint: `looked on PATH, and in ${entrant.folder} where the name has a slash; is it built?`,
      output: "",
    });
  }
  if (options.cpus !== null && Bun.which("taskset") === null) {
    throw new ContenderFailedError(
      "never-ready",
      `${name}: cannot be pinned to CPUs, taskset was not found`,
      {
        hint: "install util-linux, or run without pinning",
        output: "",
      },
    );
  }
  const startMs = performance.now();
  const server = new RunningServer(program, options, port);
  const waiting = new AbortController();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener("abort", abort, { once: true });
  try {
    const ready = awaitReady({ host, port }, readyMs, waiting.signal);
    const outcome = await Promise.race([ready, server.exited, aborted.promise]);
    if (outcome === null) {
      server.readyMs = performance.now() - startMs;
      return server;
    }
    const hint = `look at it by hand: ${formatCommand(options, port)}`;
    const output = server.output();
    if (typeof outcome === "object") {
      const message = `${name}: ${describeExit(outcome)} before it was ready on ${host}:${port}`;
      throw new ContenderFailedError("crashed", message, { hint, output });
    }
    const message = `${name}: not ready on ${host}:${port} within ${readyMs / 1000} s; the last attempt: ${outcome}`;
    throw new ContenderFailedError("never-ready", message, { hint, output });
  } catch (error) {
    await server.stop();
    throw error;
  } finally {
    signal?.removeEventListener("abort", abort);
    waiting.abort();
  }
}
