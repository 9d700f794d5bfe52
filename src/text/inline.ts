import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The text of a file of `src`; a script comes without its types. For `import … with { type: "macro" }`: Bun puts the
 * text where it is asked for, so that what is built needs neither the file nor a compiler.
 */
export function inlineText(path: string): string {
  const text = inlineSource(path);
  // A script of a page is one file without imports: types are all that has to go.
  return path.endsWith(".ts") ? new Bun.Transpiler({ loader: "ts" }).transformSync(text) : text;
}

/** The same as it stands there, types and all. */
export function inlineSource(path: string): string {
  return readFileSync(join(import.meta.dir, "..", path), "utf8");
}
