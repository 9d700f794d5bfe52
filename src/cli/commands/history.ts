import { exitCodes, ShowdownError } from "../../errors.ts";
import { boundLines } from "../../text/bound-lines.ts";
import { suggest } from "../../text/nearest.ts";

import { parseSelector } from "../../views/compare/selector.ts";
import { type HistoryRun, listHistoryPhases, readHistory } from "../../views/history/history.ts";
import { listTrends } from "../../views/history/trend.ts";
import { renderPoints, renderRuns, renderTrends, trendToJson } from "../../views/history/trend-text.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";

/** More files than these that can't be read are counted only. */
const mostSkipped = 3;

/** `showdown history`: all runs, or what became of one contender over them. Returns the exit code. */
export async function history({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [first] = positionals;
  if (first !== undefined) {
    throw new ShowdownError("usage", `unexpected "${positionals.join(" ")}": history takes no names`, {
      hint: `for the trend of a contender: showdown history --contender ${first}`,
    });
  }
  const { contender, measure } = values;
  if (measure !== undefined && contender === undefined) {
    throw new ShowdownError("usage", "--measure needs a contender", { hint: "say whose with --contender" });
  }
  const folder = resultsFolder(values, host);
  const { runs, skipped } = readHistory(folder, (figure) => figure.contender === contender);
  for (const problem of boundLines(skipped, mostSkipped)) host.err(`warning: left out: ${problem}\n`);
  host.out(
    contender === undefined
      ? writeRuns(runs, values, folder, host)
      : writeTrends(contender, runs, values, host),
  );
  return exitCodes.ok.code;
}

function writeRuns(runs: readonly HistoryRun[], { json }: OptionValues, folder: string, host: Host): string {
  if (json) {
    const told = runs.map(({ id, startedAt, status, plan, rounds, environment, contenders }) => {
      const { cpuModel, cpuCount } = environment;
      const { preset } = plan;
      return { id, startedAt, status, preset, rounds, cpuModel, cpuCount, contenders };
    });
    return `${JSON.stringify(told)}\n`;
  }
  if (runs.length === 0) return `There is no run in ${folder}.\n`;
  return `${renderRuns(runs, host.columns()).join("\n")}\n`;
}

function writeTrends(
  contender: string,
  runs: readonly HistoryRun[],
  { json, measure }: OptionValues,
  host: Host,
): string {
  const known = [...new Set(runs.flatMap((run) => run.contenders))];
  if (!known.includes(contender)) {
    throw new ShowdownError(
      "unknownContender",
      `no run has a contender "${contender}"${suggest(contender, known)}`,
      { hint: known.length === 0 ? "there are no runs" : `there are: ${known.join(", ")}` },
    );
  }
  const phases = listHistoryPhases(runs);
  const wanted = measure === undefined ? null : readMeasure(measure, contender, phases);
  const trends = listTrends(runs).filter(({ points: [{ figure }] }) => {
    const kind = phases.find(({ name }) => name === figure.phase)?.kind;
    return wanted === null
      ? kind !== undefined && figure.measure.shown.includes(kind)
      : figure.measure === wanted.measure && wanted.phases.includes(figure.phase);
  });
  if (json) return `${JSON.stringify(trends.map(trendToJson))}\n`;
  const width = host.columns();
  const lines = [
    contender,
    ...renderTrends(trends, width),
    ...(wanted === null
      ? []
      : trends.flatMap((trend) => ["", trend.points[0].figure.phase, ...renderPoints(trend, width)])),
    "",
    "A line holds the runs with the last one's work and machine. Others are left out.",
  ];
  return `${lines.join("\n")}\n`;
}

function readMeasure(text: string, contender: string, phases: ReturnType<typeof listHistoryPhases>) {
  const selector = parseSelector(text, { contenders: [contender], phases });
  if (typeof selector === "string") throw new ShowdownError("usage", `--measure "${text}": ${selector}`);
  return selector;
}
