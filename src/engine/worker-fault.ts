import type { Exit, InvalidReason } from "../result/reasons.ts";

/** What became of a worker: its process ended, it said or did something that it must not, or it went with its machine. */
export type WorkerTrouble =
  | { readonly worker: number; readonly exit: Exit }
  | { readonly worker: number; readonly message: string }
  /** What it was with. */
  | { readonly worker: number; readonly reason: InvalidReason };

/** A worker is gone or stuck: never the server's doing, so the phase that it happened in is invalid. */
export class WorkerFault extends Error {
  override readonly name = "WorkerFault";
  readonly reason: InvalidReason;

  constructor(trouble: WorkerTrouble) {
    super(`worker ${trouble.worker}: ${describe(trouble)}`);
    this.reason = reasonOf(trouble);
  }
}

function describe(trouble: WorkerTrouble): string {
  if ("reason" in trouble) return trouble.reason.kind;
  return "exit" in trouble ? (trouble.exit.signal ?? `exit code ${trouble.exit.code}`) : trouble.message;
}

function reasonOf(trouble: WorkerTrouble): InvalidReason {
  const { worker } = trouble;
  if ("reason" in trouble) return trouble.reason;
  return "exit" in trouble
    ? { kind: "worker-exited", worker, exit: trouble.exit }
    : { kind: "worker-fault", worker, message: trouble.message };
}
