import type { Fault } from "../plan/faults.ts";
import type { PhaseKind, Workload } from "../plan/plan.ts";
import type { Phase } from "../result/phase.ts";
import type { NotRun, Warning } from "../result/reasons.ts";
import type { Round } from "../result/schema.ts";

/** What is done before the first round. */
export type Preparation = "install" | "build" | "verify" | "ceiling";

/** What happens in a run, in order: the one stream that terminal, live page and exporters listen to. */
export type RunEvent =
  | { readonly kind: "preparing"; readonly step: Preparation; readonly contender: string | null }
  /** Of a build, or of what installs toolchains. */
  | { readonly kind: "build-output"; readonly contender: string; readonly line: string }
  | {
      readonly kind: "not-run";
      readonly contender: string;
      readonly variant: string;
      readonly reason: NotRun;
      /** What to type against it, where that is known. */
      readonly advice?: string;
    }
  | {
      readonly kind: "round-started";
      readonly contender: string;
      readonly variant: string;
      readonly round: number;
      readonly rounds: number;
      /** Place of `positions` in the order of everything that runs. */
      readonly position: number;
      readonly positions: number;
    }
  | { readonly kind: "server-ready"; readonly readyMs: number }
  | {
      readonly kind: "phase-started";
      readonly phaseKind: PhaseKind;
      readonly workload: Workload | null;
      readonly index: number;
      readonly count: number;
      /** Known beforehand for phases that last a set time. */
      readonly expectedSeconds: number | null;
    }
  | { readonly kind: "phase-progress"; readonly view: PhaseView }
  | { readonly kind: "phase-ended"; readonly phase: Phase }
  | { readonly kind: "round-ended"; readonly round: Round }
  | { readonly kind: "warning"; readonly warning: Warning };

/** What a phase in progress looks like from outside, a few times a second. */
export interface PhaseView {
  readonly kind: PhaseKind;
  readonly workload: Workload | null;
  readonly elapsedMs: number;
  /** Done of total: connections opened, or deliveries. */
  readonly done: number;
  readonly total: number;
  /** In the last second: connections or deliveries. */
  readonly ratePerSecond: number;
  /** Of the last whole second with deliveries. */
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly errors: number;
  /** Capacity: the step under way, whose rate is being tried. */
  readonly step?: StepView;
  /** Chaos: the fault under way. */
  readonly fault?: FaultView;
}

export interface StepView {
  readonly number: number;
  readonly ratePerSecond: number;
  /** So far; null when none was held. */
  readonly highestSustainedPerSecond: number | null;
}

export interface FaultView {
  readonly name: Fault;
  /** 1-based place among the plan's faults. */
  readonly number: number;
  readonly count: number;
  /** Before it is injected, while it lasts, or after it was cleared. */
  readonly window: "before" | "under" | "after";
}
