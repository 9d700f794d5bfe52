import type { Fault } from "../plan/faults.ts";
import type { PhaseKind, Workload } from "../plan/plan.ts";
import type { Phase } from "../result/phase.ts";
import type { NotRun, Warning } from "../result/reasons.ts";
import type { Looks, Round } from "../result/schema.ts";
import type { LoadSecond } from "./phases/timeline.ts";

/** What is done before the first round. */
export type Preparation = "install" | "build" | "verify" | "ceiling";

/** Whose: several contenders may be alive at once, and their events come between each other's. */
interface OfRound {
  readonly contender: string;
  readonly variant: string;
  /** Place in the order of everything that runs: no other round has it. */
  readonly position: number;
}

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
  | (OfRound & {
      readonly kind: "round-started";
      readonly round: number;
      /** At most; known to be no more than the fewest while the first round goes on. */
      readonly rounds: number;
      /** `position` is one of so many. */
      readonly positions: number;
    })
  | (OfRound & { readonly kind: "server-ready"; readonly readyMs: number })
  | (OfRound & {
      readonly kind: "phase-started";
      readonly phaseKind: PhaseKind;
      readonly workload: Workload | null;
      readonly index: number;
      readonly count: number;
      /** Known beforehand for phases that last a set time. */
      readonly expectedSeconds: number | null;
    })
  | (OfRound & { readonly kind: "phase-progress"; readonly view: PhaseView })
  /** What one worker tells of one second of a load: all of them add up to the phase. Of warm-ups nothing is told. */
  | (OfRound & { readonly kind: "phase-second"; readonly load: LoadSecond })
  | (OfRound & { readonly kind: "phase-ended"; readonly phase: Phase })
  | { readonly kind: "round-ended"; readonly round: Round }
  /** After a round of a run that goes on until everything is decided. */
  | {
      readonly kind: "looked";
      readonly looks: Looks;
      /** Measures of which not every pair is decided. */
      readonly open: readonly { readonly measure: string; readonly phase: string }[];
    }
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
  /** In slices: the one under way. */
  readonly slice?: SliceView;
  /** Connections that are held: `done` of `total` echoes, or seconds of rest. */
  readonly hold?: HoldView;
}

export interface HoldView {
  /** Proving each connection by an echo, before or after the rest. */
  readonly stage: "before" | "rest" | "after";
}

export interface SliceView {
  /** 1-based, among those of all contenders in this phase and round. */
  readonly number: number;
  /** As planned: contenders that are slow sit some of them out. */
  readonly count: number;
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
