import cluster, { type Worker } from "node:cluster";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { addCounts, type Counts, noCounts, type Order, type Report } from "./counts.ts";

/** Somebody's question for the counts of all, and who has not answered yet. */
interface Question {
  readonly asker: Worker;
  readonly ask: number;
  readonly open: Set<Worker>;
}

const size = Number(process.env.WORKERS ?? availableParallelism());
if (!Number.isInteger(size) || size < 1) {
  console.error(`WORKERS=${process.env.WORKERS}: expected a number of processes`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "node-ws-"));
const workers = new Set<Worker>();
/** The last that each worker told, of those that have ended, too: counters never fall. */
const known = new Map<number, Counts>();
const questions = new Map<number, Question>();
let asked = 0;
let isStopping = false;

cluster.setupPrimary({ exec: fileURLToPath(new URL("server.ts", import.meta.url)) });
cluster.on("exit", (worker, code, signal) => {
  workers.delete(worker);
  known.set(worker.id, { ...(known.get(worker.id) ?? noCounts), connections: 0 });
  for (const [id, question] of questions) {
    question.open.delete(worker);
    answer(id, question);
  }
  if (!isStopping) console.error(`worker ${worker.id} ended: ${signal ?? code}`);
  if (workers.size === 0) process.exit(isStopping ? 0 : 1);
});

process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
process.once("SIGTERM", () => {
  isStopping = true;
  for (const worker of workers) worker.process.kill("SIGTERM");
});

// One after the other: each links with those before it.
for (let index = 0; index < size; index++) await start(index);
// Nobody has to find anybody any more, and a process that is killed leaves nothing behind.
rmSync(folder, { recursive: true });
for (const worker of workers) order(worker, { type: "listen" });

function start(index: number): Promise<void> {
  const worker = cluster.fork({ RELAY: folder, WORKER: `${index}` });
  workers.add(worker);
  return new Promise((resolve) => {
    worker.on("message", (report: Report) => {
      if (report.type === "linked") resolve();
      else if (report.type === "ask") question(worker, report.ask);
      else take(worker, report.ask, report.counts);
    });
  });
}

function order(worker: Worker, what: Order): void {
  // Fails for a worker that is ending, which `exit` will tell.
  worker.send(what, () => {});
}

function question(asker: Worker, ask: number): void {
  asked++;
  questions.set(asked, { asker, ask, open: new Set(workers) });
  for (const worker of workers) order(worker, { type: "count", ask: asked });
}

function take(worker: Worker, id: number, counts: Counts): void {
  known.set(worker.id, counts);
  const question = questions.get(id);
  if (question === undefined) return;
  question.open.delete(worker);
  answer(id, question);
}

function answer(id: number, { asker, ask, open }: Question): void {
  if (open.size > 0) return;
  questions.delete(id);
  order(asker, { type: "total", ask, counts: [...known.values()].reduce(addCounts, noCounts) });
}
