import { titleOf } from "../../measures/sections.ts";
import type { FaultView, PhaseView, RunEvent } from "../../run/events.ts";
import * as format from "../../text/format.ts";

type Of<Kind extends RunEvent["kind"]> = Extract<RunEvent, { kind: Kind }>;

/** One contender's round that goes on, and its phase that runs. */
interface Turn {
  readonly round: Of<"round-started">;
  readonly phase: Of<"phase-started"> | null;
}

/** Where a run is: what terminal and live page tell from the same events. */
export interface Place {
  /** What is being done before the first round; null from then on. */
  readonly preparing: Of<"preparing"> | null;
  readonly building: Of<"build-output"> | null;
  /** Rounds that go on, by their position. */
  readonly turns: ReadonlyMap<number, Turn>;
  /** The one that was last heard of. */
  readonly round: Of<"round-started"> | null;
  /** The one that runs. */
  readonly phase: Of<"phase-started"> | null;
  /** Phases that have ended in the rounds that go on. */
  readonly phasesEnded: number;
  /** Null until the phase's first report. */
  readonly view: PhaseView | null;
}

export const start: Place = {
  preparing: null,
  building: null,
  turns: new Map(),
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
    case "round-started": {
      const { turns, phasesEnded } = place;
      return {
        ...start,
        turns: new Map(turns).set(event.position, { round: event, phase: null }),
        round: event,
        phasesEnded: turns.size === 0 ? 0 : phasesEnded,
      };
    }
    case "server-ready":
      return { ...place, round: place.turns.get(event.position)?.round ?? place.round };
    case "phase-started":
      return { ...follow(place, event.position, event), view: null };
    case "phase-progress": {
      const { round, phase } = place.turns.get(event.position) ?? place;
      return { ...place, round, phase, view: event.view };
    }
    case "phase-ended":
      return { ...follow(place, event.position, null), phasesEnded: place.phasesEnded + 1, view: null };
    case "round-ended": {
      const turns = new Map(place.turns);
      turns.delete(event.round.position);
      return { ...place, turns, phase: null, view: null };
    }
    default:
      return place;
  }
}

function follow(place: Place, position: number, phase: Turn["phase"]): Place {
  const round = place.turns.get(position)?.round ?? place.round;
  if (round === null) return { ...place, phase };
  return { ...place, turns: new Map(place.turns).set(position, { round, phase }), round, phase };
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
  const { done, total, elapsedMs, slice } = view;
  if (slice !== undefined) return slice.number / Math.max(slice.number, slice.count);
  const lastsMs = phase.expectedSeconds === null ? null : phase.expectedSeconds * 1000;
  return Math.min(1, Math.max(0, lastsMs === null ? done / Math.max(1, total) : elapsedMs / lastsMs));
}

/** As the share done so far lets expect, in whole seconds as milliseconds; null while unknown. */
export function phaseLeftMs(place: Place): number | null {
  const share = phaseShare(place);
  if (share === null || share === 0) return null;
  return Math.ceil((((place.view?.elapsedMs ?? 0) / share) * (1 - share)) / 1000) * 1000;
}

/** The phase in numbers: `["p99", "410 ms"]`, … */
export function describeView({
  step,
  fault,
  slice,
  hold,
  ...view
}: PhaseView): (readonly [label: string, value: string])[] {
  const rate = (perSecond: number) => format.formatRate(Math.round(perSecond));
  const highest = step?.highestSustainedPerSecond ?? null;
  return [
    ...(hold === undefined ? [] : [["hold", holdTexts[hold.stage]] as const]),
    // Between two slices nothing arrives, which is no rate of anybody's.
    ...((slice ?? hold) !== undefined && view.ratePerSecond === 0
      ? []
      : [["rate", rate(view.ratePerSecond)] as const]),
    ...(view.p50Us === null ? [] : [["p50", format.formatLatency(view.p50Us)] as const]),
    ...(view.p99Us === null ? [] : [["p99", format.formatLatency(view.p99Us)] as const]),
    ...(slice === undefined
      ? []
      : [["slice", `${slice.number} of ${Math.max(slice.number, slice.count)}`] as const]),
    ...(step === undefined ? [] : [[`step ${step.number}`, rate(step.ratePerSecond)] as const]),
    ...(highest === null ? [] : [["sustained", rate(highest)] as const]),
    ...(fault === undefined ? [] : [["fault", describeFault(fault)] as const]),
    ["errors", format.formatCount(view.errors)],
  ];
}

const holdTexts = {
  before: "an echo of each before it",
  rest: "no messages",
  after: "an echo of each after it",
} as const;

/** `during resets (2 of 6)` */
function describeFault({ name, number, count, window }: FaultView): string {
  return `${window === "under" ? "during" : window} ${name} (${number} of ${count})`;
}
