import { isShowdownError, ShowdownError } from "../errors.ts";

/**
 * What files of users get when they import "ws-showdown", wherever they lie and however the program was installed. They
 * hand back what they are given: an editor knows by their types what may stand there.
 */
const provided = {
  defineConfig: <T>(config: T): T => config,
  scenario: <T>(one: T): T => one,
};
let isProvided = false;

/**
 * The default export of a user's TypeScript, JavaScript or JSON file.
 *
 * @param path absolute
 * @throws {ShowdownError} `usage` naming the file, and the line and column where that is known
 */
export async function importUserFile(path: string): Promise<unknown> {
  if (!isProvided) {
    isProvided = true;
    Bun.plugin({
      name: "ws-showdown",
      setup: (build) => {
        build.module("ws-showdown", () => ({ exports: provided, loader: "object" }));
      },
    });
  }
  try {
    return ((await import(path)) as { default?: unknown }).default;
  } catch (error) {
    if (isShowdownError(error)) throw error;
    const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error];
    const message =
      first instanceof Error ? first.message : String((first as { message?: unknown })?.message ?? first);
    throw new ShowdownError("usage", `${path}${positionIn(path, first)}: ${message}`, { cause: error });
  }
}

/** `:line:column`, as editors and terminals know it; empty where the error does not say. */
function positionIn(path: string, error: unknown): string {
  // Of what Bun could not parse or resolve.
  const { position } = (error ?? {}) as { position?: { line: number; column: number } | null };
  if (position) return `:${position.line}:${position.column}`;
  const place = placeIn(path, error);
  return place === null ? "" : `:${place}`;
}

/** `line:column` of the innermost call in this file that led to an error; null where there was none. */
export function placeIn(path: string, error: unknown): string | null {
  const stack = (error as { stack?: unknown } | null)?.stack;
  if (typeof stack !== "string") return null;
  for (const after of stack.split(path).slice(1)) {
    const place = /^:(\d+:\d+)/.exec(after)?.[1];
    if (place !== undefined) return place;
  }
  return null;
}
