/** What somebody said in JSON; undefined where it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Null where it cannot be written, as of what is nested too deep. */
export function toJson(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    return null;
  }
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Undefined where there is nothing. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as JsonObject)[step];
  }
  return at;
}

/** The steps of a JSON pointer (RFC 6901, section 4), or undefined where it is none. */
export function parsePointer(pointer: string): readonly string[] | undefined {
  if (pointer !== "" && !pointer.startsWith("/")) return undefined;
  return pointer
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

const mostReason = 200;

/** Why somebody said no, as far as it goes into a reason: text as it is, anything else as JSON. */
export function reasonOf(said: unknown): string {
  const text = typeof said === "string" ? said : (toJson(said) ?? "no reason");
  return text.length > mostReason ? `${text.slice(0, mostReason - 1)}…` : text;
}
