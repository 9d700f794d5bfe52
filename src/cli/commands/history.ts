import { exitCodes, ShowdownError, UnknownContenderError, UsageError } from "../../errors.ts";
import { phaseNames } from "../../plan/resolve.ts";
import { plural } from "../../text/format.ts";
import { suggest } from "../../text/nearest.ts";
import { renderText } from "../../text/table.ts";
import { phasesOf } from "../../views/compare/measures.ts";
import { parseSelector, type Scope } from "../../views/compare/selector.ts";
import { listTrends, renderPoints, renderTrends, type Trend } from "../../views/compare/trend.ts";
import {
  type HistoryRun,
  listFigureHistory,
  listHistory,
  listMissing,
  rebuildHistory,
} from "../../views/history/history.ts";
import { HistoryError } from "../../views/history/history-database.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";

/** `showdown history`: all runs, or what became of one contender over them. Returns the exit code. */
export async function history({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  if (positionals.length > 0) {
    throw new UsageError(`unexpected "${positionals.join(" ")}": history takes no names`, {
      hint: `for the trend of a contender: showdown history --contender ${positionals[0]}`,
    });
  }
  const folder = resultsFolder(values, host);
  try {
    if (values.rebuild) rebuild(folder, host);
    const runs = listHistory(folder);
    const missing = listMissing(folder, runs);
    if (missing.length > 0) {
      host.err(
        `warning: ${plural(missing.length, "run")} of ${folder} ${missing.length === 1 ? "is" : "are"} not in the history (${missing.slice(0, 3).join(", ")}${missing.length > 3 ? ", …" : ""}); "showdown history --rebuild" enters what can be read\n`,
      );
    }
    host.out(
      values.contender === undefined
        ? writeRuns(runs, values, folder, host)
        : writeTrends(values.contender, runs, values, folder, host),
    );
    return exitCodes.ok.code;
  } catch (error) {
    if (!(error instanceof HistoryError)) throw error;
    throw new ShowdownError("resultsFolder", error.message, { hint: error.hint, cause: error });
  }
}

function rebuild(folder: string, host: Host): void {
  const { entered, skipped } = rebuildHistory(folder);
  for (const { id, reason } of skipped) host.err(`warning: run ${id} is left out: ${reason}\n`);
  host.err(`The history has ${plural(entered, "run")} of ${folder}\n`);
}

function writeRuns(runs: readonly HistoryRun[], values: OptionValues, folder: string, host: Host): string {
  if (values.measure !== undefined) {
    throw new UsageError("--measure needs a contender", { hint: "say whose with --contender" });
  }
  if (values.json) return `${JSON.stringify(runs)}\n`;
  if (runs.length === 0) return `There is no run in the history of ${folder}.\n`;
  const rows = runs.map(({ id, preset, machine, rounds, status, contenders }) => ({
    cells: [id, preset, String(rounds), statusWords[status], contenders.join(", "), machine].map((text) => ({
      text,
    })),
  }));
  const headers = ["run", "preset", "rounds", "status", "contenders", "machine"];
  const columns = headers.map((header) => ({
    header,
    align: header === "rounds" ? ("right" as const) : ("left" as const),
  }));
  return `${renderText({ columns, rows }, { width: host.columns() }).join("\n")}\n`;
}

const statusWords = {
  finished: "finished",
  aborted: "stopped",
  running: "cut off",
} as const satisfies Record<HistoryRun["status"], string>;

function writeTrends(
  contender: string,
  runs: readonly HistoryRun[],
  values: OptionValues,
  folder: string,
  host: Host,
): string {
  const known = [...new Set(runs.flatMap((run) => run.contenders))];
  if (!known.includes(contender)) {
    throw new UnknownContenderError(
      `the history has no contender "${contender}"${suggest(contender, known)}`,
      {
        hint: known.length === 0 ? "the history has no runs" : `there are: ${known.join(", ")}`,
      },
    );
  }
  const figures = listFigureHistory(folder, contender);
  const phases = listPhases(figures);
  const wanted = values.measure === undefined ? null : readMeasure(values.measure, contender, phases);
  const trends = listTrends(figures, phases, ({ name, kind }, measure) =>
    wanted === null
      ? measure.shown.includes(kind)
      : measure === wanted.measure && wanted.phases.includes(name),
  );
  if (values.json) return `${JSON.stringify(trends.map(toJson))}\n`;
  const width = host.columns();
  const lines = [
    contender,
    ...renderTrends(trends, width),
    ...(wanted === null ? [] : trends.flatMap((trend) => ["", trend.phase, ...renderPoints(trend, width)])),
    "",
    "A line holds the runs of the last one's plan and machine; others are left out.",
  ];
  return `${lines.join("\n")}\n`;
}

/** In the order in which plans have them. */
function listPhases(figures: readonly { readonly phase: string }[]): Scope["phases"] {
  const names = [...new Set(figures.map(({ phase }) => phase))].sort();
  return phasesOf(Object.values(phaseNames)).flatMap(({ name, kind }) =>
    names
      .filter((other) => other === name || other.startsWith(`${name}#`))
      .map((other) => ({ name: other, kind })),
  );
}

function readMeasure(text: string, contender: string, phases: Scope["phases"]) {
  const selector = parseSelector(text, { contenders: [contender], phases });
  if ("problem" in selector) throw new UsageError(`--measure "${text}": ${selector.problem}`);
  return selector.value;
}

function toJson({ contender, phase, measure, points, change, otherConditions }: Trend) {
  return {
    contender,
    phase,
    measure: measure.name,
    unit: measure.unit,
    runs: points.map(({ run, value, values }) => ({ id: run.id, value, rounds: values })),
    lastChange:
      change === null
        ? null
        : { kind: change.kind, ratio: change.ratio, limits: change.limits, reason: change.reason },
    otherConditions,
  };
}
