import { exitCodes, ShowdownError } from "../../errors.ts";
import { suggest } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import { formatCompletions, shells } from "../completions.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";

/** `showdown completions SHELL`: what that shell has to read. Returns the exit code. */
export async function completions({ positionals }: ParsedOptions, host: Host): Promise<number> {
  const [name = "", ...others] = positionals;
  const shell = shells.find((known) => known === name);
  if (shell === undefined || others.length > 0) {
    const given = positionals.length === 0 ? "nothing" : printable(positionals.join(" "));
    throw new ShowdownError(
      "usage",
      `expected one of ${shells.join(", ")}, got ${given}${suggest(name, shells)}`,
      {
        hint: 'eval "$(showdown completions bash)"',
      },
    );
  }
  host.out(formatCompletions(shell));
  return exitCodes.ok.code;
}
