import { exitCodes, ShowdownError, UsageError } from "../errors.ts";
import { suggest } from "../text/nearest.ts";
import { type Command, commands } from "./commands.ts";
import { formatHelp } from "./help.ts";
import { createHost, type Host } from "./host.ts";
import { parseOptions } from "./options.ts";

async function main(host: Host): Promise<number> {
  const [name, ...args] = host.args;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    host.out(formatHelp(null));
    return exitCodes.ok.code;
  }
  const command: Command | undefined = Object.entries<Command>(commands).find(
    ([known]) => known === name,
  )?.[1];
  if (command === undefined) {
    throw new UsageError(`unknown command "${name}"${suggest(name, Object.keys(commands))}`, {
      hint: `expected one of ${Object.keys(commands).join(", ")}`,
    });
  }
  if (args.includes("--help") || args.includes("-h")) {
    host.out(formatHelp(name));
    return exitCodes.ok.code;
  }
  return await command.execute(parseOptions(name, args), host);
}

const host = createHost();
try {
  process.exitCode = await main(host);
} catch (error) {
  if (error instanceof ShowdownError) {
    host.err(`error: ${error.message}\n`);
    if (error.hint !== undefined) host.err(`  hint: ${error.hint}\n`);
    process.exitCode = error.exitCode;
  } else {
    host.err(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    host.err("  hint: this is a fault of the program itself; please report it with the lines above\n");
    process.exitCode = exitCodes.unexpected.code;
  }
}
// Whatever is still open (a timer, a pipe) must not keep the program alive.
process.exit();
