import { exitCodes, isShowdownError, ShowdownError } from "../errors.ts";
import { readToolVersion } from "../machine/environment.ts";
import { suggest } from "../text/nearest.ts";
import { type Command, commands } from "./commands.ts";
import { formatHelp } from "./help.ts";
import { createHost, formatError, type Host } from "./host.ts";
import { parseOptions } from "./parse-options.ts";

async function main(host: Host): Promise<number> {
  const [name, ...args] = host.args;
  if (name === "--version") {
    host.out(`${readToolVersion()}\n`);
    return exitCodes.ok.code;
  }
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    const [about = ""] = args;
    host.out(formatHelp(Object.hasOwn(commands, about) ? about : null));
    return exitCodes.ok.code;
  }
  const command: Command | undefined = Object.entries<Command>(commands).find(
    ([known]) => known === name,
  )?.[1];
  if (command === undefined) {
    throw new ShowdownError("usage", `unknown command "${name}"${suggest(name, Object.keys(commands))}`, {
      hint: `expected one of ${Object.keys(commands).join(", ")}`,
    });
  }
  if (args.includes("--help") || args.includes("-h")) {
    host.out(formatHelp(name));
    return exitCodes.ok.code;
  }
  return await command.execute(parseOptions(name, args, host.env), host);
}

/** The program from its arguments to its exit code, which ends the process. */
export async function runProgram(): Promise<never> {
  const { host, finish } = createHost();
  let exitCode: number;
  try {
    exitCode = await main(host);
  } catch (error) {
    host.err(formatError(error));
    exitCode = isShowdownError(error) ? error.exitCode : exitCodes.unexpected.code;
  }
  return await finish(exitCode);
}
