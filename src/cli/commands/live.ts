import { exitCodes, UsageError } from "../../errors.ts";
import { readRun } from "../../result/read.ts";
import { serveReplay } from "../../views/watch/live/replay.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";
import { watchSignals } from "../signals.ts";

/** `showdown live`: serves the page of a run, finished or still being written, until Ctrl-C. */
export async function live({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [reference = "latest", ...others] = positionals;
  if (others.length > 0) throw new UsageError(`expected one run, got ${positionals.join(", ")}`);
  const { path } = readRun(reference, { resultsFolder: resultsFolder(values, host), cwd: host.cwd });
  const page = await serveReplay({ port: values["live-port"] ?? 0, path });
  host.err(`${page.url}  (Ctrl-C ends it)\n`);
  const stop = watchSignals(host);
  await new Promise<void>((resolve) =>
    stop.signal.addEventListener("abort", () => resolve(), { once: true }),
  );
  await page.stop();
  stop.end();
  return exitCodes.ok.code;
}
