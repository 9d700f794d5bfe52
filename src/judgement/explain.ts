import { measureOf } from "../measures/catalogue.ts";
import { overRounds } from "../measures/figures.ts";
import type { Participant } from "../measures/sections.ts";
import type { Cause, Judgement } from "../result/judgement.ts";

/** Smaller differences have many small causes. */
const leastFactor = 1.2;

/**
 * What may explain a factor, the likeliest first, and what the better one has of it. Messages that share a segment share
 * its system calls and its way through the kernel, whatever else differs; the parts of CPU time only tell where it went.
 */
const causes = [
  { kind: "messages-per-segment", better: "more" },
  { kind: "cpu-per-delivery.collector", better: "less" },
  { kind: "cpu-per-delivery.system", better: "less" },
  { kind: "cpu-per-delivery.user", better: "less" },
  { kind: "context-switches.voluntary", better: "less" },
] as const;

/** Measures of a burst or an endurance phase that hang on the work of a delivery. */
const explained: ReadonlySet<string> = new Set(["throughput", "latency.p99", "cpu-per-delivery"]);

/**
 * For everybody whom the best one clearly beats by a factor of 1.2 or more: what explains it, where something that was
 * measured does. A cause has to differ by the factor's square root at least, or it would be the smaller part of it.
 */
export function explainFactor(
  judgement: Pick<Judgement, "measure" | "best" | "pairs">,
  participants: readonly Participant[],
): Cause[] {
  const [first] = judgement.best;
  const best = participants.find(({ name }) => name === first);
  if (best === undefined || !explained.has(judgement.measure)) return [];
  return judgement.pairs.flatMap((pair) => {
    const other = participants.find(({ name }) => name === pair.second);
    if (pair.kind !== "leads" || pair.first !== first || other === undefined) return [];
    return pair.ratio < leastFactor ? [] : (findCause(best, other, pair.ratio) ?? []);
  });
}

function findCause(best: Participant, other: Participant, factor: number): Cause | null {
  for (const { kind, better } of causes) {
    const [bests, others] = [overRounds(best, measureOf(kind)), overRounds(other, measureOf(kind))];
    if (bests === null || others === null || bests <= 0 || others <= 0) continue;
    const ratio = better === "more" ? bests / others : others / bests;
    if (ratio < Math.sqrt(factor) || !isMainPart(kind, best, other)) continue;
    return {
      kind,
      factor,
      best: { contender: best.name, value: bests },
      other: { contender: other.name, value: others },
    };
  }
  return null;
}

/** Of CPU time, the part in which most of the difference lies. */
function isMainPart(kind: Cause["kind"], best: Participant, other: Participant): boolean {
  if (!kind.startsWith("cpu-per-delivery")) return true;
  const difference = (name: string) =>
    (overRounds(other, measureOf(name)) ?? 0) - (overRounds(best, measureOf(name)) ?? 0);
  return difference(kind) * 2 >= difference("cpu-per-delivery");
}
