import { exitCodes } from "../errors.ts";
import { type CommandOption, optionsOf } from "./command-options.ts";
import { type Command, commands } from "./commands.ts";

/** The manual page showdown(1), in man(7)'s macros, from the tables of commands, options and exit codes. */
export function formatManPage(tool: string): string {
  const all = Object.entries<Command>(commands);
  return [
    `.TH SHOWDOWN 1 "" "${troff(tool)}"`,
    ".SH NAME",
    "showdown, ws\\-showdown \\- compare WebSocket servers by audited load",
    ".SH SYNOPSIS",
    ...all.flatMap(([name, { usage }], index) => [
      ...(index === 0 ? [] : [".br"]),
      `.B showdown ${troff(name)}`,
      troff(usage),
    ]),
    ".SH DESCRIPTION",
    "Starts WebSocket servers under identical conditions, loads each with the same audited traffic, and says with evidence which one wins for what.",
    ".SH COMMANDS",
    ...all.flatMap(([name, { summary, usage, examples }]) => [
      `.SS showdown ${troff(`${name} ${usage}`.trimEnd())}`,
      `${troff(`${summary[0]?.toUpperCase()}${summary.slice(1)}`)}.`,
      ...optionsOf(name).flatMap(optionLines),
      ".PP",
      ".nf",
      ...examples.map((example) => `    ${troff(example)}`),
      ".fi",
    ]),
    ".SH ENVIRONMENT",
    "Each option has a variable: SHOWDOWN_RESULTS=DIR is \\-\\-results DIR, SHOWDOWN_JSON=1 is \\-\\-json. The command line wins over the environment, and the environment over the file.",
    ".SH FILES",
    ".TP",
    "showdown.config.ts, showdown.config.js, showdown.config.json",
    "The configuration, in the folder that a command is called in.",
    ".TP",
    "$XDG_CACHE_HOME/ws\\-showdown, ~/.cache/ws\\-showdown",
    "What was built, and what the machine was found to be able to do.",
    ".SH EXIT STATUS",
    ...Object.values(exitCodes).flatMap(({ code, meaning }) => [".TP", `${code}`, troff(meaning)]),
    "",
  ].join("\n");
}

function optionLines({ name, placeholder, help, otherwise }: CommandOption): string[] {
  const value = placeholder === "" ? "" : ` \\fI${troff(placeholder)}\\fR`;
  return [
    ".TP",
    `\\fB\\-\\-${troff(name)}\\fR${value}`,
    troff(otherwise === "" ? help : `${help} (${otherwise})`),
  ];
}

/** A dash is a minus to be copied, and neither a backslash nor what begins a line is a request. */
function troff(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^[.']/, "\\&$&");
}
