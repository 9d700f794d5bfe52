import { join } from "node:path";

const entries = {
  report: join(import.meta.dir, "page", "report.ts"),
  live: join(import.meta.dir, "..", "..", "watch", "live", "page", "live.ts"),
} as const;
const stylePath = join(import.meta.dir, "style.css");

export interface Assets {
  readonly script: string;
  readonly style: string;
}

/**
 * The page's program with the charting library inside, as one classic script, and its style sheet. Made anew each time:
 * it takes a fifth of a second, less than keeping a cache right would be worth.
 *
 * @throws AggregateError when the sources or the library cannot be read
 */
export async function loadAssets(page: keyof typeof entries): Promise<Assets> {
  const [style, script] = await Promise.all([Bun.file(stylePath).text(), bundle(entries[page])]);
  return { script, style };
}

async function bundle(entry: string): Promise<string> {
  const { outputs } = await Bun.build({
    entrypoints: [entry],
    target: "browser",
    format: "iife",
    minify: true,
    // The library asks for it to leave its development messages out.
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const [output] = outputs;
  if (output === undefined) throw new Error(`bundling ${entry} gave nothing: expected one script`);
  // In a string of the script this would end the script element.
  return (await output.text()).replaceAll(/<\/(?=script)/gi, "<\\/");
}
