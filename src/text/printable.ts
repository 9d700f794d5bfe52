interface PrintableOptions {
  /** The longest result in characters, `…` included. Unlimited when absent. */
  readonly most?: number;
}

/**
 * What must not reach a terminal, a report or a log as it came: control characters (C0, DEL, C1), what reorders text
 * (bidi), what has no width, line and paragraph separators, interlinear and tag characters, halves of surrogate pairs.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|\u034f|\u115f|\u1160|\u17b4|\u17b5|\u3164|\uffa0/u;

const named: Readonly<Record<string, string>> = {
  "\n": "⏎",
  "\r\n": "⏎",
  "\r": "\\r",
  "\t": "\\t",
  "\0": "\\0",
};

/**
 * Text that a server, a build or a manifest said, safe to show on one line: what a terminal would obey or hide is
 * visible (`\x1b`, `\u{202e}`, `⏎`), and what is beyond `most` characters is cut off with `…`.
 */
export function printable(text: string, { most = Number.POSITIVE_INFINITY }: PrintableOptions = {}): string {
  let shown = "";
  let length = 0;
  /** Where to cut if more comes than fits: before the last character's place. */
  let cut = 0;
  for (const [character] of text.matchAll(/\r\n|./gsu)) {
    const visible = unsafe.test(character) ? escaped(character) : character;
    // Surrogate pairs are one character; an escape is as many as it shows, and is never cut in two.
    length += visible === character ? 1 : visible.length;
    if (length > most) return `${shown.slice(0, cut)}${most > 0 ? "…" : ""}`;
    shown += visible;
    if (length <= most - 1) cut = shown.length;
  }
  return shown;
}

/** As `printable`, of several lines: line ends and indents are kept, everything else is made visible. */
export function printableLines(text: string): string {
  return text
    .split(/\r?\n/)
    .map((line) => printable(line.replaceAll("\t", "    ")))
    .join("\n");
}

function escaped(character: string): string {
  const name = named[character];
  if (name !== undefined) return name;
  const code = character.codePointAt(0) ?? 0;
  const hex = code.toString(16);
  return code <= 0xff ? `\\x${hex.padStart(2, "0")}` : `\\u{${hex.padStart(4, "0")}}`;
}
