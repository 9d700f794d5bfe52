import { type League, leagues } from "../result/judgement.ts";
import type { ContenderFacts } from "../result/schema.ts";

/** A server without a library is written as plainly as any other, unless it says that it is tuned. */
export function leagueOf({ approach, variant }: Pick<ContenderFacts, "approach" | "variant">): League {
  if (approach !== "raw") return approach;
  return variant === "tuned" ? "tuned" : "idiomatic";
}

/** Those that have somebody, in a fixed order. */
export function groupByLeague<T extends { readonly facts: ContenderFacts }>(
  entries: readonly T[],
): (readonly [League, readonly T[]])[] {
  return leagues
    .map((league) => [league, entries.filter(({ facts }) => leagueOf(facts) === league)] as const)
    .filter(([, those]) => those.length > 0);
}

/** Those that are ranked against each other. A floor is no rival to anybody, another floor included. */
export function groupRivals<T extends { readonly facts: ContenderFacts }>(
  entries: readonly T[],
): (readonly [League, readonly T[]])[] {
  return groupByLeague(entries).flatMap(([league, those]): (readonly [League, readonly T[]])[] =>
    league === "floor" ? those.map((one) => [league, [one]]) : [[league, those]],
  );
}
