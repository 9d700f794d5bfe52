import type { Capacity } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { okPhases, type Participant } from "./section.ts";

/** `31,250/s`, `≥ 64,000/s`, `none`. */
export function describeCapacity({ ratePerSecond, isLowerBound }: Capacity): string {
  if (ratePerSecond === null) return "none";
  return `${isLowerBound ? "≥ " : ""}${format.formatRate(ratePerSecond)}`;
}

/** Of an entrant whose every search something else than the server ended: the most that it is known to hold. Null otherwise. */
export function lowerBound(participant: Participant): number | null {
  const searches = searchesOf(participant);
  if (searches.length === 0 || !searches.every(({ isLowerBound }) => isLowerBound)) return null;
  return Math.max(...searches.map(({ ratePerSecond }) => ratePerSecond ?? 0));
}

/** The step that ended the search of the middle round; null when nothing did. */
export function stopOf(participant: Participant): Capacity["steps"][number] | null {
  const searches = searchesOf(participant).sort((a, b) => (a.ratePerSecond ?? 0) - (b.ratePerSecond ?? 0));
  const middle = searches[searches.length >> 1];
  return middle === undefined ? null : findStop(middle);
}

/** ` (generator late: …)`; nothing when no step says why. */
export function whyStopped(participant: Participant): string {
  const reason = stopOf(participant)?.reason ?? null;
  return reason === null ? "" : ` (${reason})`;
}

/** The lowest rate that was not held: its last try. */
function findStop({ ratePerSecond: held, steps }: Capacity): Capacity["steps"][number] | null {
  const failed = steps.filter((step) => !step.held && step.ratePerSecond > (held ?? 0));
  const lowest = Math.min(...failed.map(({ ratePerSecond }) => ratePerSecond));
  return failed.findLast(({ ratePerSecond }) => ratePerSecond === lowest) ?? null;
}

function searchesOf(participant: Participant): Capacity[] {
  return okPhases(participant).flatMap(({ capacity }) => capacity ?? []);
}
