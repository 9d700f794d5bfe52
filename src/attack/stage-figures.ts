import type { AttackReport, StageSums } from "../engine/attack/attack-orders.ts";
import type { SecondReport } from "../engine/worker-protocol.ts";
import type { ConnectionStage } from "../plan/attack/connection-stages.ts";
import type { AttackResult } from "../result/attack.ts";
import { Histogram, summarize } from "../stats/histogram.ts";

const none: StageSums = { opened: 0, failed: 0, died: 0, released: 0, open: 0, sent: 0, answered: 0 };

/** What each of an attack's connection stages came to. */
export class StageFigures {
  readonly #stages: readonly ConnectionStage[];
  readonly #latencies: readonly Histogram[];

  constructor(stages: readonly ConnectionStage[] | null) {
    this.#stages = stages ?? [];
    this.#latencies = this.#stages.map(() => new Histogram());
  }

  /** A second belongs to the stage that it begins in; what comes after all of them to the last. */
  add({ second, latency }: SecondReport): void {
    let end = 0;
    const at = this.#stages.findIndex(({ seconds }) => {
      end += seconds;
      return second < end;
    });
    this.#latencies.at(at)?.add(latency);
  }

  /** Those that began, in order; null where the attack has none. */
  build(loads: readonly AttackReport[]): AttackResult["connectionStages"] {
    if (this.#stages.length === 0) return null;
    const sums = loads.flatMap(({ staged }) => (staged === null ? [] : [staged.sums]));
    const began = Math.max(0, ...sums.map(({ length }) => length));
    const totals = Array.from({ length: began }, (_, at) =>
      addUp(sums.map((one) => one[at] ?? one.at(-1) ?? none)),
    );
    return totals.map((total, at) => {
      const before = totals[at - 1] ?? none;
      const { seconds, from, to } = this.#stages[at] as ConnectionStage;
      return {
        ...{ seconds, from, to },
        opened: total.opened - before.opened,
        failed: total.failed - before.failed,
        died: total.died - before.died,
        released: total.released - before.released,
        open: total.open,
        sent: total.sent - before.sent,
        answered: total.answered - before.answered,
        latencyUs: summarize(this.#latencies[at] as Histogram),
      };
    });
  }
}

function addUp(sums: readonly StageSums[]): StageSums {
  return sums.reduce(
    (all, one) => ({
      opened: all.opened + one.opened,
      failed: all.failed + one.failed,
      died: all.died + one.died,
      released: all.released + one.released,
      open: all.open + one.open,
      sent: all.sent + one.sent,
      answered: all.answered + one.answered,
    }),
    none,
  );
}
