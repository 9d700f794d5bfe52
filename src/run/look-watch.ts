import { judge } from "../judgement/judge.ts";
import { nowUs } from "../machine/clock.ts";
import type { Plan } from "../plan/plan.ts";
import type { JudgedPair, Judgement } from "../result/judgement.ts";
import type { Looks } from "../result/schema.ts";
import type { RunEvent } from "./events.ts";
import type { RunRecord } from "./run-record.ts";

/** More rounds than this make early looks so strict that they find nothing. */
export const mostRounds = 50;

/**
 * The looks of a run that goes on until everything is decided: after each round from the fewest on, up to as many as end
 * nearest to the time by the first round's duration. The fewest are done whatever they take: less would say nothing. They
 * may not hang on any ratio: whoever plans more looks because nothing is decided yet claims too much.
 */
export function planLooks(fewest: number, budgetMs: number, firstRoundMs: number): number[] {
  // One round says nothing of its spread.
  const first = Math.max(2, fewest);
  const most = Math.max(first, Math.min(mostRounds, Math.round(budgetMs / firstRoundMs)));
  return Array.from({ length: most - first + 1 }, (_, at) => first + at);
}

export interface LookOptions {
  readonly plan: Plan;
  readonly record: RunRecord;
  readonly onEvent: (event: RunEvent) => void;
  /** Measures whose pairs must be decided; all that decide where absent. */
  readonly awaited?: readonly string[] | undefined;
  readonly clockUs?: () => number;
}

/** Looks at a run's ratios after its rounds, and says when it may end. */
export class LookWatch {
  readonly #plan: Plan;
  readonly #record: RunRecord;
  readonly #onEvent: (event: RunEvent) => void;
  readonly #awaited: readonly string[] | undefined;
  readonly #clockUs: () => number;
  readonly #startUs: number;

  constructor({ plan, record, onEvent, awaited, clockUs = nowUs }: LookOptions) {
    this.#plan = plan;
    this.#record = record;
    this.#onEvent = onEvent;
    this.#awaited = awaited;
    this.#clockUs = clockUs;
    this.#startUs = clockUs();
  }

  /** As far as is known: the fewest, until the first round has ended. */
  get mostRounds(): number {
    return this.#record.result.looks?.planned.at(-1) ?? this.#plan.rounds;
  }

  /** Whether another round is needed after so many, and may be had. */
  async goesOn(rounds: number): Promise<boolean> {
    const budgetMs = this.#plan.maxMinutes * 60_000;
    const elapsedMs = (this.#clockUs() - this.#startUs) / 1000;
    const before: Looks = this.#record.result.looks ?? {
      planned: planLooks(this.#plan.rounds, budgetMs, elapsedMs),
      taken: [],
      pairs: 0,
      decided: 0,
      ended: null,
    };
    const isLook = before.planned.includes(rounds);
    const { looks, open } = isLook ? this.#look(before, rounds) : { looks: before, open: [] };
    const isTime = elapsedMs >= budgetMs && rounds >= (looks.planned[0] ?? 1);
    const isOver = isTime || rounds >= (looks.planned.at(-1) ?? 1);
    const isDecided = isLook && looks.pairs === looks.decided;
    const ended = isDecided ? (looks.pairs === 0 ? "nothing-to-compare" : "decided") : isOver ? "time" : null;
    await this.#record.keep({ looks: { ...looks, ended } });
    if (isLook) this.#onEvent({ kind: "looked", looks: { ...looks, ended }, open });
    return ended === null;
  }

  #look(before: Looks, rounds: number): Pick<Extract<RunEvent, { kind: "looked" }>, "looks" | "open"> {
    const looks = { ...before, taken: [...before.taken, rounds] };
    const judgements = judge({ ...this.#record.result, looks }).filter(
      ({ measure }) => this.#awaited?.includes(measure) ?? true,
    );
    const pairs = judgements.flatMap((judgement) => judgement.pairs);
    return {
      looks: { ...looks, pairs: pairs.length, decided: pairs.filter(isDecidedPair).length },
      open: judgements.filter(isOpen).map(({ measure, phase }) => ({ measure, phase })),
    };
  }
}

function isOpen({ pairs }: Judgement): boolean {
  return !pairs.every(isDecidedPair);
}

function isDecidedPair({ kind }: JudgedPair): boolean {
  return kind === "leads" || kind === "equivalent";
}
