import { UsageError } from "../errors.ts";
import { suggest } from "../text/nearest.ts";

/** What strikes in the chaos phase, in the order in which it does; the gravest last. */
export const faultNames = ["slow-readers", "resets", "garbage", "storm", "crash", "kill"] as const;
export type Fault = (typeof faultNames)[number];

/** Windows of one fault, in whole seconds: the load before it, under it, and after it. */
export interface ChaosSeconds {
  readonly before: number;
  readonly strike: number;
  readonly after: number;
}

/** Of the open connections, those that a fault strikes; extra connections where it is `garbage`. */
const shares: Readonly<Record<Fault, { readonly share: number; readonly least: number }>> = {
  "slow-readers": { share: 0.01, least: 1 },
  resets: { share: 0.05, least: 1 },
  // As many as there are kinds of garbage, and a second one of each.
  garbage: { share: 0.01, least: 20 },
  storm: { share: 0.25, least: 1 },
  crash: { share: 0.01, least: 3 },
  kill: { share: 0, least: 0 },
};
const mostGarbage = 400;

/** How many connections a fault strikes; of members at most half, so that there are neighbours to be hurt. */
export function countVictims(fault: Fault, connections: number): number {
  const { share, least } = shares[fault];
  const wanted = Math.max(least, Math.round(share * connections));
  return fault === "garbage" ? Math.min(wanted, mostGarbage) : Math.min(wanted, Math.floor(connections / 2));
}

/**
 * Reads `crash,kill,…`; they strike in the order of `faultNames` whatever the list's.
 *
 * @throws UsageError naming the unknown fault and the nearest one
 */
export function parseFaults(list: string): Fault[] {
  const wanted = list.split(",").map((name) => name.trim());
  for (const name of wanted) {
    if (!faultNames.some((known) => known === name)) {
      throw new UsageError(`--faults: unknown fault "${name}"${suggest(name, faultNames)}`, {
        hint: `expected some of ${faultNames.join(", ")}`,
      });
    }
  }
  return faultNames.filter((name) => wanted.includes(name));
}

/**
 * Reads `3/10/5`: seconds before, under and after each fault.
 *
 * @throws UsageError for anything but three whole numbers from 1 to 60
 */
export function parseChaosSeconds(text: string): ChaosSeconds {
  const [before = 0, strike = 0, after = 0, ...more] = text.split("/").map((part) => Number(part));
  const isPossible = (seconds: number) => Number.isInteger(seconds) && seconds >= 1 && seconds <= 60;
  if (more.length > 0 || ![before, strike, after].every(isPossible)) {
    throw new UsageError(`--chaos-seconds ${text}: expected three whole numbers from 1 to 60, as in 3/10/5`, {
      hint: "they are the seconds before, under and after each fault",
    });
  }
  return { before, strike, after };
}

/** How long the load of a chaos phase lasts, over all faults. */
export function chaosLoadSeconds(plan: {
  readonly faults: readonly Fault[];
  readonly chaosSeconds: ChaosSeconds;
}): number {
  const { before, strike, after } = plan.chaosSeconds;
  return plan.faults.length * (before + strike + after);
}
