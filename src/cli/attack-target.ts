import { describeTarget } from "../attack/target.ts";
import { isNear } from "../contenders/address.ts";
import { ShowdownError } from "../errors.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import { peakRate } from "../plan/attack/plan.ts";
import * as format from "../text/format.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";

/** More than this to somebody else's machine is asked for. A closed loop has no rate: what is under way stands for it. */
const most = { connections: 1000, perSecond: 10_000, inFlight: 1000 };

/**
 * Makes sure that somebody meant a load that others would feel.
 *
 * @throws {ShowdownError} `usage` where it was not said, and there is nobody to ask
 */
export async function confirmLoad(plan: AttackPlan, { yes }: OptionValues, host: Host): Promise<void> {
  const { target, connections } = plan;
  const rate = peakRate(plan);
  const inFlight = plan.load.kind === "closed" ? connections * plan.load.inFlight : 0;
  const isHeavy = connections > most.connections || (rate ?? 0) > most.perSecond || inFlight > most.inFlight;
  if (yes || !isHeavy || target.addresses.every(isNear)) return;
  const parts = [
    format.plural(connections, "connection"),
    ...(rate === null ? [] : [`${format.formatCount(rate)} messages per second`]),
    // What else is sent, a scenario alone knows.
    ...(inFlight === 0 ? [] : [`${format.plural(inFlight, "message")} in flight`]),
  ];
  const load = parts.join(" and ");
  const what = `${load} to ${describeTarget(target)}, which is no machine of this network`;
  if ((await host.ask?.(`${what}. Go on?`)) === true) return;
  throw new ShowdownError("usage", `${what}: not without --yes`, {
    hint: "load only servers whose owner wants it",
  });
}
