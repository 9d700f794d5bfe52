import type { ResolvedEntrant } from "../contenders/entrants.ts";
import { smallestMessageBytes } from "../engine/protocols/protocols.ts";
import { readTopology, splitCpus } from "../machine/cpus.ts";
import type { Plan } from "../plan/plan.ts";
import { presets } from "../plan/presets.ts";
import { resolvePlan } from "../plan/resolve.ts";
import type { Environment } from "../result/schema.ts";
import type { ParsedOptions } from "./options.ts";

/**
 * The plan that the options ask for on this machine, and why nothing is pinned where nothing is.
 *
 * @throws {ShowdownError} `usage` for a plan that can't be carried out here
 */
export function makePlan(
  { settings, values }: Pick<ParsedOptions, "settings" | "values">,
  entrants: readonly ResolvedEntrant[],
  environment: Environment,
  fleet?: { readonly agents: NonNullable<Plan["agents"]>; readonly descriptorLimit: number | null },
): { readonly plan: Plan; readonly pinReason: string | null } {
  const { preset = "quick" } = values;
  const { serverCpus, workerCpus, reason } = splitCpus(readTopology(), {
    pin: settings.pin ?? presets[preset].pin,
    serverCpus: settings.serverCpus,
  });
  const plan = resolvePlan({
    preset,
    settings,
    entrants,
    serverCpus,
    workerCpus,
    ...(fleet === undefined ? {} : { agents: fleet.agents }),
    descriptorLimit: lowest([environment.descriptorLimit.soft, fleet?.descriptorLimit ?? null]),
    leastMessageBytes: smallestMessageBytes,
  });
  return { plan, pinReason: reason };
}

/** Of those that are known. */
function lowest(limits: readonly (number | null)[]): number | null {
  const known = limits.filter((limit) => limit !== null);
  return known.length === 0 ? null : Math.min(...known);
}
