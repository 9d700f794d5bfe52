import { isShowdownError, ShowdownError } from "../errors.ts";
import { defineConfig } from "./config.ts";

/** What files of users get when they import "ws-showdown", wherever they lie and however the program was installed. */
const provided = { defineConfig };
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
  const { position, stack = "" } = (error ?? {}) as {
    position?: { line: number; column: number } | null;
    stack?: string;
  };
  if (position) return `:${position.line}:${position.column}`;
  const [, after = ""] = stack.split(path);
  return /^:\d+:\d+/.exec(after)?.[0] ?? "";
}
