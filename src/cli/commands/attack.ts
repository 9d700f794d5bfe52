import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import { dirname, join, resolve } from "node:path";
import { chooseAdapter } from "../../attack/choose-adapter.ts";
import type { AttackEvent } from "../../attack/events.ts";
import { checkMemory, chooseSources } from "../../attack/room.ts";
import { type AttackHandle, startAttack } from "../../attack/start-attack.ts";
import { describeTarget, readTarget } from "../../attack/target.ts";
import type { traceAttack } from "../../attack/trace.ts";
import type { Share } from "../../engine/places.ts";
import { exitCodes, ShowdownError } from "../../errors.ts";
import { describeEnvironment, readDescriptorLimit } from "../../machine/environment.ts";
import { type AttackLimit, parseAttackLimits } from "../../measures/attack-measures.ts";
import { attackParameters } from "../../plan/attack/parameters.ts";
import {
  type AttackPlan,
  type PlannedAdapter,
  resolveAttack,
  withoutSecrets,
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
import { readAsked } from "../attack-scenario.ts";
import { confirmLoad } from "../attack-target.ts";
import { commandLine } from "../command-options.ts";
import { checkFleetOptions } from "../fleet-options.ts";
import type { Host } from "../host.ts";
import { withLivePage } from "../live.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { isForProgram, withOutputs } from "../outputs.ts";
import { resultsFolder } from "../paths.ts";
import { requireFormat } from "../report-files.ts";
import { untilStopped } from "../signals.ts";

/** `showdown attack`: any server by its URL. Returns the exit code. */
export async function attack(options: ParsedOptions, host: Host): Promise<number> {
  const { values, attack: settings, positionals } = options;
  checkFleetOptions(values);
  refuseBesideFleet(values);
  for (const file of values.out ?? []) requireFormat(file, "attack");
  if (values.trace) refuseBesideTrace(values);
  if (values.resume !== undefined)
    return await (await import("../fleet/fleet-attack.ts")).resume(options, host);
  const limits = {
    thresholds: parseAttackLimits("--threshold", values.threshold ?? []),
    abortOn: parseAttackLimits("--abort-on", values["abort-on"] ?? [], true),
  };
  const data = readData(values, host);
  const messageFile = readMessageFile(values, settings, host);
  const { url, scenario } = await readAsked(positionals, host);
  const adapter = await chooseAdapter(values.adapter, values["adapter-option"], data, host.cwd);
  const usual = { path: adapter?.module.path, subprotocols: adapter?.planned.subprotocols ?? [] };
  const environment = describeEnvironment();
  const { target, access } = await readTarget(url, values, usual, host.cwd);
  const connections = settings.connections ?? attackParameters.connections.default;
  const request = {
    ...{ target, settings, messageFile, data },
    adapter: adapter?.planned ?? null,
    scenario: scenario?.file ?? null,
    sourceAddresses: chooseSources(target, connections, values["source-address"] ?? []),
  };
  if (values.fleet !== undefined) {
    // Brings NATS, which no other attack needs.
    const { attackByFleet } = await import("../fleet/fleet-attack.ts");
    return await attackByFleet({ request, access, environment, limits }, values, host);
  }
  const plan = resolveAttack({
    ...request,
    cpus: cpus().length,
    descriptorLimit: readDescriptorLimit().soft,
    ...(values.share === undefined ? {} : { agents: values.share.of }),
  });
  const share = readShare(values, adapter?.planned ?? null);
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
    const start = () =>
      startAttack(plan, {
        ...common,
        ...(share === null ? {} : { share }),
        resultsFolder: resultsFolder(values, host),
        abortOn: limits.abortOn,
      });
    return await followToEnd(start, plan, limits.thresholds, values, host);
  });
}

/** Shows an attack as it goes on and what it came to, whoever carries it out. Returns the exit code. */
export async function followToEnd(
  start: () => AttackHandle,
  plan: AttackPlan,
  thresholds: readonly AttackLimit[],
  values: OptionValues,
  host: Host,
): Promise<number> {
  const progress = createAttackProgress({ write: host.err, columns: host.columns, isTty: host.errIsTty });
  const createView = async () =>
    (await import("../../views/attack/live-view.ts")).showAttack(withoutSecrets(plan));
  const result = await withLivePage(values, host, createView, async (live) => {
    const ended = await withOutputs(values, host, progress, async (outputs) => {
      const started = start();
      const listeners = [progress.onEvent, outputs.ofAttack(started.id, plan)];
      return await follow(started, live === null ? listeners : [...listeners, live.onEvent]);
    });
    const folder = join(resultsFolder(values, host), ended.id);
    await tellEnd(ended, folder, values, host);
    await live?.stop(`The attack has ended. Its report is in ${folder}.`);
    return ended;
  });
  return judgeAttack(result, thresholds, host);
}

/** What is said of a whole load, which a trace is not. */
const notTraced = ["ndjson", "metrics", "otlp", "out", "live", "json", "threshold", "abort-on"] as const;

/** @throws {ShowdownError} `usage`: what was asked for would not come */
function refuseBesideTrace(values: OptionValues): void {
  const given = notTraced.filter((name) => values[name] !== undefined && values[name] !== false);
  if (given.length === 0) return;
  const names = given.map((name) => `--${name}`).join(", ");
  throw new ShowdownError("usage", `--trace and ${names}: a trace is three messages, and only shown`, {
    hint: "leave --trace out for a load with its figures, or the others for the trace",
  });
}

/** What a fleet is not for. */
function refuseBesideFleet({ fleet, trace, share }: OptionValues): void {
  if (share !== undefined && fleet !== undefined) {
    throw new ShowdownError("usage", "--share and --fleet: expected one of them", {
      hint: "the agents of a fleet share the attack out themselves",
    });
  }
  if (trace === true && fleet !== undefined) {
    throw new ShowdownError("usage", "--trace and --fleet: expected one of them", {
      hint: "one connection of this machine is traced",
    });
  }
}

/** Which of the plan's workers are this machine's; null where all are. */
function readShare({ share, trace }: OptionValues, adapter: PlannedAdapter | null): Share | null {
  if (share === undefined) return null;
  const asked = `--share ${share.index + 1}/${share.of}`;
  if (trace) throw new ShowdownError("usage", `${asked} and --trace: expected one of them`);
  if (adapter !== null && !["nobody", "sender"].includes(adapter.answers.delivery)) {
    throw new ShowdownError(
      "usage",
      `${asked}: with the adapter ${adapter.name} each machine is owed what the others send, which it cannot know`,
      { hint: "let the machines know of each other: showdown agent, and --fleet" },
    );
  }
  return { worker: share.index, workers: share.of };
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
