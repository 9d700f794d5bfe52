import { exitCodes } from "../../errors.ts";
import { createProgress } from "../../views/watch/terminal/progress.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { findEntrants, prepare } from "../prepare.ts";
import { untilStopped } from "../signals.ts";

/** `showdown build`: what `run` does before anything is started. */
export async function build({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const progress = createProgress({
    write: host.err,
    columns: host.columns,
    isTty: host.errIsTty,
    color: host.errIsTty && !host.env.NO_COLOR,
  });
  try {
    return await untilStopped(host, async (signal) => {
      const entrants = await findEntrants(positionals, values, host);
      const { buildFailed } = await prepare(entrants, values, host, signal, progress.onEvent);
      return buildFailed ? exitCodes.build.code : exitCodes.ok.code;
    });
  } finally {
    progress.end();
  }
}
