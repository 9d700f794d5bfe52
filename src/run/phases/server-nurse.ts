import { isShowdownError } from "../../errors.ts";
import type { ServerProcess } from "../../process/server.ts";
import type { FaultReport } from "../../result/phase.ts";
import type { Reason } from "../../result/reasons.ts";
import type { ServerWatch } from "./server-watch.ts";

/** A server that dies again and again is not started for ever. */
const mostRestarts = 3;
const outputBytes = 2000;

/** How a server fared under a fault. */
export type Fate = FaultReport["server"] & {
  /** Why it is not started again; null while there is hope. */
  readonly hopeless: Reason | null;
};

/** Starts a server again each time that it has died under a fault. */
export class ServerNurse {
  readonly #process: ServerProcess | null;
  readonly #watch: ServerWatch;
  #fate: Fate = { exit: null, output: null, restarted: false, downMs: null, hopeless: null };
  #restarting: Promise<void> | null = null;
  #restarts = 0;

  constructor(process: ServerProcess | null, watch: ServerWatch) {
    this.#process = process;
    this.#watch = watch;
  }

  get fate(): Fate {
    return this.#fate;
  }

  /** As the fault asks for. */
  async kill(): Promise<void> {
    if (this.#process?.exit === null) await this.#process.kill();
  }

  /** To be called again and again. */
  look(): void {
    const process = this.#process;
    if (process === null || process.exit === null) return;
    if (this.#restarting !== null || this.#fate.hopeless !== null) return;
    this.#restarting = this.#restart(process).finally(() => {
      this.#restarting = null;
    });
  }

  /** Its fate, when nothing is under way any more. */
  async done(): Promise<Fate> {
    await this.#restarting;
    return this.#fate;
  }

  async #restart(process: ServerProcess): Promise<void> {
    const diedMs = performance.now();
    const exit = this.#fate.exit ?? process.exit ?? { code: null, signal: null };
    const output = this.#fate.output ?? process.output().slice(-outputBytes);
    this.#fate = { ...this.#fate, exit, output };
    this.#restarts += 1;
    if (this.#restarts > mostRestarts) {
      this.#fate = {
        ...this.#fate,
        hopeless: { kind: "server-exited", exit: process.exit ?? exit, connections: null },
      };
      return;
    }
    try {
      await process.restart();
      this.#watch.follow(process.probe());
      const downMs = Math.round((this.#fate.downMs ?? 0) + performance.now() - diedMs);
      this.#fate = { ...this.#fate, restarted: true, downMs };
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      const printed = isShowdownError(error) ? (error.output ?? "") : "";
      this.#fate = {
        ...this.#fate,
        restarted: false,
        output: `${output}${printed}`.slice(-outputBytes),
        hopeless: { kind: "server-not-restarted", problem },
      };
    }
  }
}
