import { exitCodes } from "../errors.ts";
import { commands } from "./commands.ts";
import { type Option, options } from "./options.ts";

/** What stands behind an option's name: `N`, `DIR`, or its choices. */
export function describeValue(option: Option): string {
  switch (option.type) {
    case "flag":
      return "";
    case "choice":
      return option.choices.join("|");
    case "text":
    case "count":
      return option.value;
  }
}

/** The help of one command, or of the program when `command` is null. */
export function formatHelp(command: string | null): string {
  if (command === null) {
    return [
      "The fair WebSocket showdown: every delivery audited, the generator proven innocent.",
      "",
      "Usage: showdown COMMAND [OPTION…]",
      "",
      "Commands",
      ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`),
      "",
      'See "showdown COMMAND --help" for the options of a command.',
      "",
      ...exitCodeLines(),
      "",
    ].join("\n");
  }
  const { summary, usage, examples } = commands[command as keyof typeof commands];
  const rows = Object.entries<Option>(options)
    .filter(([, option]) => option.commands.includes(command))
    .map(([name, option]): [string, string] => [
      `--${name} ${describeValue(option)}`.trimEnd(),
      option.otherwise === undefined ? option.help : `${option.help} (${option.otherwise})`,
    ]);
  const width = Math.min(30, Math.max(...rows.map(([left]) => left.length)));
  return [
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    "",
    `Usage: showdown ${command} ${usage}`.trimEnd(),
    "",
    "Options",
    ...rows.flatMap(([left, right]) =>
      left.length > width
        ? [`  ${left}`, `  ${" ".repeat(width)}  ${right}`]
        : [`  ${left.padEnd(width)}  ${right}`],
    ),
    "",
    "Examples",
    ...examples.map((example) => `  ${example}`),
    "",
    ...exitCodeLines(),
    "",
  ].join("\n");
}

function exitCodeLines(): string[] {
  return [
    "Exit codes",
    ...Object.values(exitCodes).map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`),
  ];
}
