/** Compares versions of up to three numbers; what is missing counts as 0. Negative when `a` is older. */
export function compareVersions(a: string, b: string): number {
  return Bun.semver.order(inThreeNumbers(a), inThreeNumbers(b));
}

/** `17.0.8.1` is no semantic version, and neither is `25`. */
function inThreeNumbers(version: string): string {
  return [...version.split("."), "0", "0"].slice(0, 3).join(".");
}

/**
 * Finds a program's version in what its version command printed: the first number after one of `names` on the
 * first line that has both (`elixir --version` speaks of Erlang first), or else the first number there is.
 */
export function findVersion(
  printed: string,
  names: readonly string[],
): { readonly line: string; readonly version: string | null } {
  // Maven writes its version in bold.
  const lines = Bun.stripANSI(printed)
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
