import { parseArgs } from "node:util";
import { ShowdownError } from "../errors.ts";
import type { AttackSettings } from "../plan/attack/parameters.ts";
import type { Settings } from "../plan/parameters.ts";
import type { ReadValue } from "../plan/value-type.ts";
import { suggest } from "../text/nearest.ts";
import { type CommandOption, optionsOf } from "./command-options.ts";
import type { OptionValues, ParsedOptions } from "./options.ts";

/**
 * Reads a command's arguments, and the environment for what they leave open. All problems are told at once.
 *
 * @throws {ShowdownError} `usage` naming each unknown option with the nearest known one, and each value that is not possible
 */
export function parseOptions(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
): ParsedOptions {
  const table = new Map(optionsOf(command).map((option) => [option.name, option]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      [...table].map(([name, { type }]) => [
        name,
        { type: type.placeholder === "" ? ("boolean" as const) : ("string" as const) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const problems: string[] = [];
  const given = new Map<CommandOption, unknown[]>();
  const positionals: string[] = [];
  const take = (option: CommandOption, read: ReadValue<unknown>, from: string) => {
    if ("expected" in read) problems.push(`${from}: expected ${read.expected}`);
    else given.set(option, [...(given.get(option) ?? []), read.value]);
  };
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = table.get(token.name);
    if (option === undefined) {
      problems.push(`unknown option "${token.rawName}"${suggest(token.name, [...table.keys()])}`);
    } else if (option.type.placeholder === "") {
      if (token.value === undefined) take(option, option.type.read("true"), "");
      else problems.push(`--${token.name} takes no value, got "${token.value}"`);
    } else if (token.value === undefined || (token.inlineValue !== true && token.value.startsWith("--"))) {
      problems.push(`--${token.name}: expected a value`);
    } else {
      take(option, option.type.read(token.value), `--${token.name} ${token.value}`.trimEnd());
    }
  }
  for (const option of table.values()) {
    const value = env[option.variable];
    if (value === undefined || given.has(option)) continue;
    take(option, option.type.read(value), `${option.variable}=${value} in the environment`);
  }
  if (problems.length > 0) {
    throw new ShowdownError("usage", problems.join("\n       "), {
      hint: `see "showdown ${command} --help"`,
    });
  }
  const settings: [string, unknown][] = [];
  const values: [string, unknown][] = [];
  for (const [{ name, parameter, several }, all] of given) {
    const value = several ? all : all.at(-1);
    if (parameter === null) values.push([name, value]);
    else settings.push([parameter, value]);
  }
  const set = Object.fromEntries(settings);
  return {
    settings: command === "attack" ? {} : (set as Settings),
    attack: command === "attack" ? (set as AttackSettings) : {},
    values: Object.fromEntries(values) as OptionValues,
    positionals,
  };
}
