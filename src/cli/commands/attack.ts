import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import { chooseAdapter } from "../../attack/choose-adapter.ts";
import type { AttackEvent } from "../../attack/events.ts";
import { checkMemory, chooseSources } from "../../attack/room.ts";
import { type AttackHandle, startAttack } from "../../attack/start-attack.ts";
import { describeTarget, readTarget } from "../../attack/target.ts";
import type { traceAttack } from "../../attack/trace.ts";
import { exitCodes, ShowdownError } from "../../errors.ts";
import { describeEnvironment, readDescriptorLimit } from "../../machine/environment.ts";
import { parseAttackLimits } from "../../measures/attack-measures.ts";
import { attackParameters } from "../../plan/attack/parameters.ts";
import { type AttackPlan, resolveAttack, withoutSecrets } from "../../plan/attack/plan.ts";
import type { AttackResult } from "../../result/attack.ts";
import { writeRunFile } from "../../result/file.ts";
import { createPainter } from "../../text/style.ts";
import { createAttackProgress } from "../../views/attack/progress.ts";
import { buildTraceEnd } from "../../views/attack/report.ts";
import { describeStep } from "../../views/attack/trace-text.ts";
import { renderBlocks } from "../../views/render/terminal.ts";
import { readData, readMessageFile } from "../attack-data.ts";
import { exitCodeOf, judgeAttack, renderAttack, renderAttackSummary } from "../attack-report.ts";
import { confirmLoad } from "../attack-target.ts";
import { commandLine } from "../command-options.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { isForProgram, withOutputs } from "../outputs.ts";
import { resultsFolder } from "../paths.ts";
import { requireFormat } from "../report-files.ts";
import { untilStopped } from "../signals.ts";

/** `showdown attack`: any server by its URL. Returns the exit code. */
export async function attack(options: ParsedOptions, host: Host): Promise<number> {
  const { values, attack: settings, positionals } = options;
  const [url, ...others] = positionals;
  if (url === undefined || others.length > 0) {
    throw new ShowdownError("usage", `expected one URL, got ${positionals.join(", ") || "none"}`, {
      hint: "showdown attack ws://127.0.0.1:9001/",
    });
  }
  for (const file of values.out ?? []) requireFormat(file, "attack");
  const limits = {
    thresholds: parseAttackLimits("--threshold", values.threshold ?? []),
    abortOn: parseAttackLimits("--abort-on", values["abort-on"] ?? [], true),
  };
  const data = readData(values, host);
  const messageFile = readMessageFile(values, settings, host);
  const adapter = await chooseAdapter(values.adapter, values["adapter-option"], data, host.cwd);
  const usual = { path: adapter?.module.path, subprotocols: adapter?.planned.subprotocols ?? [] };
  const environment = describeEnvironment();
  const { target, access } = await readTarget(url, values, usual, host.cwd);
  const connections = settings.connections ?? attackParameters.connections.default;
  const plan = resolveAttack({
    target,
    settings,
    messageFile,
    data,
    adapter: adapter?.planned ?? null,
    sourceAddresses: chooseSources(target, connections, values["source-address"] ?? []),
    cpus: cpus().length,
    descriptorLimit: readDescriptorLimit().soft,
  });
  if (values["dry-run"]) {
    host.out(`${JSON.stringify({ plan: withoutSecrets(plan) }, null, 2)}\n`);
    return exitCodes.ok.code;
  }
  checkMemory(plan);
  await confirmLoad(plan, values, host);
  host.err(`Target: ${describeTarget(target)}\n`);
  return await untilStopped(host, async (signal) => {
    const common = {
      environment,
      command: commandLine(host),
      rows: data?.rows ?? [],
      access,
      before: values.before,
      after: values.after,
      signal,
    };
    if (values.trace) return await trace(plan, common, host);
    const folder = resultsFolder(values, host);
    const progress = createAttackProgress({
      write: host.err,
      columns: host.columns,
      isTty: host.errIsTty,
    });
    const result = await withOutputs(values, host, progress, async (outputs) => {
      const started = startAttack(plan, { ...common, resultsFolder: folder, abortOn: limits.abortOn });
      return await follow(started, [progress.onEvent, outputs.ofAttack(started.id, plan)]);
    });
    await tellEnd(result, join(folder, result.id), values, host);
    return judgeAttack(result, limits.thresholds, host);
  });
}

/** `--trace`: what one connection and the server say to each other. */
async function trace(
  plan: AttackPlan,
  options: Parameters<typeof traceAttack>[1],
  host: Host,
): Promise<number> {
  const paint = createPainter(host.outIsTty && !host.env.NO_COLOR);
  // Brings the generator into this process, which no other attack needs.
  const { traceAttack } = await import("../../attack/trace.ts");
  const result = await traceAttack(plan, options, (step) => host.out(`${describeStep(step, paint)}\n`));
  const screen = { columns: host.columns(), color: host.outIsTty && !host.env.NO_COLOR };
  host.out(`\n${renderBlocks(buildTraceEnd(result), screen).join("\n")}\n`);
  return exitCodeOf(result.status === "invalid" ? { ...result, status: "ok" } : result);
}

async function follow(
  started: AttackHandle,
  listeners: readonly ((event: AttackEvent) => void)[],
): Promise<AttackResult> {
  for await (const event of started.events) {
    for (const listen of listeners) listen(event);
  }
  return await started.result;
}

async function tellEnd(
  result: AttackResult,
  folder: string,
  values: OptionValues,
  host: Host,
): Promise<void> {
  await writeRunFile(join(folder, "report.md"), await renderAttack("report.md", result));
  await writeRunFile(join(folder, "report.html"), await renderAttack("report.html", result));
  const isTty = isForProgram(values) ? host.errIsTty : host.outIsTty;
  const summary = renderAttackSummary(result, {
    columns: host.columns(),
    color: isTty && !host.env.NO_COLOR,
  });
  (isForProgram(values) ? host.err : host.out)(summary);
  if (values.json) host.out(`${JSON.stringify(result)}\n`);
  for (const file of values.out ?? []) await writeReport(file, result, host);
  host.err(`\nWritten to ${folder}\n`);
}

async function writeReport(file: string, result: AttackResult, host: Host): Promise<void> {
  const path = resolve(host.cwd, file);
  const text = await renderAttack(path, result);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    throw new ShowdownError("writing", `${path} cannot be written: ${(cause as Error).message}`, { cause });
  }
  host.err(`Written: ${path}\n`);
}
