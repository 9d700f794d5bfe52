import { ShowdownError } from "../../errors.ts";
import { suggest } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";

/** A piece of a message: text as it is, or something that differs from message to message. */
export type TemplatePart =
  | { readonly kind: "text"; readonly text: string }
  /** The connection's number, over all workers from 0. */
  | { readonly kind: "connection" }
  /** The message's number on its connection, from 1. */
  | { readonly kind: "sequence" }
  /** `CONNECTION-SEQUENCE`: no other message of the load has it. */
  | { readonly kind: "id" }
  /** Milliseconds since 1970, when it was sent. */
  | { readonly kind: "time" }
  /** What receivers of a room tell sender, number and times by. */
  | { readonly kind: "stamp" }
  | { readonly kind: "random"; readonly length: number }
  /** Of the connection's row of `--data`. */
  | { readonly kind: "column"; readonly name: string };

const plain = ["connection", "sequence", "id", "time", "stamp"] as const;
const longestRandom = 1 << 20;

/**
 * @param columns of `--data`
 * @throws {ShowdownError} `usage` for a field that is none, with the nearest that is
 */
export function parseTemplate(text: string, columns: readonly string[]): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let end = 0;
  for (const field of text.matchAll(/\{\{([^{}]*)\}\}/g)) {
    if (field.index > end) parts.push({ kind: "text", text: text.slice(end, field.index) });
    parts.push(readField((field[1] as string).trim(), columns));
    end = field.index + field[0].length;
  }
  if (end < text.length) parts.push({ kind: "text", text: text.slice(end) });
  return parts;
}

function readField(field: string, columns: readonly string[]): TemplatePart {
  const kind = plain.find((name) => name === field);
  if (kind !== undefined && !columns.includes(field)) return { kind };
  const [, digits] = /^random:(\d+)$/.exec(field) ?? [];
  if (digits !== undefined) {
    const length = Number(digits);
    if (length >= 1 && length <= longestRandom) return { kind: "random", length };
    throw new ShowdownError("usage", `{{${field}}}: expected a length from 1 to ${longestRandom}`);
  }
  if (columns.includes(field)) return { kind: "column", name: field };
  const known = [...plain, "random:N", ...columns];
  throw new ShowdownError(
    "usage",
    `the message has an unknown field {{${printable(field, { most: 60 })}}}${suggest(field, known)}`,
    {
      hint: `expected one of ${known.join(", ")}${columns.length === 0 ? "; columns of a table come with --data users.csv" : ""}`,
    },
  );
}

/** Whether each message of a connection differs from the others, so that a reply tells which it answers. */
export function isNumbered(parts: readonly TemplatePart[]): boolean {
  return parts.some(({ kind }) => kind === "sequence" || kind === "id" || kind === "stamp");
}
