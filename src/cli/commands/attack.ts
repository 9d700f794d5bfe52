import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { AttackEvent } from "../../attack/events.ts";
import { type AttackHandle, startAttack } from "../../attack/start-attack.ts";
import { traceAttack } from "../../attack/trace.ts";
import type { Adapter, Client } from "../../engine/adapters/adapter.ts";
import { isAdapterFile, loadAdapter } from "../../engine/adapters/adapters.ts";
import { exitCodes, isShowdownError, ShowdownError } from "../../errors.ts";
import { describeEnvironment } from "../../machine/environment.ts";
import { parseAttackLimits } from "../../measures/attack-measures.ts";
import {
  type AttackPlan,
  type DataTable,
  type PlannedAdapter,
  readAdapterOptions,
  resolveAttack,
} from "../../plan/attack/plan.ts";
import type { AttackResult } from "../../result/attack.ts";
import { writeRunFile } from "../../result/file.ts";
import { createPainter } from "../../text/style.ts";
import { createAttackProgress } from "../../views/attack/progress.ts";
import { buildTraceEnd } from "../../views/attack/report.ts";
import { describeStep } from "../../views/attack/trace-text.ts";
import { renderBlocks } from "../../views/render/terminal.ts";
import { readData, readMessageFile } from "../attack-data.ts";
import { exitCodeOf, judgeAttack, renderAttack, renderAttackSummary } from "../attack-report.ts";
import { confirmLoad, describeTarget, readTarget } from "../attack-target.ts";
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
  const adapter = await chooseAdapter(values, data, host);
  const [{ target, headers }, environment] = await Promise.all([
    readTarget(url, values, {
      path: adapter?.module.path,
      subprotocols: adapter?.planned.subprotocols ?? [],
    }),
    describeEnvironment(),
  ]);
  const plan = resolveAttack({
    target,
    settings,
    messageFile,
    data,
    adapter: adapter?.planned ?? null,
    sourceAddresses: values["source-address"] ?? [],
    cpus: cpus().length,
    descriptorLimit: environment.descriptorLimit.soft,
  });
  if (values["dry-run"]) {
    host.out(`${JSON.stringify({ plan }, null, 2)}\n`);
    return exitCodes.ok.code;
  }
  await confirmLoad(plan, values, host);
  host.err(`Target: ${describeTarget(target)}\n`);
  return await untilStopped(host, async (signal) => {
    const common = {
      environment,
      command: withoutSecrets(commandLine(host)),
      rows: data?.rows ?? [],
      headers,
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

interface ChosenAdapter {
  readonly module: Adapter;
  readonly planned: PlannedAdapter;
}

/** Loads it, and lets it refuse its options before there is any connection. */
async function chooseAdapter(
  values: OptionValues,
  data: DataTable | null,
  host: Host,
): Promise<ChosenAdapter | null> {
  const options = readAdapterOptions(values["adapter-option"] ?? []);
  if (values.adapter === undefined) {
    if (Object.keys(options).length === 0) return null;
    throw new ShowdownError("usage", "--adapter-option: expected --adapter, too");
  }
  const name = isAdapterFile(values.adapter) ? resolve(host.cwd, values.adapter) : values.adapter;
  let module: Adapter;
  try {
    module = await loadAdapter(name, options);
    const row = Object.fromEntries(
      (data?.columns ?? []).map((column, at) => [column, data?.rows[0]?.[at] ?? ""]),
    );
    module.createSession({ ...nobody, row }, options);
  } catch (cause) {
    if (isShowdownError(cause)) throw cause;
    throw new ShowdownError("usage", `--adapter ${values.adapter}: ${(cause as Error).message}`, { cause });
  }
  const { subprotocols = [], answers } = module;
  return { module, planned: { name, options, subprotocols, answers } };
}

const nobody: Client = {
  index: 0,
  room: "room-0",
  row: {},
  say: () => {},
  ready: () => {},
  reply: () => {},
  deliver: () => {},
  refuse: () => {},
};

const secretOptions = /^(--(?:header|cookie)|SHOWDOWN_(?:HEADER|COOKIE))(?:(=).*)?$/s;

/** Values of headers and cookies are not written down. */
function withoutSecrets(words: readonly string[]): string[] {
  return words.map((word, at) => {
    const [, option, isInline] = secretOptions.exec(word) ?? [];
    if (option !== undefined) return isInline === undefined ? word : `${option}=…`;
    return /^--(?:header|cookie)$/.test(words[at - 1] ?? "") ? "…" : word;
  });
}
