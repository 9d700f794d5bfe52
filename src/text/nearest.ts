import { distance } from "fastest-levenshtein";

/** The one of `candidates` that `word` was probably meant to be, or null when none is near. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  let best: string | null = null;
  let bestDistance = Number.POSITIVE_INFINITY;
  for (const candidate of candidates) {
    // "gorilla" for "go-gorilla" is further off in letters than any typing error, but just as clear.
    const part = word.length >= 3 && candidate.includes(word.toLowerCase());
    const edits = part ? 1 : distance(word.toLowerCase(), candidate.toLowerCase());
    if (edits < bestDistance) {
      best = candidate;
      bestDistance = edits;
    }
  }
  // Of a name of two letters, two edits leave nothing.
  const most = best === null ? 0 : Math.min(best.length - 1, Math.max(2, Math.ceil(best.length / 3)));
  return bestDistance <= most ? best : null;
}

/** `, did you mean "…"?`, or nothing. */
export function suggest(word: string, candidates: readonly string[]): string {
  const found = nearest(word, candidates);
  return found === null ? "" : `, did you mean "${found}"?`;
}
