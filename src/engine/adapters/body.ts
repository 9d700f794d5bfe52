import type { Client } from "./adapter.ts";
import { fillStrings } from "./fill.ts";
import { parseJson, toJson, valueAt } from "./json.ts";

/** Stands for the message while the rest is JSON: a private character (Unicode, section 23.5), then a word. */
const quoted = "\ue000message";
const raw = "\ue000raw message";

/** JSON around a message: `{"text":"{{message}}"}` has it as a string, `{"data":{{message}}}` as the JSON that it is. */
export interface BodyTemplate {
  readonly hasMessage: boolean;
  createBody(client: Client): Body;
}

/** Null where it is no JSON, or has the message more than once. */
export function parseBody(text: string): BodyTemplate | null {
  const marked = text.replaceAll('"{{message}}"', `"${quoted}"`).replaceAll("{{message}}", `"${raw}"`);
  const value = parseJson(marked);
  if (value === undefined) return null;
  const places = findPlaces(value, []);
  const marks = marked.split("\ue000").length - 1;
  if (places.length > 1 || marks !== places.length) return null;
  const path = places[0] ?? null;
  return {
    hasMessage: path !== null,
    createBody(client) {
      const filled = JSON.stringify(fillStrings(value, client));
      if (path === null) return new Body(filled, "", [], null);
      const isRaw = valueAt(value, path) === raw;
      const [before = "", after = ""] = filled.split(JSON.stringify(isRaw ? raw : quoted));
      return new Body(before, after, path, isRaw);
    },
  };
}

/** What one connection says around its messages, and where it finds those of others in what arrives. */
export class Body {
  readonly #before: string;
  readonly #after: string;
  readonly #path: readonly string[];
  /** Null where there is no message in it. */
  readonly #isRaw: boolean | null;

  constructor(before: string, after: string, path: readonly string[], isRaw: boolean | null) {
    this.#before = before;
    this.#after = after;
    this.#path = path;
    this.#isRaw = isRaw;
  }

  write(message: string): string {
    if (this.#isRaw === null) return this.#before;
    return `${this.#before}${this.#isRaw ? message : JSON.stringify(message)}${this.#after}`;
  }

  /** Whether it can be written: what goes in as JSON must be JSON. */
  accepts(message: string): boolean {
    return this.#isRaw !== true || parseJson(message) !== undefined;
  }

  /** What stands at the message's place; undefined where nothing does. */
  valueOf(said: unknown): unknown {
    return valueAt(said, this.#path);
  }

  /** The message in what somebody said, as it was published; null where there is none. */
  read(said: unknown): string | null {
    const found = this.valueOf(said);
    if (typeof found === "string" && this.#isRaw !== true) return found;
    return found === undefined ? null : toJson(found);
  }
}

/** All places of a message in a JSON value, as the steps to each; keys are none. */
function findPlaces(value: unknown, path: readonly string[]): (readonly string[])[] {
  if (value === quoted || value === raw) return [path];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => findPlaces(item, [...path, key]));
}
