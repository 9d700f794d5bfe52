import { Database } from "bun:sqlite";
import { rmSync } from "node:fs";

/** Raised with every change of the tables; the file keeps it as SQLite's `user_version`. */
const historyVersion = 1;
/** Longer than any entry takes to be written, short enough to wait for at the end of a run. */
const busyMs = 2000;

const tables = `
  CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    started_at TEXT NOT NULL,
    status TEXT NOT NULL,
    preset TEXT NOT NULL,
    rounds INTEGER NOT NULL,
    machine TEXT NOT NULL,
    -- What has to be alike for figures to be: the plan without seed, rounds and entrants; the machine.
    conditions TEXT NOT NULL,
    -- JSON array of names
    contenders TEXT NOT NULL
  ) STRICT;
  CREATE TABLE figures (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    contender TEXT NOT NULL,
    phase TEXT NOT NULL,
    measure TEXT NOT NULL,
    -- Over the rounds, in the measure's unit
    value REAL NOT NULL,
    -- JSON array, one per round that counts
    rounds TEXT NOT NULL,
    step REAL NOT NULL,
    PRIMARY KEY (run, contender, phase, measure)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${historyVersion};
`;

/** The history can't be used: says why and how to repair it. Never an end for a run. */
export class HistoryError extends Error {
  readonly hint: string;

  constructor(message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.name = "HistoryError";
    this.hint = hint;
  }
}

/** Opens the file, makes its tables where there are none, and closes it whatever happens. */
export function withHistory<Value>(path: string, use: (database: Database) => Value): Value {
  const database = new Database(path, { create: true, strict: true });
  try {
    database.run(`PRAGMA busy_timeout = ${busyMs}`);
    database.run("PRAGMA foreign_keys = ON");
    if (versionOf(database) === 0) {
      // Two runs that end at once may both come here: whoever is second finds the tables made.
      database
        .transaction(() => {
          if (versionOf(database) === 0) database.run(tables);
        })
        .immediate();
    }
    const version = versionOf(database);
    if (version !== historyVersion) {
      throw new HistoryError(
        `${path} is of version ${version}; expected ${historyVersion}`,
        version > historyVersion
          ? 'a newer showdown wrote it: update this one, or move it away and run "showdown history --rebuild"'
          : 'make it anew from the result files with "showdown history --rebuild"',
      );
    }
    return use(database);
  } finally {
    database.close();
  }
}

function versionOf(database: Database): number {
  return database.query<{ user_version: number }, []>("PRAGMA user_version").get()?.user_version ?? 0;
}

export function removeDatabase(path: string): void {
  for (const suffix of ["", "-journal", "-wal", "-shm"]) rmSync(path + suffix, { force: true });
}

const rebuild = 'make it anew from the result files with "showdown history --rebuild"';

export function explain(error: unknown, path: string): HistoryError {
  if (error instanceof HistoryError) return error;
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "";
  const message = error instanceof Error ? error.message : String(error);
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) {
    return new HistoryError(
      `${path} was locked by another program for ${busyMs / 1000} s`,
      'when that has ended, "showdown history --rebuild" enters what is missing',
      error,
    );
  }
  if (code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT")) {
    return new HistoryError(`${path} is damaged (${message})`, rebuild, error);
  }
  if (code === "SQLITE_ERROR")
    return new HistoryError(`${path} has other tables (${message})`, rebuild, error);
  return new HistoryError(
    `${path} cannot be used: ${message}`,
    "see that the folder is writable and has space",
    error,
  );
}
