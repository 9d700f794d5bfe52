import { catalogue } from "../../measures/catalogue.ts";
import { isRan, listPhases, nameOfRound } from "../../measures/sections.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Phase } from "../../result/phase.ts";
import type { Result } from "../../result/schema.ts";
import type { PhaseView, RunEvent } from "../../run/events.ts";
import { columnOf } from "../csv/columns.ts";
import { lineVersion, type RunLine } from "./line.ts";

/** Of several contenders that are alive together, each has its own. */
interface Turn {
  readonly round: number;
  phase: string;
  toldMs: number;
}

/** What is written of each event of a run; the first line comes of none, and the last ones of its result. */
export class RunLines {
  readonly #plan: Plan;
  readonly #phases: readonly string[];
  readonly #turns = new Map<number, Turn>();

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#phases = listPhases(plan.phases).map(({ name }) => name);
  }

  begin(id: string, at: Date): RunLine {
    return {
      kind: "run",
      at: at.toISOString(),
      schema: lineVersion,
      id,
      contenders: this.#plan.entrants.map(nameOfRound),
      phases: [...this.#phases],
    };
  }

  describe(event: RunEvent, now: Date): RunLine | null {
    const at = now.toISOString();
    switch (event.kind) {
      case "not-run": {
        const { kind, contender, variant, reason } = event;
        return { kind, at, contender, variant, reason };
      }
      case "round-started": {
        const { kind, contender, variant, round, position } = event;
        this.#turns.set(position, { round, phase: "", toldMs: Number.NEGATIVE_INFINITY });
        return { kind, at, contender, variant, round };
      }
      case "phase-started": {
        const turn = this.#turns.get(event.position);
        if (turn === undefined) return null;
        turn.phase = this.#phases[event.index] ?? event.phaseKind;
        turn.toldMs = Number.NEGATIVE_INFINITY;
        return null;
      }
      case "phase-progress": {
        const turn = this.#turns.get(event.position);
        if (turn === undefined || now.getTime() - turn.toldMs < 1000) return null;
        turn.toldMs = now.getTime();
        const { contender, variant } = event;
        const { round, phase } = turn;
        return { kind: "progress", at, contender, variant, round, phase, ...pickView(event.view) };
      }
      case "phase-ended": {
        const { kind, contender, variant, position, phase } = event;
        const turn = this.#turns.get(position);
        if (turn === undefined) return null;
        const { status, reason } = phase;
        const place = { contender, variant, round: turn.round, phase: turn.phase };
        return { kind, at, ...place, status, reason, measures: pickMeasures(phase) };
      }
      case "round-ended": {
        const { contender, variant, round, status, reason } = event.round;
        this.#turns.delete(event.round.position);
        return { kind: event.kind, at, contender, variant, round, status, reason };
      }
      case "warning":
        return { kind: "warning", at, warning: event.warning };
      case "preparing":
      case "build-output":
      case "server-ready":
      case "phase-second":
      case "looked":
        return null;
    }
  }

  end({ id, status, judgements }: Result, now: Date): RunLine[] {
    const at = now.toISOString();
    return [
      ...judgements.map((judgement): RunLine => ({ kind: "judgement", at, ...judgement })),
      { kind: "run-ended", at, id, status: status === "finished" ? "finished" : "aborted" },
    ];
  }
}

function pickView({
  elapsedMs,
  done,
  total,
  ratePerSecond,
  p50Us,
  p99Us,
  errors,
  step,
  fault,
  slice,
}: PhaseView) {
  const isUnknown = ratePerSecond === 0 && (slice !== undefined || elapsedMs < 1000);
  return {
    elapsedMs: Math.max(0, Math.round(elapsedMs)),
    done,
    total,
    ratePerSecond: isUnknown ? null : ratePerSecond,
    p50Us,
    p99Us,
    errors,
    ...(step === undefined ? {} : { stepRatePerSecond: step.ratePerSecond }),
    ...(fault === undefined ? {} : { fault: { name: fault.name, window: fault.window } }),
  };
}

function pickMeasures(phase: Phase): Record<string, number | null> {
  if (!isRan(phase)) return {};
  const measures = catalogue.filter(({ kinds }) => kinds.includes(phase.kind));
  return Object.fromEntries(measures.map((measure) => [columnOf(measure), measure.pick(phase)]));
}
