import type { Counts, Order, Report } from "./counts.ts";
import type { Relay } from "./relay.ts";

/** A process of several that serve one port. */
export class Worker {
  readonly #relay: Relay;
  readonly #questions = new Map<number, (counts: Counts) => void>();
  #asked = 0;

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  /** @param count what this worker counts by itself */
  async start(folder: string, index: number, count: () => Counts): Promise<void> {
    await this.#relay.start(folder, index);
    return new Promise((resolve) => {
      process.on("message", (order: Order) => {
        if (order.type === "listen") resolve();
        else if (order.type === "count") report({ type: "counts", ask: order.ask, counts: count() });
        else this.#answer(order.ask, order.counts);
      });
      report({ type: "linked" });
    });
  }

  /** What all workers count together. */
  total(): Promise<Counts> {
    const ask = this.#asked++;
    return new Promise((resolve) => {
      this.#questions.set(ask, resolve);
      report({ type: "ask", ask });
    });
  }

  #answer(ask: number, counts: Counts): void {
    this.#questions.get(ask)?.(counts);
    this.#questions.delete(ask);
  }
}

function report(what: Report): void {
  process.send?.(what);
}
