import { exitCodes, ShowdownError } from "../../errors.ts";
import { readRun } from "../../result/find.ts";
import { serveReplay } from "../../views/watch/live/replay.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { runSource } from "../paths.ts";
import { untilStopped } from "../signals.ts";

/** `showdown live`: serves the page of a run, finished or still being written, until Ctrl-C. */
export async function live({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [reference = "latest", ...others] = positionals;
  if (others.length > 0) throw new ShowdownError("usage", `expected one run, got ${positionals.join(", ")}`);
  const { path } = readRun(reference, runSource(values, host));
  const page = await serveReplay({ port: values["live-port"] ?? 0, path });
  host.err(`${page.url}  (Ctrl-C ends it)\n`);
  return await untilStopped(host, async (signal) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    await page.stop();
    return exitCodes.ok.code;
  });
}
