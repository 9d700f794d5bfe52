import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { ShowdownError } from "../errors.ts";
import { importUserFile } from "../machine/user-file.ts";
import { nearest, suggest } from "../text/nearest.ts";
import { printable } from "../text/printable.ts";
import { type CommandOption, optionsOf } from "./command-options.ts";
import { commands } from "./commands.ts";
import { configOptions, type options } from "./options.ts";
import type { OptionSource } from "./parse-options.ts";

export type ConfigValue = string | number | boolean | readonly (string | number)[];
type CamelCase<Name extends string> = Name extends `${infer First}-${infer Rest}`
  ? `${First}${Capitalize<CamelCase<Rest>>}`
  : Name;
/** Options by their names in camel case: `--endurance-rate 5000` is `enduranceRate: 5000`. A command takes those that it has. */
export type ConfigOptions = {
  readonly [Name in CamelCase<Exclude<keyof typeof options, (typeof configOptions)[number]>>]?: ConfigValue;
} & { readonly [parameter: string]: ConfigValue | undefined };
/** What `showdown.config.ts` exports. */
export interface Config {
  readonly environments?: Readonly<Record<string, ConfigOptions>>;
  readonly [option: string]: ConfigValue | Readonly<Record<string, ConfigOptions>> | undefined;
}

/** Says nothing; lets an editor know what a configuration may hold. */
export function defineConfig(config: ConfigOptions | (ConfigOptions & Pick<Config, "environments">)): Config {
  return config as Config;
}

const fileNames = ["ts", "js", "json"].map((ending) => `showdown.config.${ending}`);

/**
 * The configuration that a command reads: `--config`, or the one in the folder it is called in. What an environment sets
 * comes before what holds for all.
 *
 * @throws {ShowdownError} `usage` for a file that isn't there or can't be read, and naming each unknown key and the nearest
 */
export async function loadConfig(
  { config, environment }: { readonly config?: string; readonly environment?: string },
  cwd: string,
): Promise<OptionSource[]> {
  const name = config ?? fileNames.find((file) => existsSync(resolve(cwd, file)));
  if (name === undefined) {
    if (environment === undefined) return [];
    throw new ShowdownError(
      "usage",
      `--environment ${printable(environment)}: there is no ${fileNames.join(", ")}`,
      {
        hint: "make one in this folder, or name it with --config FILE",
      },
    );
  }
  const path = resolve(cwd, name);
  if (!existsSync(path)) throw new ShowdownError("usage", `--config ${printable(name)}: there is no ${path}`);
  const file = relative(cwd, path);
  const whole = await importUserFile(path);
  if (!isRecord(whole)) {
    throw new ShowdownError("usage", `${file}: expected an object as its default export`, {
      hint: 'import { defineConfig } from "ws-showdown"; export default defineConfig({ connections: 2000 });',
    });
  }
  const { environments = {}, ...base } = whole;
  if (!isRecord(environments)) {
    throw new ShowdownError("usage", `${file}: environments: expected an object of objects`);
  }
  const problems = findProblems(base, file, "");
  for (const [one, values] of Object.entries(environments)) {
    if (isRecord(values)) problems.push(...findProblems(values, file, `environments.${one}.`));
    else problems.push(`${file}: environments.${one}: expected an object`);
  }
  if (problems.length > 0) throw new ShowdownError("usage", problems.join("\n       "));
  const sources = [sourceOf(base, file)];
  if (environment !== undefined) {
    const chosen = environments[environment];
    if (!Object.hasOwn(environments, environment) || !isRecord(chosen)) {
      const names = Object.keys(environments);
      throw new ShowdownError(
        "usage",
        `--environment ${printable(environment)}: ${file} has none of that name${suggest(environment, names)}`,
        { hint: `it has ${names.join(", ") || "no environments"}` },
      );
    }
    sources.unshift(sourceOf(chosen, `${file}, environment ${environment}`));
  }
  return sources;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function keyOf(option: string): string {
  return option.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Every option of every command may stand in the file, but for those that choose it. */
function findProblems(values: Record<string, unknown>, file: string, prefix: string): string[] {
  const own: readonly string[] = configOptions;
  const names = Object.keys(commands).flatMap((command) => optionsOf(command).map(({ name }) => name));
  const keys = [...new Set(names)].filter((name) => !own.includes(name)).map(keyOf);
  return Object.entries(values).flatMap(([key, value]) => {
    const at = `${file}: ${prefix}${printable(key)}`;
    if (!keys.includes(key)) {
      const known = prefix === "" ? [...keys, "environments"] : keys;
      // What was written as on the command line is one of these too.
      const meant = known.includes(keyOf(key)) ? keyOf(key) : nearest(key, known);
      return [`${at}: unknown key${meant === null ? "" : `, did you mean "${meant}"?`}`];
    }
    const all = Array.isArray(value) ? value : [value];
    const isPossible = all.every((one) => ["string", "number", "boolean", "undefined"].includes(typeof one));
    return isPossible ? [] : [`${at}: expected text, a number, true, false or a list of these`];
  });
}

function sourceOf(values: Record<string, unknown>, name: string): OptionSource {
  return {
    find: ({ name: option, several }: CommandOption) => {
      const key = keyOf(option);
      const value = Object.hasOwn(values, key) ? values[key] : undefined;
      if (value === undefined) return [];
      const all = (Array.isArray(value) ? value : [value]).map(String);
      // A list that one option takes, such as --phases, is written between commas there.
      const texts = several ? all : [all.join(",")];
      return texts.map((text) => ({ text, from: name, at: `${name}: ${key}: ${printable(text)}` }));
    },
  };
}
