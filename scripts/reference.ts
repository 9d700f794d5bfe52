/** Writes docs/options.md from the tables that the program itself uses: `bun scripts/reference.ts` */
import { join } from "node:path";
import { type CommandOption, describeValue, optionsOf } from "../src/cli/command-options.ts";
import { type Command, commands } from "../src/cli/commands.ts";
import { options } from "../src/cli/options.ts";
import { exitCodes } from "../src/errors.ts";
import { projectFolder } from "../src/machine/installation.ts";
import { type ParameterName, presetNames } from "../src/plan/parameters.ts";

export const referencePath = join(projectFolder, "docs", "options.md");

/** Commands, the plan's parameters with their values in every preset, other options and exit codes. */
export function formatReference(): string {
  const parameters = optionsOf("run").flatMap((option) =>
    option.parameter === null ? [] : [{ ...option, parameter: option.parameter }],
  );
  const others = new Map(
    Object.keys(commands).flatMap((command) =>
      optionsOf(command).flatMap((option) => (option.parameter === null ? [[option.name, option]] : [])),
    ) as [string, CommandOption][],
  );
  return [
    "# Commands and options",
    "",
    "Written by `bun scripts/reference.ts` from the tables that the program uses.",
    "",
    ...table(
      ["command", "what it does"],
      Object.entries<Command>(commands).map(([name, { summary }]) => [`\`showdown ${name}\``, summary]),
    ),
    "",
    "The environment sets options too: `SHOWDOWN_ENDURANCE_RATE=5000` is `--endurance-rate 5000`, `SHOWDOWN_JSON=1` is `--json`. The command line wins over the environment, that over a configuration file ([install.md](install.md#configuration)), and that over the preset.",
    "",
    "## The plan",
    "",
    "`run`, `doctor` and `calibrate` take all of these, `verify` takes `--ready-seconds`. `--preset` chooses the column to start from.",
    "",
    ...table(
      ["option", "what it decides", ...presetNames],
      parameters.map(({ name, placeholder, help, parameter }) => [
        optionCell(name, placeholder),
        help,
        ...presetNames.map((preset) => describeValue(parameter as ParameterName, preset)),
      ]),
    ),
    "",
    "## The plan of an attack",
    "",
    "`attack` takes these.",
    "",
    ...table(
      ["option", "what it decides", "without it"],
      optionsOf("attack").flatMap(({ parameter, name, placeholder, help, otherwise }) =>
        parameter === null ? [] : [[optionCell(name, placeholder), help, otherwise]],
      ),
    ),
    "",
    "## The machines of an attack",
    "",
    "`plan` takes these.",
    "",
    ...table(
      ["option", "what it is planned by", "without it"],
      optionsOf("plan").flatMap(({ parameter, name, placeholder, help, otherwise }) =>
        parameter === null ? [] : [[optionCell(name, placeholder), help, otherwise]],
      ),
    ),
    "",
    "## Other options",
    "",
    ...table(
      ["option", "what it does", "without it", "commands"],
      [...others.values()].map(({ name, placeholder, help, otherwise }) => [
        optionCell(name, placeholder),
        help,
        otherwise,
        options[name as keyof typeof options].commands.join(", "),
      ]),
    ),
    "",
    "## Exit codes",
    "",
    ...table(
      ["code", "meaning"],
      Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning]),
    ),
    "",
  ].join("\n");
}

function optionCell(name: string, placeholder: string): string {
  return `\`--${name}${placeholder === "" ? "" : ` ${placeholder}`}\``;
}

/** Cells are Markdown already; only a pipe would end one. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [header, header.map(() => "---"), ...rows].map(
    (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`,
  );
}

if (import.meta.main) await Bun.write(referencePath, formatReference());
