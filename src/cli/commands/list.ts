import { discoverContenders } from "../../contenders/discover.ts";
import { formatEntrant, listEntrants } from "../../contenders/entrants.ts";
import { exitCodes } from "../../errors.ts";
import { printable } from "../../text/printable.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { contenderFolders } from "../paths.ts";

/** `showdown list`: every contender in every variant, by the names `run` takes. */
export async function list({ values }: ParsedOptions, host: Host): Promise<number> {
  const entrants = listEntrants(await discoverContenders(contenderFolders(values, host)));
  if (values.json) {
    host.out(`${JSON.stringify(entrants)}\n`);
    return exitCodes.ok.code;
  }
  if (entrants.length === 0) {
    host.err("There are none: the executable comes without any. --contenders DIR names a folder of yours.\n");
  }
  for (const entrant of entrants) {
    host.out(
      `${formatEntrant(entrant).padEnd(26)} ${entrant.approach.padEnd(10)} ${printable(entrant.title, { most: 80 })}\n`,
    );
  }
  return exitCodes.ok.code;
}
