import { ShowdownError } from "../errors.ts";
import { exitOf } from "../process/exit.ts";
import type { Exit } from "../result/reasons.ts";
import { printable } from "../text/printable.ts";

/** Of what a command prints, the end is kept. */
const mostOutput = 2000;

/** Runs a command by the shell, as it was typed. @returns how it ended, and the last line that it printed */
async function run(command: string, signal: AbortSignal | null): Promise<{ exit: Exit; lastLine: string }> {
  const child = Bun.spawn(["sh", "-c", command], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    ...(signal === null ? {} : { signal }),
  });
  const [out, err] = await Promise.all([endOf(child.stdout), endOf(child.stderr)]);
  await child.exited;
  const lines = `${out}\n${err}`.trim().split("\n");
  return {
    exit: exitOf(child),
    lastLine: lines.at(-1) ?? "",
  };
}

async function endOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream)
    text = (text + decoder.decode(chunk, { stream: true })).slice(-mostOutput);
  return text;
}

/** @throws {ShowdownError} `attackFailed` where it did not end with 0 */
export async function runBefore(command: string, signal: AbortSignal): Promise<void> {
  const { exit, lastLine } = await run(command, signal);
  if (exit.code === 0 || signal.aborted) return;
  const how = exit.signal === null ? `exited with ${exit.code}` : `was ended by ${exit.signal}`;
  throw new ShowdownError(
    "attackFailed",
    `--before ${printable(command)}: it ${how}${lastLine === "" ? "" : `: ${printable(lastLine, { most: 200 })}`}`,
    { hint: "nothing was sent; mend the command, or leave it out" },
  );
}

/** Whatever became of the attack. @returns how it ended; null where with 0 */
export async function runAfter(command: string): Promise<Exit | null> {
  const { exit } = await run(command, null);
  return exit.code === 0 ? null : exit;
}
