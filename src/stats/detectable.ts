import { measureSpread } from "./intervals.ts";
import { countPairs } from "./multiplicity.ts";
import type { PairRounds } from "./pair-outcomes.ts";
import { type Looks, scheduleFor } from "./sequential.ts";
import { studentQuantile } from "./student.ts";

/**
 * The smallest difference that `judgeSequentially` calls a lead in at least nine of ten runs by its last look, as a
 * share (0.03: 3 %): what a machine can tell, judged from pairs measured on it. From few rounds it is itself uncertain:
 * by about a third either way from three pairs over 5 rounds.
 *
 * @param measured pairs whose spread is taken for typical, whatever their ratio
 * @param plan for how many contenders and which looks
 * @returns null where no pair has two rounds
 */
export function smallestDetectable(
  measured: readonly PairRounds[],
  plan: { readonly contenders: number; readonly looks: Looks },
  confidence = 0.95,
): number | null {
  const variances = measured.flatMap(
    ({ logRatios }) => measureSpread(logRatios.filter((log) => log !== null))?.variance ?? [],
  );
  const rounds = plan.looks.at(-1) ?? 0;
  if (variances.length === 0) return null;
  const variance = variances.reduce((sum, value) => sum + value, 0) / variances.length;
  const scale = scheduleFor(plan.looks).scaleFor(
    (1 - confidence) / 2 / Math.max(1, countPairs(plan.contenders)),
  );
  const claim = studentQuantile(1 - 2 * scale, rounds - 1);
  // Past the limit of the claim, so far past that a tenth of the runs falls short of it: the tenth below is the lower
  // end of the central 80 %.
  const shortfall = studentQuantile(0.8, rounds - 1);
  return Math.expm1((claim + shortfall) * Math.sqrt(variance / rounds));
}
