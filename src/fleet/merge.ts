import { describeAttack, describeTotals } from "../attack/attack-figures.ts";
import { type Ending, judge, judgeParts } from "../attack/ending.ts";
import { noEvidence } from "../attack/start-attack.ts";
import { addTotals } from "../attack/totals.ts";
import { countOwn } from "../engine/places.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import { type AttackPart, type AttackResult, attackPartSchema } from "../result/attack.ts";
import type { FinalResult } from "./final-result.ts";

/** An agent at the end, and what it measured. */
export interface AgentEnd {
  /** As far as it is known without its result. */
  readonly part: AttackPart;
  /** Null where it is lost. */
  readonly final: FinalResult | null;
  /** Why it is. */
  readonly loss: AttackPart["reason"];
}

/**
 * Adds the parts up as those of one machine. Each agent's part is judged by itself as well, since a slow generator among
 * many would not be seen in the whole.
 *
 * @param decided how the attack ended, where that was not its agents' doing
 * @param clockErrorUs of what one agent heard of another; null where it is not known
 */
export function mergeParts(
  plan: AttackPlan,
  ends: readonly AgentEnd[],
  { decided, clockErrorUs }: { readonly decided: Ending | null; readonly clockErrorUs: number | null },
): Partial<AttackResult> & { readonly parts: AttackPart[] } {
  const totals = ends.flatMap(({ final }) => final?.totals ?? []);
  const figures =
    totals.length === 0
      ? describeAttack(noEvidence(plan))
      : describeTotals(plan, addTotals(totals), clockErrorUs);
  const parts = ends.map((end) => describeEnd(plan, end, decided));
  return { ...judge(plan, figures, decided ?? judgeParts(parts)), ...figures, parts };
}

function describeEnd(plan: AttackPlan, { part, final, loss }: AgentEnd, decided: Ending | null): AttackPart {
  if (final === null)
    return attackPartSchema.parse({ ...part, status: "lost", reason: loss ?? decided?.reason });
  const { totals, status, reason } = final;
  const figures = describeTotals(plan, totals);
  const { index, of } = part.share ?? { index: 0, of: 1 };
  const workers = countOwn({ worker: index, workers: of }, plan.workers);
  const ending = judge({ ...plan, workers }, figures, { status, reason });
  return attackPartSchema.parse({ ...part, ...ending, figures });
}
