import { ranPhases, type Section } from "../../measures/sections.ts";
import type { Plan } from "../../plan/plan.ts";
import * as format from "../../text/format.ts";

/**
 * An idle contender slows everybody but itself, so its ratio to each of them is off by what it takes of the server's
 * CPUs. A fifth of the margin can't turn a lead into its opposite, and is seldom what decides whether one is claimed.
 */
const harmlessShare = 0.2;

/** What a contender used of one CPU while others had the load of this phase: 0 to 1 and more; null where nobody watched. */
export function idleCpus({ participants }: Section, name: string): number | null {
  const rates = participants
    .flatMap(ranPhases)
    .flatMap(({ neighbours }) => neighbours?.each.filter(({ contender }) => contender === name) ?? []);
  if (rates.length === 0) return null;
  return rates.reduce((sum, { cpuMsPerSecond }) => sum + cpuMsPerSecond, 0) / rates.length / 1000;
}

/** Those that took enough to disturb, and what of a CPU. */
function listDisturbing(section: Section, { marginPercent, serverCpus }: Plan) {
  const most = (marginPercent / 100) * harmlessShare * (serverCpus?.length ?? 1);
  return section.participants.flatMap(({ name }) => {
    const cpus = idleCpus(section, name) ?? 0;
    return cpus < most ? [] : [{ name, cpus }];
  });
}

export function noteIdling(section: Section, plan: Plan): string[] {
  return listDisturbing(section, plan).map(
    ({ name, cpus }) =>
      `${name}, idle, took ${format.formatShare(cpus)} of a server CPU while others had the load, and may have slowed them by that.`,
  );
}

/** The same of all phases together, once for each contender. */
export function summarizeIdling(sections: readonly Section[], plan: Plan): string[] {
  const all = sections.flatMap((section) =>
    listDisturbing(section, plan).map((one) => ({ ...one, phase: section.name })),
  );
  return [...Map.groupBy(all, ({ name }) => name)].map(([name, those]) => {
    const most = those.reduce((one, other) => (other.cpus > one.cpus ? other : one));
    return `${name}, idle, took ${format.formatShare(most.cpus)} of a server CPU while others had the load (${most.phase}): try --one-at-a-time.`;
  });
}
