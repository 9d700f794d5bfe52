import { titleOf } from "../../measures/sections.ts";
import type { FaultView, PhaseView, RunEvent } from "../../run/events.ts";
import * as format from "../../text/format.ts";

type Of<Kind extends RunEvent["kind"]> = Extract<RunEvent, { kind: Kind }>;

/** Where a run is: what terminal and live page tell from the same events. */
export interface Place {
  /** What is being done before the first round; null from then on. */
  readonly preparing: Of<"preparing"> | null;
  readonly building: Of<"build-output"> | null;
  readonly round: Of<"round-started"> | null;
  /** The one that runs; of others only how many have ended in this round. */
  readonly phase: Of<"phase-started"> | null;
  readonly phasesEnded: number;
  /** Null until the phase's first report. */
  readonly view: PhaseView | null;
}

export const start: Place = {
  preparing: null,
  building: null,
  round: null,
  phase: null,
  phasesEnded: 0,
  view: null,
};

export function advance(place: Place, event: RunEvent): Place {
  switch (event.kind) {
    case "preparing":
      return { ...place, preparing: event, building: null };
    case "build-output":
      return { ...place, building: event };
    case "round-started":
      return { ...start, round: event };
    case "phase-started":
      return { ...place, phase: event, view: null };
    case "phase-progress":
      return { ...place, view: event.view };
    case "phase-ended":
      return { ...place, phase: null, phasesEnded: place.phasesEnded + 1, view: null };
    case "round-ended":
      return { ...place, phase: null, view: null };
    default:
      return place;
  }
}

/** `burst echo`, or what is done between two phases. */
export function describeWork({ phase, phasesEnded }: Place): string {
  if (phase === null) return phasesEnded === 0 ? "starting and warming up" : "between two phases";
  return titleOf({ kind: phase.phaseKind, workload: phase.workload }).toLowerCase();
}

/** 0 to 1, by the clock where the phase lasts a set time; null for a search, of which nobody knows how long it takes. */
export function phaseShare({ phase, view }: Place): number | null {
  if (phase === null || view === null) return null;
  if (phase.expectedSeconds === null && phase.phaseKind === "capacity") return null;
  const { done, total, elapsedMs } = view;
  const lastsMs = phase.expectedSeconds === null ? null : phase.expectedSeconds * 1000;
  return Math.min(1, Math.max(0, lastsMs === null ? done / Math.max(1, total) : elapsedMs / lastsMs));
}

/** Milliseconds, as the share done so far lets expect; null while unknown. */
export function phaseLeftMs(place: Place): number | null {
  const share = phaseShare(place);
  return share === null || share === 0 ? null : ((place.view?.elapsedMs ?? 0) / share) * (1 - share);
}

/** The phase in numbers: `["p99", "410 ms"]`, … */
export function describeView({
  step,
  fault,
  ...view
}: PhaseView): (readonly [label: string, value: string])[] {
  const rate = (perSecond: number) => format.formatRate(Math.round(perSecond));
  const highest = step?.highestSustainedPerSecond ?? null;
  return [
    ["rate", rate(view.ratePerSecond)],
    ...(view.p50Us === null ? [] : [["p50", format.formatLatency(view.p50Us)] as const]),
    ...(view.p99Us === null ? [] : [["p99", format.formatLatency(view.p99Us)] as const]),
    ...(step === undefined ? [] : [[`step ${step.number}`, rate(step.ratePerSecond)] as const]),
    ...(highest === null ? [] : [["sustained", rate(highest)] as const]),
    ...(fault === undefined ? [] : [["fault", describeFault(fault)] as const]),
    ["errors", format.formatCount(view.errors)],
  ];
}

/** `during resets (2 of 6)` */
function describeFault({ name, number, count, window }: FaultView): string {
  return `${window === "under" ? "during" : window} ${name} (${number} of ${count})`;
}
