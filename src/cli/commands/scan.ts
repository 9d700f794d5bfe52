import { join } from "node:path";
import type { ResolvedEntrant } from "../../contenders/entrants.ts";
import { exitCodes, isShowdownError, ShowdownError } from "../../errors.ts";
import { readTopology } from "../../machine/cpus.ts";
import { balancedOrder } from "../../plan/order.ts";
import type { ParameterName } from "../../plan/parameters.ts";
import { type Plan, sharesCpus } from "../../plan/plan.ts";
import { writeRunFile } from "../../result/file.ts";
import { nameRun } from "../../result/run-name.ts";
import { type NotScanned, type Scan, scanSchema } from "../../result/scan.ts";
import { type Environment, type Result, schemaVersion } from "../../result/schema.ts";
import { suggest } from "../../text/nearest.ts";
import { parseThresholds } from "../../views/compare/gate-grammar.ts";
import { appendJobSummary } from "../../views/compare/job-summary.ts";
import { renderBlocks as renderMarkdown } from "../../views/render/markdown.ts";
import { renderBlocks as renderTerminal } from "../../views/render/terminal.ts";
import { buildScan } from "../../views/scan/document.ts";
import { listScanFigures } from "../../views/scan/figures.ts";
import { commandLine, optionsOf } from "../command-options.ts";
import type { Host } from "../host.ts";
import { judgeEnd, runOnce } from "../one-run.ts";
import type { ParsedOptions } from "../options.ts";
import { isForProgram, type Outputs, withOutputs } from "../outputs.ts";
import { resultsFolder } from "../paths.ts";
import { makePlan } from "../plan-options.ts";
import { showProgress, untilStopped } from "../signals.ts";

interface Field {
  readonly entrants: readonly ResolvedEntrant[];
  readonly environment: Environment;
}

/** One value of the parameter, and what becomes of it. */
interface Try {
  readonly value: string;
  /** Null where this machine can't give what it asks for. */
  readonly planned: { readonly plan: Plan; readonly pinReason: string | null } | null;
  run: NonNullable<Scan["values"][number]["run"]> | null;
  notRun: NotScanned | null;
  /** Of a run that came to its end. */
  result: Result | null;
}

/** `showdown run --scan`: a run for each value, and how the contenders scale with it. Returns the exit code. */
export async function scan(asked: string, options: ParsedOptions, field: Field, host: Host): Promise<number> {
  const { values } = options;
  const { parameter, tries } = planTries(asked, options, field);
  if (values["dry-run"]) {
    const plans = tries.map(({ value, planned, notRun }) => ({
      value,
      notRun,
      ...describePlan(planned?.plan),
    }));
    host.out(`${JSON.stringify({ parameter, values: plans }, null, 2)}\n`);
    return exitCodes.ok.code;
  }
  const startedAt = new Date().toISOString();
  const id = nameRun(startedAt, "scan");
  const folder = join(resultsFolder(values, host), id);
  const keep = async (status: Scan["status"]) => {
    const document = scanSchema.parse({
      schema: schemaVersion,
      id,
      startedAt,
      finishedAt: status === "running" ? null : new Date().toISOString(),
      status,
      command: commandLine(host),
      parameter,
      values: tries.map(({ value, run, notRun }) => ({ value, run, notRun })),
      figures: listScanFigures(tries.map(({ result }) => result)),
    } satisfies Scan);
    await writeScan(document, folder);
    return document;
  };
  return await untilStopped(host, async (signal, progress) => {
    const codes: number[] = [];
    const runAll = async (outputs: Outputs) => {
      for (const [at, one] of tries.entries()) {
        if (one.planned === null || signal.aborted) continue;
        host.err(`\n${parameter} ${one.value} (${at + 1} of ${tries.length})\n`);
        const { plan } = one.planned;
        const label = `${plan.preset}-${parameter}-${one.value.replaceAll(/[^\w.-]/g, "-")}`;
        const watchers = { values, host, signal, progress: showProgress(host), outputs };
        const { result } = await runOnce({ ...one.planned, ...field, label }, watchers);
        one.run = describeRun(result);
        codes.push(judgeEnd(result, { values, host }));
        if (result.status !== "finished") continue;
        one.notRun = null;
        one.result = result;
        await keep("running");
      }
    };
    try {
      await withOutputs(values, host, progress, runAll);
    } catch (error) {
      const isBegun = tries.some(({ run }) => run !== null);
      // A run that is stopped before its first round leaves nothing.
      const isStopped = signal.aborted && isShowdownError(error, "aborted");
      if (isBegun && !isStopped) await keep("aborted").catch(() => {});
      if (!isBegun || !isStopped) throw error;
    }
    for (const one of tries) {
      if (signal.aborted && one.notRun?.kind === "not-reached") one.notRun = { kind: "stopped-by-user" };
    }
    tellEnd(await keep(signal.aborted ? "aborted" : "finished"), tries, options, host);
    host.err(`\nWritten to ${folder}\n`);
    return signal.aborted ? exitCodes.aborted.code : (codes.find((code) => code !== 0) ?? exitCodes.ok.code);
  });
}

