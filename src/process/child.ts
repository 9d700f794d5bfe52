import type { Exit } from "../result/reasons.ts";
import { formatCpuList } from "../text/cpu-list.ts";
import { serverEnvironment } from "./child-environment.ts";
import { exitOf } from "./exit.ts";
import type { ProtocolName } from "./greeting.ts";
import { OutputTail } from "./output-tail.ts";
import { findMembers, readProcess, sendSignal } from "./processes.ts";
import { createMark, markName, type Reaper } from "./reaper.ts";

/** The contract's time between SIGTERM and the end. */
const graceMs = 5000;
const pollMs = 10;

/** What is started, and as what. */
export interface ServerProgram {
  /** As messages name it. */
  readonly name: string;
  /** Where it runs. */
  readonly folder: string;
  readonly start: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly protocol: ProtocolName;
}

export interface ServerStop extends Exit {
  /** It was running and ended in time on SIGTERM, with nothing of it left to be killed. */
  readonly graceful: boolean;
  /** From SIGTERM to its end; 0 when it had ended before. */
  readonly exitMs: number;
}

interface ChildOptions {
  readonly program: ServerProgram;
  /** Of `program.start`, as found. */
  readonly path: string;
  readonly host: string;
  readonly port: number;
  readonly cpus: readonly number[] | null;
  readonly reaper: Reaper | undefined;
}

/** One life of a server: the process of its start command, and whatever that starts, in whatever session. */
export class ServerChild {
  /** Null while it runs. */
  exit: Exit | null = null;
  readonly exited: Promise<Exit>;
  readonly #child: Bun.Subprocess;
  readonly #mark: string;
  readonly #tail = new OutputTail();
  readonly #reaper: Reaper | undefined;
  #stopping: Promise<ServerStop> | null = null;

  constructor({ program, path, host, port, cpus, reaper }: ChildOptions) {
    this.#reaper = reaper;
    this.#mark = createMark(reaper);
    const command = [path, ...program.start.slice(1)];
    const pinned = cpus === null ? command : ["taskset", "-c", formatCpuList(cpus), ...command];
    try {
      this.#child = Bun.spawn(pinned, {
        cwd: program.folder,
        env: serverEnvironment({ ...program.env, HOST: host, PORT: `${port}`, [markName]: this.#mark }),
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
    this.exited = this.#child.exited.then(() => {
      this.exit = exitOf(this.#child);
      return this.exit;
    });
  }

  /** Also its process group and session. */
  get pid(): number {
    return this.#child.pid;
  }

  output(): string {
    return this.#tail.read();
  }

  /** Every process of it that runs. Elsewhere than on Linux only the first is known. */
  members(): number[] {
    if (process.platform === "linux") return findMembers(this.pid, this.#mark);
    return this.exit === null ? [this.pid] : [];
  }

  /** The processes of it that no other process of it has started: with their descendants, all of it. */
  roots(): number[] {
    const members = new Set(this.members());
    return [...members].filter((pid) => !members.has(readProcess(pid)?.parent ?? 0));
  }

  /** SIGKILL to all of it at once, as the kernel does when memory runs out. */
  async kill(): Promise<void> {
    await this.#killAll();
    await this.exited;
  }

  /** SIGTERM, then after 5 s SIGKILL to all that is left of it. Leaves no process; may be called again. */
  stop(): Promise<ServerStop> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  #signal(signal: NodeJS.Signals): void {
    sendSignal(-this.pid, signal);
    for (const pid of this.members()) sendSignal(pid, signal);
  }

  /** Again and again, because a process may fork while the others are being killed. */
  async #killAll(): Promise<void> {
    for (let tries = 0; tries < 200 && this.#isAnyLeft(); tries++) {
      this.#signal("SIGKILL");
      await Bun.sleep(pollMs);
    }
  }

  /** What is left of it, beyond its first process. Elsewhere than on Linux only its group can be asked. */
  #isAnyLeft(): boolean {
    return process.platform === "linux" ? this.members().length > 0 : sendSignal(-this.pid, 0);
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
      this.#signal("SIGTERM");
      while (leftMs() > 0 && this.#isAnyLeft()) await Bun.sleep(pollMs);
    }
    const graceful = wasRunning && exitedInTime && !this.#isAnyLeft();
    await this.#killAll();
    const exit = await this.exited;
    if (!exitedInTime) exitMs = performance.now() - startMs;
    this.#reaper?.release(this.pid);
    this.#tail.close();
    return { ...exit, graceful, exitMs: wasRunning ? exitMs : 0 };
  }
}
