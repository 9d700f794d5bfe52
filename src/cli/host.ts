import type { EventEmitter } from "node:events";
import { isatty } from "node:tty";
import { exitCodes, ShowdownError } from "../errors.ts";
import { printableLines } from "../text/printable.ts";
import { Output, WriteQueue } from "./output.ts";

/** Everything of the outside world that a command touches, handed in so that a test can hand in its own. */
export interface Host {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Results: what one would pipe into another program. */
  readonly out: (text: string) => void;
  /** Progress, warnings and errors. */
  readonly err: (text: string) => void;
  readonly outIsTty: boolean;
  readonly errIsTty: boolean;
  readonly columns: () => number;
  /** Asks a yes-or-no question; absent where there is nobody to answer. */
  readonly ask?: (question: string) => Promise<boolean>;
  /** Emits SIGINT, SIGTERM and SIGHUP; and SIGPIPE when the reader of the output has gone. */
  readonly signals: Pick<EventEmitter, "on" | "off">;
  /** Ends the program at once, whatever is under way. */
  readonly exitNow: (code: number) => void;
}

/** How long an end at once waits for its last words to be read. */
const lastWordsMs = 200;

/** The process's own host. `finish` ends the program when its output is out. */
export function createHost(): { readonly host: Host; readonly finish: (exitCode: number) => Promise<never> } {
  // As SIGPIPE would: whoever watches for it stops gently, and without such a watcher the end is now.
  const onClosed = () => {
    if (!process.emit("SIGPIPE", "SIGPIPE")) process.exit(exitCodes.pipeClosed.code);
  };
  const queue = new WriteQueue();
  const [out, err] = [new Output(1, queue, onClosed), new Output(2, queue, onClosed)];
  const ask = async (question: string) => {
    err.write(`${question} [Y/n] `);
    for await (const line of console) return /^\s*(y(es)?)?\s*$/i.test(line);
    return false;
  };
  const host: Host = {
    args: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    out: out.write,
    err: err.write,
    outIsTty: isatty(1),
    errIsTty: isatty(2),
    columns: () => (isatty(1) && process.stdout.columns) || (isatty(2) && process.stderr.columns) || 100,
    ...(isatty(0) && isatty(2) ? { ask } : {}),
    signals: process,
    exitNow: (code) =>
      void Promise.race([queue.drain(), Bun.sleep(lastWordsMs)]).then(() => process.exit(code)),
  };
  const finish = async (exitCode: number): Promise<never> => {
    await queue.drain();
    if (out.isClosed || err.isClosed) process.exit(exitCodes.pipeClosed.code);
    if (out.problem === null || exitCode !== exitCodes.ok.code) process.exit(exitCode);
    err.write(formatError(new ShowdownError("writing", `stdout cannot be written: ${out.problem.message}`)));
    await queue.drain();
    // Whatever is still open (a timer, a pipe) must not keep the program alive.
    process.exit(exitCodes.writing.code);
  };
  return { host, finish };
}

/** What the user gets to read of an error; anything but a `ShowdownError` is a fault of the program. */
export function formatError(error: unknown): string {
  if (error instanceof ShowdownError) {
    const hint = error.hint === undefined ? "" : `  hint: ${printableLines(error.hint)}\n`;
    return `error: ${printableLines(error.message)}\n${hint}`;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `error: ${text}\n  hint: this is a bug in showdown; please report it with the lines above\n`;
}
