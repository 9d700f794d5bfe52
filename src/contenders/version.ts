/** Compares dotted versions number by number; what is missing counts as 0. Negative when `a` is older. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split(".").map(Number), b.split(".").map(Number)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/**
 * Finds a program's version in what its version command printed: the first number after one of `names` on the
 * first line that has both (`elixir --version` speaks of Erlang first), or else the first number there is.
 */
export function findVersion(
  printed: string,
  names: readonly string[],
): { readonly line: string; readonly version: string | null } {
  const lines = printed
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  for (const line of lines) {
    for (const name of names) {
      const at = line.toLowerCase().indexOf(name.toLowerCase());
      const version = at < 0 ? undefined : /\d+(?:\.\d+)*/.exec(line.slice(at + name.length))?.[0];
      if (version !== undefined) return { line, version };
    }
  }
  const line = lines.find((candidate) => /\d/.test(candidate)) ?? lines[0] ?? "";
  return { line, version: /\d+(?:\.\d+)*/.exec(line)?.[0] ?? null };
}
