import { ShowdownError } from "../../errors.ts";
import { suggest } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import type { Adapter, AdapterOptions, Client, Session } from "./adapter.ts";
import { type BodyTemplate, parseBody } from "./body.ts";
import { fill, fillStrings } from "./fill.ts";
import { parseJson, parsePointer } from "./json.ts";

/** One `--adapter-option`: what it is, and how its text is read. */
export interface AdapterOption<T> {
  readonly help: string;
  /** As it would be typed; empty where nothing is said. */
  readonly default: string;
  /** What a value must be, for the error that says that it isn't. */
  readonly expected: string;
  /** Undefined where it is none of that. */
  read(text: string): T | undefined;
}

type OptionTable = Readonly<Record<string, AdapterOption<unknown>>>;
type Values<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends AdapterOption<infer T> ? T : never;
};

/** An adapter of this project: its options are a table, from which its documentation is tested. */
export interface BuiltInAdapter extends Adapter {
  readonly options: OptionTable;
  configure(options: AdapterOptions): Adapter;
}

type Configured = Omit<Adapter, "name" | "configure" | "createSession"> & {
  createSession(client: Client): Session;
};

export function defineAdapter<Table extends OptionTable>(
  name: string,
  options: Table,
  configureBy: (values: Values<Table>) => Configured,
): BuiltInAdapter {
  const configure = (typed: AdapterOptions): Adapter => ({
    name,
    ...configureBy(readOptions(name, options, typed)),
  });
  return {
    ...configure({}),
    options,
    configure,
    createSession: (client, typed) => configure(typed).createSession(client, typed),
  };
}

function readOptions<Table extends OptionTable>(
  adapter: string,
  table: Table,
  typed: AdapterOptions,
): Values<Table> {
  for (const name of Object.keys(typed)) {
    if (Object.hasOwn(table, name)) continue;
    throw new ShowdownError(
      "usage",
      `adapter ${adapter} has no option "${printable(name, { most: 60 })}"${suggest(name, Object.keys(table))}`,
      { hint: `its options are ${Object.keys(table).join(", ")}` },
    );
  }
  const values = Object.entries(table).map(([name, option]) => {
    const text = typed[name] ?? option.default;
    const value = option.read(text);
    if (value === undefined) {
      throw new ShowdownError(
        "usage",
        `adapter ${adapter}: option ${name}=${printable(text, { most: 80 })}: expected ${option.expected}`,
      );
    }
    return [name, value];
  });
  return Object.fromEntries(values) as Values<Table>;
}

/** Text of the user's in which `{{room}}`, `{{connection}}` and columns of `--data` are filled in. */
export type Template = (client: Client) => string;
/** Likewise, within the strings of a JSON value. */
export type JsonTemplate = (client: Client) => unknown;

/** Empty is allowed, and says nothing. */
export function text(preset: string, help: string): AdapterOption<string> {
  return { help, default: preset, expected: "text", read: (typed) => typed };
}

export function name(preset: string, help: string): AdapterOption<string> {
  return { help, default: preset, expected: "a name", read: (typed) => typed || undefined };
}

export function template(preset: string, help: string): AdapterOption<Template> {
  return { help, default: preset, expected: "text", read: (typed) => (client) => fill(typed, client) };
}

/** Null where it is empty. */
export function json(preset: string, help: string): AdapterOption<JsonTemplate | null> {
  const read = (typed: string) => {
    if (typed === "") return null;
    const value = parseJson(typed);
    return value === undefined ? undefined : (client: Client) => fillStrings(value, client);
  };
  return { help, default: preset, expected: "JSON", read };
}

/** @param isRequired whether it must have a place for the message */
export function body(preset: string, help: string, isRequired = true): AdapterOption<BodyTemplate> {
  return {
    help,
    default: preset,
    expected: `JSON with {{message}}${isRequired ? "" : " at most"} once`,
    read(typed) {
      const parsed = parseBody(typed);
      return parsed === null || (isRequired && !parsed.hasMessage) ? undefined : parsed;
    },
  };
}

export function pointer(preset: string, help: string): AdapterOption<readonly string[]> {
  return { help, default: preset, expected: "a JSON pointer, such as /message/text", read: parsePointer };
}

export function flag(preset: boolean, help: string): AdapterOption<boolean> {
  const read = (typed: string) => (typed === "yes" ? true : typed === "no" ? false : undefined);
  return { help, default: preset ? "yes" : "no", expected: "yes or no", read };
}

export function choice<const Value extends string>(
  values: readonly Value[],
  preset: NoInfer<Value>,
  help: string,
): AdapterOption<Value> {
  return {
    help,
    default: preset,
    expected: `one of ${values.join(", ")}`,
    read: (typed) => values.find((value) => value === typed),
  };
}

export function seconds(preset: number, least: number, most: number, help: string): AdapterOption<number> {
  return {
    help,
    default: String(preset),
    expected: `seconds, a whole number from ${least} to ${most}`,
    read(typed) {
      const value = Number(typed);
      return /^\d+$/.test(typed) && value >= least && value <= most ? value : undefined;
    },
  };
}

const deliveries = ["nobody", "sender", "room", "others-in-room"] as const;

export function delivery(preset: (typeof deliveries)[number]) {
  return choice(deliveries, preset, "who is given what was published");
}
