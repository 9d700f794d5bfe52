import { printableLines } from "../text/printable.ts";
import { throwIfAborted } from "./abort.ts";
import { createMark, markName, type Reaper } from "./reaper.ts";

interface StreamingOptions {
  readonly cwd?: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine?: ((line: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly reaper?: Reaper | undefined;
}

interface StreamingResult {
  /** Exit code; 128 + n when signal n ended it. */
  readonly code: number;
  /** The last lines printed, stdout and stderr mixed as they came. */
  readonly lastLines: readonly string[];
}

const keptLines = 30;
/** A program that never ends its line must not fill our memory. */
const maxLineLength = 10_000;

/**
 * Runs a command to its end, handing out what it prints line by line, safe to show. An abort kills it with everything it
 * started, which is why it gets a process group of its own.
 *
 * @throws {ShowdownError} `aborted`
 */
export async function runStreaming(
  command: readonly string[],
  { cwd, env, onLine, signal, reaper }: StreamingOptions,
): Promise<StreamingResult> {
  throwIfAborted(signal);
  const child = Bun.spawn([...command], {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...env, [markName]: createMark(reaper) },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
  });
  reaper?.hold(child.pid);
  const kill = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // Already gone.
    }
  };
  signal?.addEventListener("abort", kill, { once: true });
  const lastLines: string[] = [];
  const take = (raw: string) => {
    const line = printableLines(raw);
    onLine?.(line);
    lastLines.push(line);
    if (lastLines.length > keptLines) lastLines.shift();
  };
  try {
    const streams = Promise.all([readLines(child.stdout, take), readLines(child.stderr, take)]);
    const code = await child.exited;
    // A daemon left behind (a compile server, say) keeps the pipes open for as long as it likes.
    await Promise.race([streams, Bun.sleep(1000)]);
    throwIfAborted(signal);
    return { code, lastLines };
  } finally {
    signal?.removeEventListener("abort", kill);
    kill();
    reaper?.release(child.pid);
  }
}

async function readLines(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = (lines.pop() ?? "").slice(-maxLineLength);
    // A carriage return draws a progress bar over itself: its last state is the line.
    for (const line of lines) take(line.replace(/\r$/, "").replace(/^.*\r/, ""));
  }
  if (rest !== "") take(rest);
}
