/** The first `most` lines, and how many there are beyond. */
export function boundLines(lines: readonly string[], most: number): string[] {
  const shown = lines.slice(0, most);
  return lines.length > most ? [...shown, `and ${lines.length - most} more`] : shown;
}
