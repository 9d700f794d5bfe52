import { write } from "node:fs";
import { promisify } from "node:util";

const writeSome = promisify(write);
const retryMs = 5;

/** Keeps what is written to stdout and stderr in order, since both may be one terminal, pipe or file. */
export class WriteQueue {
  #last: Promise<void> = Promise.resolve();

  add(work: () => Promise<void>): void {
    this.#last = this.#last.then(work);
  }

  /** Resolves when everything is out, or can't be. */
  async drain(): Promise<void> {
    let last: Promise<void>;
    do {
      last = this.#last;
      await last;
    } while (last !== this.#last);
  }
}

/**
 * A standard stream whose text arrives whole, at whatever pace its reader takes it. Bun's own streams say that all is
 * written while a pipe has taken 64 KiB, and an exit then loses the rest.
 */
export class Output {
  readonly #descriptor: number;
  readonly #queue: WriteQueue;
  readonly #onClosed: () => void;
  /** What ended it: nothing is written after that. */
  problem: NodeJS.ErrnoException | null = null;

  /** @param onClosed is called once when the reader has gone, as of `showdown list | head -1` */
  constructor(descriptor: number, queue: WriteQueue, onClosed: () => void) {
    this.#descriptor = descriptor;
    this.#queue = queue;
    this.#onClosed = onClosed;
  }

  readonly write = (text: string): void => {
    this.#queue.add(() => this.#writeAll(Buffer.from(text)));
  };

  get isClosed(): boolean {
    return this.problem?.code === "EPIPE";
  }

  async #writeAll(bytes: Buffer): Promise<void> {
    for (let from = 0; from < bytes.length && this.problem === null; ) {
      try {
        from += (await writeSome(this.#descriptor, bytes, from)).bytesWritten;
      } catch (cause) {
        const error = cause as NodeJS.ErrnoException;
        // Another process may have made the shared pipe or terminal non-blocking.
        if (error.code === "EAGAIN") await Bun.sleep(retryMs);
        else {
          this.problem = error;
          if (this.isClosed) this.#onClosed();
        }
      }
    }
  }
}
