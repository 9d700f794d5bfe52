import type { EventEmitter } from "node:events";

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
  /** Emits SIGINT, SIGTERM and SIGHUP. */
  readonly signals: Pick<EventEmitter, "on" | "off">;
  /** Ends the program at once, whatever is under way. */
  readonly exitNow: (code: number) => void;
}

export function createHost(): Host {
  const canAsk = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    args: process.argv.slice(2),
    env: process.env,
    cwd: process.cwd(),
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    outIsTty: process.stdout.isTTY === true,
    errIsTty: process.stderr.isTTY === true,
    columns: () => process.stdout.columns || process.stderr.columns || 100,
    ...(canAsk ? { ask } : {}),
    signals: process,
    exitNow: (code) => process.exit(code),
  };
}

async function ask(question: string): Promise<boolean> {
  process.stderr.write(`${question} [Y/n] `);
  for await (const line of console) return /^\s*(y(es)?)?\s*$/i.test(line);
  return false;
}
