import type { Database } from "bun:sqlite";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { listRuns, readResultFile } from "../../result/read.ts";
import type { Result } from "../../result/schema.ts";
import { listFigures } from "../compare/measures.ts";
import { nameOf, participantsOf } from "../report/section.ts";
import { explain, removeDatabase, withHistory } from "./history-database.ts";

/** A run as the history keeps it. */
export interface HistoryRun {
  readonly id: string;
  readonly startedAt: string;
  readonly status: Result["status"];
  readonly preset: string;
  readonly rounds: number;
  readonly machine: string;
  /** Only figures of equal conditions are alike. */
  readonly conditions: string;
  readonly contenders: readonly string[];
}

/** One figure of one run. */
export interface HistoryFigure {
  readonly run: HistoryRun;
  readonly contender: string;
  readonly phase: string;
  readonly measure: string;
  readonly value: number;
  /** One per round that counts. */
  readonly values: readonly number[];
  readonly step: number;
}

export function historyPath(resultsFolder: string): string {
  return join(resultsFolder, "history.sqlite");
}

/**
 * Enters a run after its end; one that is there already is replaced. Never throws and never waits for long: a history
 * that can't be written is not worth a run.
 *
 * @returns what the user has to know when the run could not be entered; null when it was
 */
export function enterRun(resultsFolder: string, result: Result): string | null {
  try {
    mkdirSync(resultsFolder, { recursive: true });
    withHistory(historyPath(resultsFolder), (database) => enter(database, result));
    return null;
  } catch (error) {
    const { message, hint } = explain(error, historyPath(resultsFolder));
    return `the run is not in the history: ${message}; ${hint}`;
  }
}

/** All runs, oldest first. @throws HistoryError */
export function listHistory(resultsFolder: string): HistoryRun[] {
  return read(resultsFolder, (database) =>
    database
      .query<RunRow, []>("SELECT * FROM runs ORDER BY started_at, id")
      .all()
      .map((row) => toRun(row)),
  );
}

/** All figures of one contender, oldest run first, in the order in which tables show measures. @throws HistoryError */
export function listFigureHistory(resultsFolder: string, contender: string): HistoryFigure[] {
  return read(resultsFolder, (database) =>
    database
      .query<FigureRow & RunRow, [string]>(
        `SELECT runs.*, contender, phase, measure, value, step, figures.rounds AS round_values
         FROM figures JOIN runs ON runs.id = figures.run WHERE contender = ? ORDER BY started_at, id`,
      )
      .all(contender)
      .map((row) => ({
        run: toRun(row),
        contender: row.contender,
        phase: row.phase,
        measure: row.measure,
        value: row.value,
        values: JSON.parse(row.round_values),
        step: row.step,
      })),
  );
}

export interface Rebuilt {
  readonly entered: number;
  /** Runs whose file can't be read, with the reason. */
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

/**
 * Makes the history anew from the result files of a folder, whatever became of the old one.
 *
 * @throws HistoryError when the new file can't be written
 */
export function rebuildHistory(resultsFolder: string): Rebuilt {
  const path = historyPath(resultsFolder);
  const unfinished = `${path}.unfinished`;
  const skipped: { id: string; reason: string }[] = [];
  const ids = listRuns(resultsFolder);
  try {
    mkdirSync(resultsFolder, { recursive: true });
    removeDatabase(unfinished);
    withHistory(unfinished, (database) => {
      for (const id of ids) {
        try {
          enter(database, readResultFile(join(resultsFolder, id, "result.json")).result);
        } catch (error) {
          skipped.push({ id, reason: error instanceof Error ? error.message : String(error) });
        }
      }
    });
    // SQLite would play the old file's journal back into the new one.
    removeDatabase(path);
    renameSync(unfinished, path);
  } catch (error) {
    throw explain(error, path);
  }
  return { entered: ids.length - skipped.length, skipped };
}

interface RunRow {
  readonly id: string;
  readonly started_at: string;
  readonly status: string;
  readonly preset: string;
  readonly rounds: number;
  readonly machine: string;
  readonly conditions: string;
  readonly contenders: string;
}

interface FigureRow {
  readonly contender: string;
  readonly phase: string;
  readonly measure: string;
  readonly value: number;
  readonly step: number;
  readonly round_values: string;
}

function toRun({
  id,
  started_at,
  status,
  preset,
  rounds,
  machine,
  conditions,
  contenders,
}: RunRow): HistoryRun {
  return {
    id,
    startedAt: started_at,
    status: status as Result["status"],
    preset,
    rounds,
    machine,
    conditions,
    contenders: JSON.parse(contenders),
  };
}

function enter(database: Database, result: Result): void {
  const { id, startedAt, status, plan, environment } = result;
  const contenders = JSON.stringify(participantsOf(result).map(nameOf));
  const figures = listFigures(result);
  database.transaction(() => {
    // Replacing a run deletes its figures with it.
    database
      .query("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
      .run(
        id,
        startedAt,
        status,
        plan.preset,
        plan.rounds,
        describeMachine(environment),
        describeConditions(result),
        contenders,
      );
    const insert = database.query("INSERT INTO figures VALUES (?, ?, ?, ?, ?, ?, ?)");
    for (const { contender, phase, measure, value, values, step } of figures) {
      if (value !== null) {
        insert.run(id, contender, phase, measure.name, value, JSON.stringify(values), step);
      }
    }
  })();
}

function describeMachine({ cpuModel, cpuCount }: Result["environment"]): string {
  return `${cpuModel}, ${cpuCount} CPU${cpuCount === 1 ? "" : "s"}`;
}

/** Says how well something is known, who else took part or when to give up: none of it changes a figure. */
const irrelevant = new Set(["seed", "rounds", "entrants", "preset", "port", "timeouts", "errorThreshold"]);

function describeConditions({ plan, environment }: Result): string {
  const work = Object.entries(plan).filter(([key]) => !irrelevant.has(key));
  const { cpuModel, cpuCount, arch } = environment;
  const text = JSON.stringify({ work, machine: { cpuModel, cpuCount, arch } });
  return new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 16);
}

function read<Value>(resultsFolder: string, use: (database: Database) => Value): Value {
  const path = historyPath(resultsFolder);
  if (!existsSync(path)) return withHistory(":memory:", use);
  try {
    return withHistory(path, use);
  } catch (error) {
    throw explain(error, path);
  }
}

/** Runs of a results folder that the history does not have. */
export function listMissing(resultsFolder: string, known: readonly HistoryRun[]): string[] {
  const ids = new Set(known.map(({ id }) => id));
  return listRuns(resultsFolder).filter((id) => !ids.has(id));
}
