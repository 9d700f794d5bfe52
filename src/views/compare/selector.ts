import { catalogue } from "../../measures/catalogue.ts";
import type { Measure } from "../../measures/measure.ts";
import type { NamedPhase } from "../../measures/sections.ts";
import { suggest } from "../../text/nearest.ts";

/** What an expression such as `go-gorilla burst-echo latency.p99` points at. */
export interface Selector {
  /** Null: every contender. */
  readonly contender: string | null;
  /** Names of the phases that are meant, at least one. */
  readonly phases: readonly string[];
  readonly measure: Measure;
}

/** What can be pointed at. */
export interface Scope {
  readonly contenders: readonly string[];
  readonly phases: readonly NamedPhase[];
}

/**
 * Reads `[CONTENDER] [PHASE] MEASURE`. A phase is one by its name, or a kind (`burst`), which means all of that kind;
 * without one, every phase that has the measure is meant. A measure is named with dots, hyphens or blanks between its
 * words.
 *
 * @returns what is wrong, where it is none
 */
export function parseSelector(text: string, scope: Scope): Selector | string {
  const words = text.trim().split(/\s+/);
  const found = findMeasure(words);
  if (found === null) return describeUnknownMeasure(words, scope);
  const { measure } = found;
  const before = [...found.before];
  const contender = before[0] !== undefined && scope.contenders.includes(before[0]) ? before.shift() : null;
  const phase = before.join("-");
  const isKnown = phase === "" || scope.phases.some(({ name, kind }) => name === phase || kind === phase);
  if (!isKnown) return describeUnknown(before, contender !== null, scope);
  const asked = scope.phases.filter(({ name, kind }) => phase === "" || name === phase || kind === phase);
  const phases = asked.filter(({ kind }) => measure.kinds.includes(kind)).map(({ name }) => name);
  if (phases.length === 0) {
    const all = scope.phases.map(({ name }) => name).join(", ") || "no phases";
    const where = phase === "" ? `a plan of ${all}` : phase;
    return `there is no ${measure.name} in ${where}; it is measured in phases of kind ${measure.kinds.join(" and ")}`;
  }
  return { contender: contender ?? null, phases, measure };
}

/** The longest end of the words that names a measure. */
function findMeasure(words: readonly string[]): { measure: Measure; before: readonly string[] } | null {
  for (let start = 0; start < words.length; start++) {
    const wanted = normalize(words.slice(start).join(" "));
    const measure = catalogue.find(({ name }) => normalize(name) === wanted);
    if (measure !== undefined) return { measure, before: words.slice(0, start) };
  }
  return null;
}

function normalize(name: string): string {
  return name.toLowerCase().replaceAll(/[\s._-]+/g, " ");
}

function describeUnknownMeasure(words: readonly string[], scope: Scope): string {
  const isOther = (word: string) =>
    scope.contenders.includes(word) || scope.phases.some(({ name, kind }) => name === word || kind === word);
  const rest = words.filter((word) => word !== "" && !isOther(word));
  const names = catalogue.map(({ name }) => name);
  const all = ` (there are ${names.join(", ")})`;
  if (rest.length === 0) return `no measure is named${all}`;
  // The contender may be misspelt too: then the words after it tell which measure was meant.
  const suggestions = rest.map((_, start) => suggest(rest.slice(start).join(" "), names));
  return `unknown measure "${rest.join(" ")}"${suggestions.find((text) => text !== "") ?? all}`;
}

function describeUnknown(words: readonly string[], hasContender: boolean, scope: Scope): string {
  const phases = [...new Set(scope.phases.flatMap(({ name, kind }) => [name, kind]))];
  const [first = ""] = words;
  if (hasContender || phases.some((phase) => phase === first)) {
    const phase = words.join(" ");
    return `no phase "${phase}"${suggest(phase, phases)} (there are ${phases.join(", ")})`;
  }
  const candidates = [...scope.contenders, ...(words.length === 1 ? phases : [])];
  return `no contender${words.length === 1 ? " or phase" : ""} "${first}"${suggest(first, candidates)} (there are ${candidates.join(", ")})`;
}
