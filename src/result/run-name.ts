/** The id of what began then, which is its folder's name too. @param startedAt as ISO 8601 has it */
export function nameRun(startedAt: string, label: string): string {
  return `${startedAt.slice(0, 23).replaceAll(/[:.]/g, "-")}-${label}`;
}
