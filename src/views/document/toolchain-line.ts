import { describeToolchain, type Toolchain } from "../../contenders/support.ts";
import { participantsOf } from "../../measures/sections.ts";
import type { ContenderFacts, Result } from "../../result/schema.ts";

/** `Go 1.26.8, Node 20.1.0 (out of support since 2026-04)`: of those that took part; null where nothing is known. */
export function describeToolchains(result: Result): string | null {
  const day = result.startedAt.slice(0, 10);
  const texts = participantsOf(result).flatMap((facts) =>
    listTools(facts).map(([tool, printed]) => write(describeToolchain(tool, printed, day))),
  );
  return texts.length === 0 ? null : [...new Set(texts)].sort().join(", ");
}

/** A runtime that a contender brings with it is no requirement: its manifest names it and its version in `library`. */
function listTools({ toolchains, library }: ContenderFacts): [tool: string, printed: string][] {
  const [, runtime, version] = /\b(Node|Deno) (\d[\d.]*\d)/.exec(library) ?? [];
  const brought: [string, string][] =
    runtime === undefined || version === undefined ? [] : [[runtime.toLowerCase(), version]];
  return [...Object.entries(toolchains), ...brought];
}

function write({ name, version, endedOn }: Toolchain): string {
  const what = version === null ? name : `${name} ${version}`;
  return endedOn === null ? what : `${what} (out of support since ${endedOn.slice(0, 7)})`;
}
