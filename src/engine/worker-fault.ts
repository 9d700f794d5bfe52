import type { Exit, InvalidReason } from "../result/reasons.ts";

/** What became of a worker: its process ended, or it said or did something that it must not. */
export type WorkerTrouble =
  | { readonly worker: number; readonly exit: Exit }
  | { readonly worker: number; readonly message: string };

/** A worker is gone or stuck: never the server's doing, so the phase that it happened in is invalid. */
export class WorkerFault extends Error {
  override readonly name = "WorkerFault";
  readonly reason: InvalidReason;

  constructor(trouble: WorkerTrouble) {
    const { worker } = trouble;
    super(
      `worker ${worker}: ${"exit" in trouble ? (trouble.exit.signal ?? `exit code ${trouble.exit.code}`) : trouble.message}`,
    );
    this.reason =
      "exit" in trouble
        ? { kind: "worker-exited", worker, exit: trouble.exit }
        : { kind: "worker-fault", worker, message: trouble.message };
  }
}
