/**
 * Best first, as far as anything is known: nobody stands before who leads them.
 *
 * @param byFigures names in the order of their figures, which decides where nobody leads
 */
export function orderByLead(
  byFigures: readonly string[],
  leads: (one: string, other: string) => boolean,
): string[] {
  const remaining = [...byFigures];
  const ordered: string[] = [];
  while (remaining.length > 0) {
    // Figures can contradict a lead, which is judged within rounds: then the lead decides.
    const next = remaining.findIndex((name) => !remaining.some((rival) => leads(rival, name)));
    ordered.push(...remaining.splice(Math.max(0, next), 1));
  }
  return ordered;
}
