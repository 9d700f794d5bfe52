import { exitCodes, isShowdownError, ShowdownError } from "../errors.ts";
import { readToolVersion } from "../machine/environment.ts";
import { suggest } from "../text/nearest.ts";
import { optionsOf } from "./command-options.ts";
import { type Command, commands } from "./commands.ts";
import { loadConfig } from "./config.ts";
import { formatHelp } from "./help.ts";
import { createHost, formatError, type Host } from "./host.ts";
import { parseOptions, readOptions } from "./parse-options.ts";
import { formatConfig, listConfig } from "./print-config.ts";

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
  // Twice, since what the command line says decides which file is read: its problems are told first.
  const { config, environment } = parseOptions(name, args, host.env).values;
  const chosen = { ...(config && { config }), ...(environment && { environment }) };
  const isConfigured = optionsOf(name).some((option) => option.name === "config");
  const sources = isConfigured ? await loadConfig(chosen, host.cwd) : [];
  const { origins, ...parsed } = readOptions(name, args, host.env, sources);
  if (parsed.values["print-config"]) {
    const rows = listConfig(name, origins, parsed.values.preset ?? "quick");
    host.out(parsed.values.json ? `${JSON.stringify(rows)}\n` : formatConfig(rows));
    return exitCodes.ok.code;
  }
  return await command.execute(parsed, host);
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
