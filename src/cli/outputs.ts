import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { AttackEvent } from "../attack/events.ts";
import { ShowdownError } from "../errors.ts";
import { readToolVersion } from "../machine/environment.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import type { Plan } from "../plan/plan.ts";
import type { Result } from "../result/schema.ts";
import type { RunEvent } from "../run/events.ts";
import { noteAttack } from "../views/metrics/attack-metrics.ts";
import { MetricBoard } from "../views/metrics/metric-board.ts";
import { noteRun } from "../views/metrics/run-metrics.ts";
import { AttackLines } from "../views/ndjson/attack-lines.ts";
import type { AttackLine, RunLine } from "../views/ndjson/line.ts";
import { RunLines } from "../views/ndjson/run-lines.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";
import { Output, WriteQueue } from "./output.ts";

/** Whether stdout is for a program: what a person reads goes to stderr then. */
export function isForProgram({ json, ndjson }: OptionValues): boolean {
  return json === true || ndjson === "-";
}

/** What listens to one run. */
export interface RunListener {
  readonly onEvent: (event: RunEvent) => void;
  readonly onResult: (result: Result) => void;
}

/** Everything that others read while a command goes on, as its options ask for. */
export interface Outputs {
  ofRun(id: string, plan: Plan): RunListener;
  ofAttack(id: string, plan: AttackPlan): (event: AttackEvent) => void;
  /** Says the last of it. */
  close(): Promise<void>;
}

/** Does a command's work with them open, and says the last of them whatever becomes of it. */
export async function withOutputs<T>(
  values: OptionValues,
  host: Host,
  status: { readonly end: () => void },
  work: (outputs: Outputs) => Promise<T>,
): Promise<T> {
  const outputs = await openOutputs(values, host, (problem) => {
    status.end();
    host.err(`warning: ${problem}\n`);
  });
  try {
    return await work(outputs);
  } finally {
    status.end();
    await outputs.close();
  }
}

/**
 * Opens them before anything is measured.
 *
 * @param warn of an output that fails: the command goes on without it
 * @throws {ShowdownError} `usage` where two want stdout; `writing` for a file that can't be written
 */
async function openOutputs(
  values: OptionValues,
  host: Host,
  warn: (problem: string) => void,
): Promise<Outputs> {
  const lines = await openLines(values, host, warn);
  const metrics = await openMetrics(values, host, warn);
  const write = (line: AttackLine | RunLine | null) => {
    if (line !== null) lines?.write(`${JSON.stringify(line)}\n`);
  };
  return {
    ofRun: (id, plan) => {
      const run = new RunLines(plan);
      const note = metrics === null ? null : noteRun(metrics.board, id);
      write(run.begin(id, new Date()));
      return {
        onEvent: (event) => {
          note?.(event);
          write(run.describe(event, new Date()));
        },
        onResult: (result) => {
          for (const line of run.end(result, new Date())) write(line);
        },
      };
    },
    ofAttack: (id, plan) => {
      const attack = new AttackLines();
      const note = metrics === null ? null : noteAttack(metrics.board, plan, id);
      write(attack.begin(id, plan, new Date()));
      return (event) => {
        note?.(event);
        write(attack.describe(event, new Date()));
      };
    },
    close: async () => {
      await Promise.all([lines?.close(), metrics?.stop()]);
    },
  };
}

interface LineFile {
  write(text: string): void;
  close(): Promise<void>;
}

async function openLines(
  { ndjson, json }: OptionValues,
  host: Host,
  warn: (problem: string) => void,
): Promise<LineFile | null> {
  if (ndjson === undefined) return null;
  if (ndjson === "-") {
    if (json === true) {
      throw new ShowdownError("usage", "--ndjson - and --json: both want stdout, expected one of them", {
        hint: "give --ndjson a file",
      });
    }
    return { write: host.out, close: async () => {} };
  }
  const path = resolve(host.cwd, ndjson);
  const file = await openFile(path);
  const queue = new WriteQueue();
  // A pipe whose reader has gone is no trouble of anybody's.
  const output = new Output(file.fd, queue, () => {});
  return {
    write: output.write,
    close: async () => {
      await queue.drain();
      await file.close().catch(() => {});
      const { problem, isClosed } = output;
      if (problem !== null && !isClosed) warn(`--ndjson: ${path} is not whole: ${problem.message}`);
    },
  };
}

async function openFile(path: string) {
  try {
    await mkdir(dirname(path), { recursive: true });
    return await open(path, "w");
  } catch (cause) {
    throw new ShowdownError("writing", `${path} cannot be written: ${(cause as Error).message}`, {
      hint: "give another place with --ndjson",
      cause,
    });
  }
}

async function openMetrics(
  { metrics, otlp }: OptionValues,
  host: Host,
  warn: (problem: string) => void,
): Promise<{ readonly board: MetricBoard; stop(): Promise<void> } | null> {
  if (metrics === undefined && otlp === undefined) return null;
  // Brings OpenTelemetry's packages, which nobody else needs to load.
  const { publishMetrics } = await import("../views/metrics/publish-metrics.ts");
  const board = new MetricBoard();
  const targets = { listen: metrics ?? null, otlp: otlp ?? null };
  const { url, stop } = publishMetrics(board, targets, { version: readToolVersion(), warn });
  if (url !== null) host.err(`Metrics: ${url}\n`);
  return { board, stop };
}
