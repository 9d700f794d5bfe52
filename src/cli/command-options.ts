import { attackParameters } from "../plan/attack/parameters.ts";
import { needsParameters } from "../plan/needs/parameters.ts";
import { type Parameter, type ParameterName, type Preset, parameters } from "../plan/parameters.ts";
import { presets } from "../plan/presets.ts";
import type { ValueType } from "../plan/value-type.ts";
import { hideSecretOptions, hideSecrets } from "../text/secrets.ts";
import type { Host } from "./host.ts";
import { type Option, options, planned, shared } from "./options.ts";

/** One option of a command, whether it sets a parameter of the plan or not. */
export interface CommandOption {
  /** Without its dashes. */
  readonly name: string;
  readonly variable: string;
  /** The parameter it sets, of the command's plan; null for one that is no parameter. */
  readonly parameter: string | null;
  readonly type: ValueType<unknown>;
  readonly placeholder: string;
  readonly help: string;
  readonly otherwise: string;
  readonly several: boolean;
}

/** What a command takes: the parameters of the plan where it makes one, and then its own options. */
export function optionsOf(command: string): readonly CommandOption[] {
  const settings = parametersOf(command);
  const others = Object.entries<Option<unknown>>(options).filter(([, option]) =>
    option.commands.includes(command),
  );
  return [
    ...others.filter(([name]) => name === "preset").map(describeOption),
    ...settings.map(([name, entry]) => describeParameter(name, entry, usualOf(command, name, entry))),
    ...others.filter(([name]) => name !== "preset").map(describeOption),
  ];
}

/** Commands whose plan is of another kind than a run's. */
const ownTables: Readonly<Record<string, Readonly<Record<string, Parameter<unknown>>>>> = {
  attack: attackParameters,
  plan: needsParameters,
};

function parametersOf(command: string): readonly (readonly [string, Parameter<unknown>])[] {
  const own = ownTables[command];
  if (own !== undefined) return Object.entries(own);
  return Object.entries<Parameter<unknown>>(parameters).filter(
    ([name]) => planned.includes(command) || shared[name as ParameterName]?.includes(command),
  );
}

/** What holds without the option, in words. */
function usualOf(command: string, name: string, entry: Parameter<unknown>): string {
  return command in ownTables
    ? writeValue(entry, entry.default)
    : describeValue(name as ParameterName, "quick");
}

function describeOption([name, option]: readonly [string, Option<unknown>]): CommandOption {
  const { type, help, otherwise = "", several = false } = option;
  const { placeholder } = type;
  return { name, variable: variableOf(name), parameter: null, type, placeholder, help, otherwise, several };
}

function describeParameter(name: string, entry: Parameter<unknown>, usual: string): CommandOption {
  const { option, type, kinds = [], workloads = [] } = entry;
  // Who uses a parameter is said where few do.
  const users = [...(kinds.length > 2 ? [] : kinds), ...workloads];
  const listed = type.names === undefined ? "" : `; any of ${type.names.join(", ")}`;
  return {
    name: option,
    variable: variableOf(option),
    parameter: name,
    type: entry.default === null ? orAuto(type) : type,
    placeholder: entry.default === null ? `auto|${type.placeholder}` : type.placeholder,
    help: `${users.length === 0 ? "" : `${users.join(", ")}: `}${entry.help}${listed}`,
    otherwise: usual,
    several: false,
  };
}

/** A parameter's value in a preset, in words; empty for a flag that is not set. */
export function describeValue(name: ParameterName, preset: Preset): string {
  return writeValue(parameters[name], presets[preset][name]);
}

function writeValue({ type, otherwise = "" }: Parameter<unknown>, value: unknown): string {
  if (type.placeholder === "") return "";
  return value === null ? otherwise : type.write(value);
}

/** `auto` leaves to the machine what the environment would decide. */
function orAuto(type: ValueType<unknown>): ValueType<unknown> {
  return type.placeholder === ""
    ? type
    : { ...type, read: (text) => (text === "auto" ? { value: null } : type.read(text)) };
}

/** `endurance-rate` is set by `SHOWDOWN_ENDURANCE_RATE` too. */
function variableOf(option: string): string {
  return `SHOWDOWN_${option.toUpperCase().replaceAll("-", "_")}`;
}

/** What was typed, with the options that the environment set before it, and without secrets. */
export function commandLine({ args, env }: Pick<Host, "args" | "env">): string[] {
  const [command = ""] = args;
  const set = optionsOf(command).flatMap(({ variable }) =>
    env[variable] === undefined ? [] : [`${variable}=${env[variable]}`],
  );
  return withoutSecrets([...set, "showdown", ...args]);
}

const secretOptions = /^(--(?:header|cookie)|SHOWDOWN_(?:HEADER|COOKIE))(?:(=).*)?$/s;

const adapterOption = /^(--adapter-option|SHOWDOWN_ADAPTER_OPTION)=/;

/** Values of headers and cookies are not written down, nor those of secrets in URLs. */
function withoutSecrets(words: readonly string[]): string[] {
  return words.map((word, at) => {
    const [, option, isInline] = secretOptions.exec(word) ?? [];
    if (option !== undefined) return isInline === undefined ? word : `${option}=…`;
    if (/^--(?:header|cookie)$/.test(words[at - 1] ?? "")) return "…";
    if (words[at - 1] === "--adapter-option" || adapterOption.test(word)) return hideOption(word);
    return word.includes("://") ? hideSecrets(word) : word;
  });
}

/** A value that an option was given, as others may read it. */
export function showValue(option: string, text: string): string {
  if (option === "header" || option === "cookie") return text.replace(/([:=]\s*).*$/s, "$1…");
  return option === "adapter-option" ? hideOption(text) : hideSecrets(text);
}

function hideOption(text: string): string {
  const [, start = "", name = "", value = ""] =
    /^(--adapter-option=|SHOWDOWN_ADAPTER_OPTION=)?([^=]+)=(.*)$/s.exec(text) ?? [];
  return name === "" ? text : `${start}${name}=${hideSecretOptions({ [name]: value })[name]}`;
}
