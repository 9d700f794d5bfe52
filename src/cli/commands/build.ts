import { exitCodes } from "../../errors.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { findEntrants, prepare } from "../prepare.ts";
import { untilStopped } from "../signals.ts";

/** `showdown build`: what `run` does before anything is started. */
export async function build({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  return await untilStopped(host, async (signal, progress) => {
    const entrants = await findEntrants(positionals, values, host);
    const { buildFailed } = await prepare(entrants, values, host, signal, progress.onEvent);
    return buildFailed ? exitCodes.build.code : exitCodes.ok.code;
  });
}
