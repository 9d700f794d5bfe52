import type { Exit, InvalidReason } from "../result/reasons.ts";
import type { Command, Report } from "./worker-protocol.ts";

/** The way to one worker, wherever it runs. Reports come in the order in which they were made. */
export interface WorkerLink {
  /** To a worker that is gone: nothing happens. */
  send(command: Command): void;
  /** Ends the worker at once; resolves when it is gone. */
  end(): Promise<void>;
}

export interface LinkListener {
  onReport(report: Report): void;
  /** The worker is gone, whoever wished it; once, and the last that is heard of it. */
  onExit(exit: Exit): void;
  /** Of a worker elsewhere: nothing is known of it any more. The last that is heard of it, too. */
  onLost(reason: InvalidReason): void;
}

export type OpenLink = (worker: number, listener: LinkListener) => WorkerLink;
