import { existsSync } from "node:fs";
import { relative, resolve } from "node:path";
import { openProcessLink } from "../engine/process-link.ts";
import type { Report } from "../engine/worker-protocol.ts";
import { ShowdownError } from "../errors.ts";
import { printable } from "../text/printable.ts";
import { checkTypes } from "./scenario-types.ts";

type Loaded = Extract<Report, { kind: "scenario" }>["loaded"];

export interface ChosenScenario {
  /** Relative to the folder where it lies in it. */
  readonly file: string;
  /** Whom it says to load; null where it does not. */
  readonly url: string | null;
  /** Why its types were not checked; null where they were. */
  readonly unchecked: string | null;
}

/** What stands outside of its function has to be done by then. */
const loadMs = 20_000;

/** Whether it is a module and no URL. */
export function isScenarioFile(text: string): boolean {
  return !text.includes("://") && /\.[cm]?[jt]sx?$/.test(text);
}

/**
 * Checks its types, and loads it in a process of its own: whatever it does there, this one goes on.
 *
 * @param folder that a path is relative to
 * @throws {ShowdownError} `usage`, with file, line and column where they are known
 */
export async function chooseScenario(given: string, folder: string): Promise<ChosenScenario> {
  const path = resolve(folder, given);
  if (!existsSync(path)) {
    throw new ShowdownError("usage", `${printable(given)}: there is no such file, expected a scenario`);
  }
  const within = relative(folder, path);
  const file = within.startsWith("..") ? path : within;
  const [types, loaded] = await Promise.all([checkTypes(path, folder), load(path)]);
  if ("problems" in types && types.problems.length > 0) {
    throw new ShowdownError("usage", types.problems.join("\n       "), {
      hint: "its first line may say // @ts-nocheck, then nobody looks at types",
    });
  }
  if ("problem" in loaded) {
    throw new ShowdownError("usage", printable(loaded.problem.replace(path, file), { most: 500 }), {
      hint: loaded.hint ?? undefined,
    });
  }
  return { file, url: loaded.url, unchecked: "unchecked" in types ? types.unchecked : null };
}

async function load(path: string): Promise<Loaded> {
  const { promise, resolve: tell } = Promise.withResolvers<Loaded>();
  const fail = (problem: string) => tell({ problem: `${path}: ${problem}`, hint: null });
  const link = openProcessLink(0, {
    onReport: (report) => {
      if (report.kind === "scenario") tell(report.loaded);
      else if (report.kind === "fault") fail(report.message);
    },
    onExit: ({ code, signal }) =>
      fail(`it ended the process while it was loaded (${signal ?? `exit code ${code}`})`),
  });
  const timer = setTimeout(() => {
    fail(`it was not loaded within ${loadMs / 1000} s: expected what takes its time inside of "run"`);
  }, loadMs);
  try {
    link.send({ kind: "load-scenario", file: path });
    return await promise;
  } finally {
    clearTimeout(timer);
    await link.end();
  }
}
