import { exitCodes } from "../errors.ts";
import { type CommandOption, optionsOf } from "./command-options.ts";
import { type Command, commands } from "./commands.ts";

const columns = 100;
const leftWidth = 28;
const planTitles: Readonly<Record<string, string>> = {
  attack: "Plan (in brackets: what holds without)",
  plan: "What is planned by (in brackets: what holds without)",
};

/** The help of one command, or of the program when `command` is null. */
export function formatHelp(command: string | null): string {
  if (command === null) {
    const table = Object.entries<Command>(commands);
    return lines([
      "The fair WebSocket showdown: every delivery audited, every figure checked.",
      "",
      "Usage: showdown COMMAND [OPTION…]",
      "",
      "Commands",
      ...table.flatMap(([name, { summary }]) => row(name, summary, 10)),
      "",
      '"showdown COMMAND --help" shows the options of a command, "showdown --version" the version.',
      "",
      ...exitCodeRows(),
    ]);
  }
  const { summary, usage, examples }: Command = commands[command as keyof typeof commands];
  const all = optionsOf(command);
  const parameters = all.filter(({ parameter }) => parameter !== null);
  const others = all.filter(({ parameter }) => parameter === null);
  return lines([
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    "",
    `Usage: showdown ${command} ${usage}`.trimEnd(),
    "",
    "Options",
    ...others.flatMap(optionRow),
    ...row("--help", "show this", leftWidth),
    ...(parameters.length === 0
      ? []
      : ["", planTitles[command] ?? "Plan (in brackets: its value in preset quick)"]),
    ...parameters.flatMap(optionRow),
    "",
    ...wrap(
      "The environment sets options too: SHOWDOWN_RESULTS=DIR is --results DIR, SHOWDOWN_JSON=1 is --json. The command line wins.",
      columns,
    ),
    "",
    "Examples",
    ...examples.map((example) => `  ${example}`),
    "",
    ...exitCodeRows(),
  ]);
}

function optionRow({ name, placeholder, help, otherwise }: CommandOption): string[] {
  const text = otherwise === "" ? help : `${help} (${otherwise})`;
  return row(`--${name} ${placeholder}`.trimEnd(), text, leftWidth);
}

function exitCodeRows(): string[] {
  return [
    "Exit codes",
    ...Object.values(exitCodes).flatMap(({ code, meaning }) => row(String(code).padStart(3), meaning, 3)),
  ];
}

/** Two columns; a left cell too long for its column has a line of its own. */
function row(left: string, right: string, width: number): string[] {
  const indent = " ".repeat(width + 4);
  const [first = "", ...rest] = wrap(right, columns - indent.length);
  const head =
    left.length > width ? [`  ${left}`, `${indent}${first}`] : [`  ${left.padEnd(width)}  ${first}`];
  return [...head, ...rest.map((line) => `${indent}${line}`)];
}

function wrap(text: string, width: number): string[] {
  return Bun.wrapAnsi(text, width).split("\n");
}

function lines(all: readonly string[]): string {
  return `${all.join("\n")}\n`;
}
