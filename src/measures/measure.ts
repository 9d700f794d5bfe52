import type { PhaseKind } from "../plan/plan.ts";
import type { RanPhase } from "../result/phase.ts";
import * as format from "../text/format.ts";

/** `latency` and `cpu` are in microseconds, `bytes` in bytes, `share` from 0 to 1, `ratio` a plain number. */
export type Unit = "count" | "perSecond" | "latency" | "cpu" | "bytes" | "share" | "ratio";

/** A figure of a phase: its public name, where it stands in the result, how it is written and what it means. */
export interface Measure {
  /** As on the command line, in the history and in a CSV: `latency.p99`. */
  readonly name: string;
  /** The head of its column. */
  readonly header: string;
  /** One plain sentence. */
  readonly meaning: string;
  readonly unit: Unit;
  readonly better: "higher" | "lower";
  /** Kinds of phase that have it. */
  readonly kinds: readonly PhaseKind[];
  /** Kinds of phase in whose comparison it is shown without being asked for. */
  readonly shown: readonly PhaseKind[];
  /** Null where the phase has no such figure, or is of another kind. */
  readonly pick: (phase: RanPhase) => number | null;
  /** Of a quantile: so much of what was owed never came that it does not exist. Never where `pick` has a value. */
  readonly isBeyondReach: (phase: RanPhase) => boolean;
  /** What stands for all rounds: the median, or the worst, since a loss is not made good by a round without one. */
  readonly over: "median" | "worst";
  /** The step in which the values of this phase come, in their unit; 0 where it has none worth speaking of. */
  readonly step: (phase: RanPhase) => number;
  /** Does not hang on how fast the machine is, so that two machines may be compared by it. */
  readonly acrossMachines: boolean;
}

type PhaseOf<K extends PhaseKind> = Extract<RanPhase, { kind: K }>;

interface Definition<K extends PhaseKind>
  extends Pick<Measure, "name" | "header" | "meaning" | "unit" | "better">,
    Partial<Pick<Measure, "shown" | "over" | "acrossMachines">> {
  readonly pick: (phase: PhaseOf<K>) => number | null | undefined;
  readonly step?: (phase: PhaseOf<K>) => number;
  readonly isBeyondReach?: (phase: PhaseOf<K>) => boolean;
}

/** An entry of the catalogue for phases of these kinds, which are the only ones that its functions are given. */
export function define<K extends PhaseKind>(kinds: readonly K[], definition: Definition<K>): Measure {
  const {
    pick,
    step,
    isBeyondReach,
    shown = [],
    over = "median",
    acrossMachines = false,
    ...rest
  } = definition;
  const has = (phase: RanPhase): phase is PhaseOf<K> => kinds.some((kind) => kind === phase.kind);
  return {
    ...rest,
    kinds,
    shown,
    over,
    acrossMachines,
    pick: (phase) => (has(phase) ? (pick(phase) ?? null) : null),
    isBeyondReach: (phase) => has(phase) && isBeyondReach?.(phase) === true,
    step: (phase) => (has(phase) ? (step?.(phase) ?? 0) : 0),
  };
}

const formats: Readonly<Record<Unit, (value: number | null) => string>> = {
  count: format.formatCount,
  perSecond: format.formatRate,
  latency: format.formatLatency,
  cpu: format.formatCpu,
  bytes: format.formatBytes,
  share: format.formatShare,
  ratio: (value) => (value === null ? format.unknown : format.formatFactor(value)),
};

/**
 * A value as every table writes it: `31.2 ms`, and `–` for null. CPU time comes in ticks: of less than one it is only
 * known to be less.
 *
 * @param step in which the value comes, as in a figure
 */
export function formatMeasure({ unit }: Pick<Measure, "unit">, value: number | null, step = 0): string {
  const write = formats[unit];
  return unit === "cpu" && value !== null && value < step ? `< ${write(step)}` : write(value);
}
