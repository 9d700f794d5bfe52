import { ShowdownError } from "../../errors.ts";
import { suggest } from "../../text/nearest.ts";
import { printable } from "../../text/printable.ts";
import type { Client } from "./adapter.ts";

/** @throws {ShowdownError} for a field that is none; known only here, where the columns are */
export function fill(text: string, client: Client): string {
  return text.replaceAll(/\{\{([^{}]*)\}\}/g, (_, typed: string) => {
    const field = typed.trim();
    if (Object.hasOwn(client.row, field)) return client.row[field] as string;
    if (field === "room") return client.room;
    if (field === "connection") return String(client.index);
    const known = ["room", "connection", ...Object.keys(client.row)];
    throw new ShowdownError(
      "usage",
      `an adapter's option has an unknown field {{${printable(field, { most: 60 })}}}${suggest(field, known)}`,
      { hint: `expected one of ${known.join(", ")}; columns of a table come with --data users.csv` },
    );
  });
}

/** All strings of a JSON value; its keys stay as they are. */
export function fillStrings(value: unknown, client: Client): unknown {
  if (typeof value === "string") return fill(value, client);
  if (Array.isArray(value)) return value.map((item) => fillStrings(item, client));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fillStrings(item, client)]));
}
