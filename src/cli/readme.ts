import { join } from "node:path";
import { exitCodes } from "../errors.ts";
import { projectFolder } from "../machine/environment.ts";
import { type Command, commands } from "./commands.ts";
import { describeValue } from "./help.ts";
import { type Option, options } from "./options.ts";

const begin = "<!-- reference: written by src/cli/readme.ts -->";
const end = "<!-- end of reference -->";

/** README's reference of commands, options and exit codes, from the tables that the program itself uses. */
export function formatReference(): string {
  const rows = (cells: readonly string[][]) => cells.map((row) => `| ${row.map(escapePipes).join(" | ")} |`);
  const optionsOf = (command: string) =>
    Object.entries<Option>(options).filter(
      ([name, option]) => option.commands.includes(command) && name !== "help",
    );
  return [
    "| command | what it does |",
    "| --- | --- |",
    ...rows(
      Object.entries<Command>(commands).map(([name, { summary }]) => [`\`showdown ${name}\``, summary]),
    ),
    "",
    "Options of `run`:",
    "",
    "| option | what it does | without it |",
    "| --- | --- | --- |",
    ...rows(
      optionsOf("run").map(([name, option]) => [
        `\`--${name}${option.type === "flag" ? "" : ` ${describeValue(option)}`}\``,
        option.help,
        option.otherwise ?? (option.type === "flag" ? "" : "the preset's"),
      ]),
    ),
    "",
    "| exit code | meaning |",
    "| --- | --- |",
    ...rows(Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning])),
  ].join("\n");
}

/** The README with its reference brought up to date. */
export function updateReference(readme: string): string {
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`README.md: expected "${begin}" and behind it "${end}"`);
  return `${readme.slice(0, from + begin.length)}\n\n${formatReference()}\n\n${readme.slice(to)}`;
}

/** Cells are Markdown already; only a pipe would end one. */
function escapePipes(cell: string): string {
  return cell.replaceAll("|", "\\|");
}

if (import.meta.main) {
  const readme = Bun.file(join(projectFolder, "README.md"));
  await Bun.write(readme, updateReference(await readme.text()));
}
