import { ShowdownError } from "../../errors.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { checkFleetOptions } from "../fleet-options.ts";
import type { Host } from "../host.ts";
import { carryOut } from "../one-run.ts";
import type { ParsedOptions } from "../options.ts";
import { makePlan } from "../plan-options.ts";
import { findEntrants, findRunning } from "../prepare.ts";
import { untilStopped } from "../signals.ts";
import { scan } from "./scan.ts";

/** `showdown run`: the whole showdown, from the toolchains to the verdict. Returns the exit code. */
export async function run(options: ParsedOptions, host: Host): Promise<number> {
  const { values, positionals } = options;
  const started = await findEntrants(positionals, values, host);
  const entrants = [...started, ...findRunning(values, started, host)];
  const environment = await describeEnvironment();
  checkFleetOptions(values);
  if (values.fleet !== undefined) {
    if (values.scan !== undefined) {
      throw new ShowdownError("usage", "--scan and --fleet: expected one of them", {
        hint: "give each value in a run of its own, such as --connections 1000",
      });
    }
    const { runByFleet } = await import("../fleet/fleet-run.ts");
    return await runByFleet(options, { entrants, environment }, host);
  }
  if (values.scan !== undefined) return await scan(values.scan, options, { entrants, environment }, host);
  const planned = { ...makePlan(options, entrants, environment), entrants, environment };
  return await untilStopped(host, async (signal, progress) =>
    carryOut({ ...planned, label: planned.plan.preset }, { values, host, signal, progress }),
  );
}
