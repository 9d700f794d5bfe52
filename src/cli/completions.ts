import { type CommandOption, optionsOf } from "./command-options.ts";
import { type Command, commands } from "./commands.ts";

export const shells = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof shells)[number];

/** Both names that npm puts on PATH. */
const programs = ["showdown", "ws-showdown"] as const;
/** Prints the contenders' names. Variants have a colon, at which shells break words. */
const contenders = "showdown list 2>/dev/null | cut -d ' ' -f 1 | grep -v :";

interface Completed {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CommandOption[];
  readonly takesContenders: boolean;
}

/** The script that a shell reads, made from the tables of commands and options. */
export function formatCompletions(shell: Shell): string {
  const all = Object.entries<Command>(commands).map(([name, { summary, usage }]) => ({
    name,
    summary,
    options: optionsOf(name),
    takesContenders: usage.startsWith("[CONTENDER"),
  }));
  return `${{ bash, zsh, fish }[shell](all).join("\n")}\n`;
}

/** What a value may be, where that is a choice; null where it is anything. */
function choicesOf({ type, placeholder }: CommandOption): readonly string[] | null {
  if (type.names !== undefined) return type.names;
  return placeholder.includes("|") ? placeholder.split("|").filter((word) => /^[a-z-]+$/.test(word)) : null;
}

function isPath({ placeholder }: CommandOption): boolean {
  return placeholder === "FILE" || placeholder === "DIR";
}

function bash(all: readonly Completed[]): string[] {
  const options = new Map(all.flatMap((command) => command.options.map((option) => [option.name, option])));
  const values = [...options.values()].filter(({ placeholder }) => placeholder !== "");
  const words = (list: readonly string[]) => `COMPREPLY=($(compgen -W '${list.join(" ")}' -- "$word"))`;
  return [
    "_showdown() {",
    `  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} command=\${COMP_WORDS[1]}`,
    "  COMPREPLY=()",
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    ${words([...all.map(({ name }) => name), "help", "--help", "--version"])}`,
    "    return",
    "  fi",
    '  case "$before" in',
    ...values.map((option) => {
      const choices = choicesOf(option);
      const files = isPath(option) ? ' COMPREPLY=($(compgen -f -- "$word"));' : "";
      return `    --${option.name})${choices === null ? files : ` ${words(choices)};`} return ;;`;
    }),
    "  esac",
    '  case "$command:$word" in',
    ...all.map(
      ({ name, options: own }) =>
        `    ${name}:-*) ${words([...own.map((option) => `--${option.name}`), "--help"])} ;;`,
    ),
    ...all
      .filter(({ takesContenders }) => takesContenders)
      .map(({ name }) => `    ${name}:*) COMPREPLY=($(compgen -W "$(${contenders})" -- "$word")) ;;`),
    "  esac",
    "}",
    `complete -o default -F _showdown ${programs.join(" ")}`,
  ];
}

function zsh(all: readonly Completed[]): string[] {
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const plain = (text: string) => text.replaceAll(/[\\[\]:]/g, "\\$&");
  const specOf = (option: CommandOption): string => {
    const { name, placeholder, help, several } = option;
    const choices = choicesOf(option);
    const action = choices === null ? (isPath(option) ? "_files" : " ") : `(${choices.join(" ")})`;
    const value = placeholder === "" ? "" : `:${plain(placeholder)}:${action}`;
    return quote(`${several ? "*" : ""}--${name}${value === "" ? "" : "="}[${plain(help)}]${value}`);
  };
  return [
    `#compdef ${programs.join(" ")}`,
    "_showdown() {",
    "  if (( CURRENT == 2 )); then",
    "    local -a commands=(",
    ...all.map(({ name, summary }) => `      ${quote(`${name}:${summary}`)}`),
    "    )",
    "    _describe command commands",
    "    return",
    "  fi",
    "  local command=$words[2]",
    "  shift words",
    "  (( CURRENT-- ))",
    "  case $command in",
    ...all.flatMap(({ name, options, takesContenders }) => [
      `    ${name})`,
      "      _arguments \\",
      ...options.map((option) => `        ${specOf(option)} \\`),
      "        '--help[show the options]' \\",
      `        ${quote(takesContenders ? "*:contender:_showdown_contenders" : "*:file:_files")}`,
      "      ;;",
    ]),
    "  esac",
    "}",
    "_showdown_contenders() {",
    `  local -a names=(\${(f)"$(${contenders})"})`,
    "  _describe contender names || _files",
    "}",
    // Read by eval it is to be bound; as a file in fpath it is the function itself.
    `if [ "$funcstack[1]" = "_showdown" ]; then _showdown "$@"; else compdef _showdown ${programs.join(" ")}; fi`,
  ];
}

function fish(all: readonly Completed[]): string[] {
  const quote = (text: string) => `'${text.replaceAll(/['\\]/g, "\\$&")}'`;
  return programs.flatMap((program) => [
    ...all.map(
      ({ name, summary }) =>
        `complete -c ${program} -n __fish_use_subcommand -f -a ${name} -d ${quote(summary)}`,
    ),
    ...all.flatMap(({ name, options, takesContenders }) => [
      ...options.map((option) => {
        const choices = choicesOf(option);
        const value =
          option.placeholder === ""
            ? ""
            : choices !== null
              ? ` -x -a ${quote(choices.join(" "))}`
              : isPath(option)
                ? " -r -F"
                : " -x";
        return `complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -l ${option.name}${value} -d ${quote(option.help)}`;
      }),
      ...(takesContenders
        ? [`complete -c ${program} -n '__fish_seen_subcommand_from ${name}' -a ${quote(`(${contenders})`)}`]
        : []),
    ]),
  ]);
}
