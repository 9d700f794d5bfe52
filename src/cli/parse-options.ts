import { parseArgs } from "node:util";
import { ShowdownError } from "../errors.ts";
import type { AttackSettings } from "../plan/attack/parameters.ts";
import type { NeedsSettings } from "../plan/needs/parameters.ts";
import type { Settings } from "../plan/parameters.ts";
import type { ReadValue } from "../plan/value-type.ts";
import { suggest } from "../text/nearest.ts";
import { type CommandOption, optionsOf } from "./command-options.ts";
import type { OptionValues, ParsedOptions } from "./options.ts";

/** What sets options beside the command line. */
export interface OptionSource {
  /**
   * What it says of an option, as it would be typed, `from` where, and how a problem `at` it is told; nothing where it is
   * silent.
   */
  find(
    option: CommandOption,
  ): readonly { readonly text: string; readonly from: string; readonly at: string }[];
}

/** By the option's name: what was given, and where. */
export type Origins = ReadonlyMap<string, { readonly texts: readonly string[]; readonly from: string }>;

/** The environment's variables, as an earlier choice than a file's. */
function environmentSource(env: Readonly<Record<string, string | undefined>>): OptionSource {
  return {
    find: ({ variable }) => {
      const text = env[variable];
      return text === undefined
        ? []
        : [{ text, from: variable, at: `${variable}=${text} in the environment` }];
    },
  };
}

/**
 * Reads a command's arguments, the environment for what they leave open, and `sources` for what both leave open. All
 * problems are told at once.
 *
 * @throws {ShowdownError} `usage` naming each unknown option with the nearest known one, and each value that is not possible
 */
export function readOptions(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  sources: readonly OptionSource[] = [],
): ParsedOptions & { readonly origins: Origins } {
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
  const origins = new Map<string, { texts: readonly string[]; from: string }>();
  const take = (option: CommandOption, text: string, at: string, from = "command line") => {
    const read: ReadValue<unknown> = option.type.read(text);
    if ("expected" in read) {
      problems.push(`${at}: expected ${read.expected}`);
      return;
    }
    given.set(option, [...(given.get(option) ?? []), read.value]);
    const before = option.several ? (origins.get(option.name)?.texts ?? []) : [];
    origins.set(option.name, { texts: [...before, text], from });
  };
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = table.get(token.name);
    if (option === undefined) {
      problems.push(`unknown option "${token.rawName}"${suggest(token.name, [...table.keys()])}`);
    } else if (option.type.placeholder === "") {
      if (token.value === undefined) take(option, "true", "");
      else problems.push(`--${token.name} takes no value, got "${token.value}"`);
    } else if (token.value === undefined || (token.inlineValue !== true && token.value.startsWith("--"))) {
      problems.push(`--${token.name}: expected a value`);
    } else {
      take(option, token.value, `--${token.name} ${token.value}`.trimEnd());
    }
  }
  for (const option of table.values()) {
    if (given.has(option)) continue;
    const said = [environmentSource(env), ...sources].map((source) => source.find(option));
    for (const { text, at, from } of said.find(({ length }) => length > 0) ?? [])
      take(option, text, at, from);
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
    settings: command === "attack" || command === "plan" ? {} : (set as Settings),
    attack: command === "attack" ? (set as AttackSettings) : {},
    needs: command === "plan" ? (set as NeedsSettings) : {},
    values: Object.fromEntries(values) as OptionValues,
    positionals,
    origins,
  };
}

/** As `readOptions`, where it does not matter what comes from where. */
export function parseOptions(...given: Parameters<typeof readOptions>): ParsedOptions {
  const { origins: _, ...parsed } = readOptions(...given);
  return parsed;
}
