import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { readHar } from "../../attack/recording/read-har.ts";
import { writeScenario } from "../../attack/recording/write-scenario.ts";
import { exitCodes, ShowdownError } from "../../errors.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";

/** `showdown import`: a scenario of what a browser recorded. Returns the exit code. */
export async function importRecording({ positionals, values }: ParsedOptions, host: Host): Promise<number> {
  const [file, ...others] = positionals;
  const { out = [] } = values;
  if (file === undefined || others.length > 0 || out.length > 1) {
    throw new ShowdownError(
      "usage",
      `expected one recording, got ${positionals.length}, and at most one --out`,
      {
        hint: "showdown import recording.har --out scenario.ts",
      },
    );
  }
  const { text, sockets, messages, leftOut } = writeScenario(readHar(read(file, host), file), basename(file));
  const [target] = out;
  if (target === undefined) host.out(text);
  else await write(resolve(host.cwd, target), text);
  const what = `${format.plural(sockets, "WebSocket")}, ${format.plural(messages, "message")}`;
  host.err(`${printable(file)}: ${what}\n`);
  for (const one of leftOut) host.err(`${one}\n`);
  host.err("Messages are as they were recorded: look through them before you share them.\n");
  if (target !== undefined) host.err(`Written: ${resolve(host.cwd, target)}\n`);
  return exitCodes.ok.code;
}

function read(file: string, host: Host): Uint8Array {
  try {
    return readFileSync(resolve(host.cwd, file));
  } catch (cause) {
    throw new ShowdownError("usage", `${printable(file)}: ${(cause as Error).message}`, { cause });
  }
}

async function write(path: string, text: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    throw new ShowdownError("writing", `${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
}
