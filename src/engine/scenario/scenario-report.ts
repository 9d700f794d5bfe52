import type { ScenarioFacts } from "../../result/scenario.ts";
import type { SparseHistogram } from "../../stats/histogram.ts";
import type { OpenReport } from "../attack/attack-orders.ts";

type Failure = ScenarioFacts["failures"][number];

/** What a worker tells of its users while they go on. */
export interface ScenarioProgress {
  /** So far. */
  readonly iterations: ScenarioFacts["iterations"];
  /** So far. */
  readonly checks: ScenarioFacts["checks"];
  /** In microseconds, of iterations that finished since it was told last. */
  readonly durations: SparseHistogram;
  /** In microseconds, since it was told last. */
  readonly measures: readonly { readonly name: string; readonly values: SparseHistogram }[];
}

/** What is told once, at the end. */
export interface ScenarioEnd {
  readonly opening: OpenReport;
  readonly failures: readonly Failure[];
  readonly otherFailures: number;
}