/**
 * All plans, so that nothing is refused after an hour. A number of CPUs that the machine does not have is no mistake: the
 * same scan is meant for larger machines, so the other values are run.
 *
 * @throws {ShowdownError} `usage` for a scan of which a value is not possible, or none can be run
 */
function planTries(asked: string, options: ParsedOptions, { entrants, environment }: Field) {
  const { settings, values } = options;
  const [, name = "", list = ""] = /^(?:--)?([a-z0-9-]+)=(.*)$/.exec(asked) ?? [];
  const refuse = (problem: string, hint?: string) =>
    new ShowdownError("usage", `--scan ${asked}: ${problem}`, { hint });
  const known = optionsOf("run").filter((option) => option.parameter !== null);
  const option = known.find((one) => one.name === name);
  if (option?.parameter == null) {
    throw refuse(
      name === ""
        ? "expected a parameter and its values, as in server-cpus=1,2,4"
        : `no parameter of the plan is named "${name}"${suggest(
            name,
            known.map((one) => one.name),
          )}`,
      'see "Plan" in "showdown run --help"',
    );
  }
  const { type } = option;
  const parameter = option.parameter as ParameterName;
  if (settings[parameter] !== undefined) throw refuse(`--${name} is given, too`, "give one of the two");
  const texts = list.split(",").map((text) => text.trim());
  if (texts.length < 2) throw refuse("expected at least two values, as in server-cpus=1,2,4");
  const { cpus, canPin } = readTopology();
  const tries = texts.map((value): Try => {
    const read = type.read(value);
    if ("expected" in read) throw refuse(`"${value}" is none of its values, expected ${read.expected}`);
    const needed = parameter === "serverCpus" && typeof read.value === "number" && canPin ? read.value : 0;
    const ends = { value, run: null, result: null };
    if (needed > cpus.length) {
      return { ...ends, planned: null, notRun: { kind: "too-few-cpus", needed, available: cpus.length } };
    }
    const planned = makePlan(
      { settings: { ...settings, [parameter]: read.value }, values },
      entrants,
      environment,
    );
    parseThresholds(values.threshold ?? [], planned.plan);
    return { ...ends, planned, notRun: { kind: "not-reached" } };
  });
  if (tries.every(({ planned }) => planned === null)) {
    throw refuse(`every value needs more CPUs than there are, ${cpus.length}`, "give smaller ones");
  }
  return { parameter: name, tries };
}

function describePlan(plan: Plan | undefined) {
  return plan === undefined ? {} : { plan, order: balancedOrder(plan.entrants, plan.rounds, plan.seed) };
}

function describeRun({ id, plan }: Result): Try["run"] {
  const { serverCpus, workerCpus, workers, pacing } = plan;
  return {
    id,
    serverCpus: serverCpus === null ? null : [...serverCpus],
    workerCpus: workerCpus === null ? null : [...workerCpus],
    sharesCpus: sharesCpus(plan),
    workers,
    pacing,
  };
}

async function writeScan(document: Scan, folder: string): Promise<void> {
  const blocks = buildScan(document);
  await writeRunFile(join(folder, "scan.json"), `${JSON.stringify(document, null, 1)}\n`);
  await writeRunFile(join(folder, "report.md"), `${renderMarkdown(blocks)}\n`);
  // Brings the page's whole machinery, which nothing else here needs.
  const { renderBlocks } = await import("../../views/render/html.ts");
  await writeRunFile(join(folder, "report.html"), renderBlocks(blocks));
}

function tellEnd(document: Scan, tries: readonly Try[], { values }: ParsedOptions, host: Host): void {
  const blocks = buildScan(document);
  const problem = appendJobSummary(host.env, `${renderMarkdown(blocks)}\n`);
  if (problem !== null) host.err(`warning: ${problem}\n`);
  const isTty = isForProgram(values) ? host.errIsTty : host.outIsTty;
  const screen = { columns: host.columns(), color: isTty && !host.env.NO_COLOR };
  const summary = `${renderTerminal(blocks, screen).join("\n")}\n`;
  (isForProgram(values) ? host.err : host.out)(summary);
  if (!values.json) return;
  const results = tries.flatMap(({ result }) => result ?? []);
  host.out(`${JSON.stringify({ ...document, results })}\n`);
}
