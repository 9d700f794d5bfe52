import type { ParameterName, Preset } from "../plan/parameters.ts";
import { describeValue, optionsOf, showValue } from "./command-options.ts";
import { configOptions, planned } from "./options.ts";
import type { Origins } from "./parse-options.ts";

/** Every option of a command, its value and where that comes from: `--print-config`. */
export function listConfig(
  command: string,
  origins: Origins,
  preset: Preset,
): { readonly option: string; readonly value: string; readonly from: string }[] {
  const own: readonly string[] = configOptions;
  return optionsOf(command).flatMap(({ name, parameter, otherwise }) => {
    if (own.includes(name)) return [];
    const given = origins.get(name);
    if (given !== undefined) {
      const value = given.texts.map((text) => showValue(name, text)).join(", ");
      return [{ option: name, value, from: given.from }];
    }
    // Of the commands that plan a run; others take a parameter as one of their options.
    if (parameter !== null && planned.includes(command)) {
      const value = describeValue(parameter as ParameterName, preset);
      return value === "" ? [] : [{ option: name, value, from: `preset ${preset}` }];
    }
    return otherwise === "" ? [] : [{ option: name, value: otherwise, from: "default" }];
  });
}

export function formatConfig(rows: ReturnType<typeof listConfig>): string {
  const widthOf = (column: "option" | "value") => Math.max(0, ...rows.map((row) => row[column].length));
  const [option, value] = [widthOf("option"), widthOf("value")];
  return rows
    .map((row) => `${row.option.padEnd(option)}  ${row.value.padEnd(value)}  ${row.from}\n`)
    .join("");
}
