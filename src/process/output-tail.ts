import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, unlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ShowdownError } from "../errors.ts";

/** What is kept of a server's output. */
const keptBytes = 64 * 1024;
/** The file is cut back when it is longer than this; between two looks it may grow beyond. */
const maxFileBytes = 1024 * 1024;
const lookEveryMs = 200;

/**
 * The end of what a server prints. The server writes into a file that has no name any more, never into a pipe:
 * nobody has to keep up with it, so logging cannot block it, and nothing is left behind whatever happens.
 */
export class OutputTail {
  /** To be the server's stdout and stderr. Opened for appending, so that cutting it back is safe. */
  readonly descriptor: number;
  readonly #timer: ReturnType<typeof setInterval>;
  #earlier: Buffer = Buffer.alloc(0);
  #isClosed = false;

  constructor() {
    const path = join(tmpdir(), `showdown-output-${process.pid}-${Math.random().toString(36).slice(2)}`);
    try {
      const { O_RDWR, O_CREAT, O_EXCL, O_APPEND } = constants;
      this.descriptor = openSync(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0o600);
      unlinkSync(path);
    } catch (cause) {
      throw new ShowdownError(
        "writing",
        `cannot keep a server's output in "${tmpdir()}": ${(cause as Error).message}`,
        { hint: "make room there, or set TMPDIR to a folder that can be written", cause },
      );
    }
    this.#timer = setInterval(() => this.#cut(), lookEveryMs);
    this.#timer.unref();
  }

  #readEnd(): Buffer {
    const { size } = fstatSync(this.descriptor);
    const length = Math.min(size, keptBytes);
    const buffer = Buffer.alloc(length);
    const read = readSync(this.descriptor, buffer, 0, length, size - length);
    return Buffer.concat([this.#earlier, buffer.subarray(0, read)]).subarray(-keptBytes);
  }

  #cut(): void {
    if (fstatSync(this.descriptor).size <= maxFileBytes) return;
    this.#earlier = this.#readEnd();
    ftruncateSync(this.descriptor, 0);
  }

  /** The last 64 KiB, from the start of a line where something was left out. */
  read(): string {
    if (!this.#isClosed) {
      const end = this.#readEnd();
      if (end.length < keptBytes) return end.toString("utf8");
      return end.subarray(end.indexOf(10) + 1).toString("utf8");
    }
    return this.#earlier.toString("utf8");
  }

  /** Keeps what there is and frees the file. */
  close(): void {
    if (this.#isClosed) return;
    clearInterval(this.#timer);
    this.#earlier = Buffer.from(this.read());
    this.#isClosed = true;
    closeSync(this.descriptor);
  }
}
