import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { addCounts, type Counts, noCounts, type Order, type Report } from "./counts.ts";

/** Somebody's question for the counts of all, and who has not answered yet. */
interface Question {
  readonly asker: Subprocess;
  readonly ask: number;
  readonly open: Set<Subprocess>;
}

/** The first of several processes: it starts the others, which serve, and adds up what they count. */
export class Cluster {
  readonly #workers = new Set<Subprocess>();
  /** The last that each worker told, of those that have ended, too: counters never fall. */
  readonly #known = new Map<Subprocess, Counts>();
  readonly #questions = new Map<number, Question>();
  #asked = 0;
  #isStopping = false;

  /** Returns when all serve. */
  async start(size: number): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "bun-native-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    process.once("SIGTERM", () => {
      this.#isStopping = true;
      for (const worker of this.#workers) worker.kill("SIGTERM");
    });
    // One after the other: each links with those before it.
    for (let index = 0; index < size; index++) await this.#spawn(folder, index);
    // Nobody has to find anybody any more, and a process that is killed leaves nothing behind.
    rmSync(folder, { recursive: true });
    for (const worker of this.#workers) order(worker, { type: "listen" });
  }

  #spawn(folder: string, index: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // The executable that is running: `RELAY` makes it a worker.
    const worker = Bun.spawn([process.execPath], {
      env: { ...process.env, RELAY: folder, WORKER: `${index}` },
      stdio: ["ignore", "inherit", "inherit"],
      ipc: (report: Report, worker) => {
        if (report.type === "linked") resolve();
        else if (report.type === "ask") this.#question(worker, report.ask);
        else this.#take(worker, report.ask, report.counts);
      },
      onExit: (worker, code, signal) => this.#ended(worker, `${signal ?? code}`),
    });
    this.#workers.add(worker);
    return promise;
  }

  #ended(worker: Subprocess, how: string): void {
    this.#workers.delete(worker);
    this.#known.set(worker, { ...(this.#known.get(worker) ?? noCounts), connections: 0 });
    for (const [id, question] of this.#questions) {
      question.open.delete(worker);
      this.#answer(id, question);
    }
    if (!this.#isStopping) console.error(`worker ${worker.pid} ended: ${how}`);
    if (this.#workers.size === 0) process.exit(this.#isStopping ? 0 : 1);
  }

  #question(asker: Subprocess, ask: number): void {
    this.#asked++;
    this.#questions.set(this.#asked, { asker, ask, open: new Set(this.#workers) });
    for (const worker of this.#workers) order(worker, { type: "count", ask: this.#asked });
  }

  #take(worker: Subprocess, id: number, counts: Counts): void {
    this.#known.set(worker, counts);
    const question = this.#questions.get(id);
    if (question === undefined) return;
    question.open.delete(worker);
    this.#answer(id, question);
  }

  #answer(id: number, { asker, ask, open }: Question): void {
    if (open.size > 0) return;
    this.#questions.delete(id);
    order(asker, { type: "total", ask, counts: [...this.#known.values()].reduce(addCounts, noCounts) });
  }
}

function order(worker: Subprocess, what: Order): void {
  try {
    worker.send(what);
  } catch {
    // It is ending, which `onExit` will tell.
  }
}
