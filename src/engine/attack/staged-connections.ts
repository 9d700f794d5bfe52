import { secondsOf } from "../../plan/attack/rate.ts";
import type { Connection } from "../connection.ts";
import type { AttackSetup, StageSums } from "./attack-orders.ts";
import type { ConnectionOpener } from "./connection-opener.ts";
import { ConnectionRamp } from "./connection-ramp.ts";
import type { LeavingConnections } from "./leaving-connections.ts";
import type { ReadyConnections } from "./ready-connections.ts";

interface StagedOptions {
  readonly setup: Pick<AttackSetup, "worker" | "workers" | "connectionStages">;
  /** Of the worker, by place; null before its first attempt. */
  readonly connections: readonly (Connection | null)[];
  readonly opener: ConnectionOpener;
  readonly ready: ReadyConnections;
  readonly leaving: LeavingConnections;
  /** On the attack's epoch. */
  readonly clockUs: () => number;
  /** No message may be sent on it any more. */
  readonly onUnready: (connection: Connection) => void;
  /** Up to now. */
  readonly sums: () => StageSums;
}

/** Has connections come and go as the stages of an attack say. Without stages it does nothing. */
export class StagedConnections {
  /** Open ones that the stages closed. */
  released = 0;
  readonly #options: StagedOptions;
  readonly #sums: StageSums[] = [];
  /** Null before the load and after it. */
  #ramp: ConnectionRamp | null = null;
  #startUs = 0;
  #endUs = 0;

  constructor(options: StagedOptions) {
    this.#options = options;
  }

  /** Whether they have come to their end with all that they asked for. */
  get isDone(): boolean {
    const { leaving, opener } = this.#options;
    return this.#ramp === null || (this.#ramp.isOver && leaving.size === 0 && opener.pending === 0);
  }

  /** @param startUs of the load */
  begin(startUs: number): void {
    const { connectionStages } = this.#options.setup;
    if (connectionStages === null) return;
    this.#ramp = new ConnectionRamp(connectionStages, this.#options.setup, this);
    this.#startUs = startUs;
    this.#endUs = startUs + secondsOf(connectionStages) * 1e6;
  }

  tend(nowUs: number, hasSentAll: boolean): void {
    if (this.#ramp === null || nowUs <= this.#startUs) return;
    // However late the last message is sent, its connection is there.
    const endUs = hasSentAll ? Number.POSITIVE_INFINITY : this.#endUs - 1;
    this.#ramp.advance((Math.min(nowUs, endUs) - this.#startUs) / 1e6);
  }

  /** What the load came to by stages; the last of them has what came after its end, too. Null without stages. */
  end(): readonly StageSums[] | null {
    const { setup, opener, sums } = this.#options;
    if (setup.connectionStages === null) return null;
    opener.end();
    const ended = this.#ramp?.isOver ? this.#sums.slice(0, -1) : this.#sums;
    this.#ramp = null;
    return [...ended, sums()];
  }

  onWanted(place: number): void {
    // At once: at a peak it may be unwanted in the same turn, and counts all the same.
    this.#options.opener.want(place);
  }

  onUnwanted(place: number): void {
    const { connections, opener, ready, leaving, clockUs, onUnready } = this.#options;
    opener.unwant(place);
    const connection = connections[place] ?? null;
    if (connection === null) return;
    if (ready.has(place)) {
      onUnready(connection);
      this.released += 1;
    } else if (!opener.isOpening(connection)) {
      return;
    }
    leaving.add(connection, clockUs());
  }

  onStageEnded(): void {
    this.#sums.push(this.#options.sums());
  }
}
