import type { PhaseKind, Workload } from "../plan/plan.ts";
import type { Phase, Round } from "../result/schema.ts";
import type { PhaseView } from "./phases/context.ts";

/** What happens in a run, in order: the one stream that terminal, live page and exporters listen to. */
export type RunEvent =
  | { readonly kind: "preparing"; readonly text: string }
  | { readonly kind: "build-output"; readonly contender: string; readonly line: string }
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
  | { readonly kind: "warning"; readonly text: string };
