import { join, resolve } from "node:path";
import { buildContender } from "../../contenders/build.ts";
import { discoverContenders } from "../../contenders/discover.ts";
import { describeEntrant, type ResolvedEntrant, resolveEntrants } from "../../contenders/entrants.ts";
import type { Requirement } from "../../contenders/manifest.ts";
import {
  ensureToolchains,
  findMissing,
  type ToolchainState,
  toolchainVersions,
} from "../../contenders/toolchains.ts";
import { readTopology, splitCpus } from "../../machine/cpus.ts";
import { describeEnvironment, projectFolder } from "../../machine/environment.ts";
import { balancedOrder } from "../../plan/order.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Parameters } from "../../plan/presets.ts";
import { parsePhases, resolvePlan } from "../../plan/resolve.ts";
import { renderMarkdown } from "../../report/markdown.ts";
import { createProgress } from "../../report/progress.ts";
import { renderTerminal } from "../../report/terminal.ts";
import { createResultFile } from "../../result/file.ts";
import { type ContenderFacts, type Environment, type Result, schemaVersion } from "../../result/schema.ts";
import type { RunEvent } from "../../run/events.ts";
import { runShowdown } from "../../run/showdown.ts";
import { BuildError, exitCodes, NothingToRunError } from "../errors.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { watchSignals } from "../signals.ts";

const cacheDir = join(projectFolder, ".cache");

/** `showdown run`: the whole showdown, from the toolchains to the verdict. Returns the exit code. */
export async function run({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const contenders = await discoverContenders(contenderFolders(values, host));
  const entrants = resolveEntrants(contenders, positionals);
  const environment = await describeEnvironment();
  const { plan, pinReason } = makePlan(values, entrants, environment);
  if (values["dry-run"]) {
    const order = balancedOrder(plan.entrants, plan.rounds, plan.seed);
    host.out(`${JSON.stringify({ plan, order }, null, 2)}\n`);
    return exitCodes.ok.code;
  }

  const startedAt = new Date();
  const initial: Result = {
    schema: schemaVersion,
    id: `${startedAt.toISOString().slice(0, 19).replaceAll(":", "-")}-${plan.preset}`,
    startedAt: startedAt.toISOString(),
    finishedAt: null,
    status: "running",
    command: ["showdown", "run", ...host.args.filter((arg) => arg !== "run")],
    plan,
    environment,
    contenders: [],
    rounds: [],
    warnings: pinReason === null ? [] : [{ kind: "pinning", text: pinReason }],
  };
  // Before anything is installed, built or started.
  const file = await createResultFile(resolve(host.cwd, values.results ?? "results"), initial);
  const progress = createProgress(plan, { write: host.err, columns: host.columns, isTty: host.errIsTty });
  const stop = watchSignals(host);
  try {
    const prepared = await prepare(entrants, values, host, stop.signal, progress.onEvent);
    const result = await runShowdown({
      plan,
      entrants: prepared.ready,
      environment,
      initial: { ...initial, contenders: prepared.facts },
      file,
      signal: stop.signal,
      onEvent: progress.onEvent,
    });
    progress.end();
    await file.writeBeside("report.md", renderMarkdown(result));
    const summary = renderTerminal(result, { columns: host.columns(), color: useColor(host) });
    if (values.json) {
      host.err(summary);
      host.out(`${JSON.stringify(result)}\n`);
    } else {
      host.out(summary);
    }
    host.err(`\nWritten to ${file.folder}\n`);
    return exitCode(result, prepared.buildFailed);
  } finally {
    progress.end();
    stop.end();
  }
}

export function contenderFolders({ contenders = [] }: OptionValues, host: Host): string[] {
  return [join(projectFolder, "contenders"), ...contenders.map((folder) => resolve(host.cwd, folder))];
}

function makePlan(
  values: OptionValues,
  entrants: readonly ResolvedEntrant[],
  environment: Environment,
): { plan: Plan; pinReason: string | null } {
  const cpus = splitCpus(readTopology(), { pin: values["no-pin"] !== true });
  const changes: { -readonly [Key in keyof Parameters]?: Parameters[Key] | undefined } = {
    phases: values.phases === undefined ? undefined : parsePhases(values.phases),
    rounds: values.rounds,
    connections: values.connections,
    connectBatch: values["connect-batch"],
    messagesPerConnection: values.messages,
    messageBatch: values["message-batch"],
    messageBytes: values["message-bytes"],
    enduranceSeconds: values["endurance-seconds"],
    enduranceRatePerSecond: values["endurance-rate"],
    roomSize: values["room-size"],
    speakersPerRoom: values.speakers,
    errorThreshold: values["error-threshold"],
    warmupSeconds: values["warmup-seconds"],
    quietMs: milliseconds(values["quiet-seconds"]),
  };
  const plan = resolvePlan({
    preset: values.preset ?? "quick",
    changes: Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)),
    seed: values.seed ?? 1,
    entrants,
    port: values.port ?? 0,
    workers: values.workers ?? 0,
    pacing: values.pacing ?? "auto",
    serverCpus: cpus.serverCpus,
    workerCpus: cpus.workerCpus,
    descriptorLimit: environment.descriptorLimit.soft,
    readyMs: milliseconds(values["ready-seconds"]) ?? 15_000,
    connectMs: milliseconds(values["connect-seconds"]) ?? 10_000,
  });
  return { plan, pinReason: cpus.reason };
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : Math.round(seconds * 1000);
}

interface Prepared {
  readonly ready: readonly ResolvedEntrant[];
  readonly facts: ContenderFacts[];
  readonly buildFailed: boolean;
}

/** Toolchains and builds. Who lacks one is listed as not run, and the rest goes on. */
async function prepare(
  entrants: readonly ResolvedEntrant[],
  values: OptionValues,
  host: Host,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): Promise<Prepared> {
  onEvent({ kind: "preparing", text: "looking for toolchains" });
  const states = await ensureToolchains(
    entrants.flatMap(({ manifest }) => manifest.requires),
    {
      install: values["no-install"] ? "never" : values.yes || host.ask === undefined ? "yes" : "ask",
      ...(host.ask === undefined ? {} : { ask: host.ask }),
      onLine: (line) => onEvent({ kind: "preparing", text: line }),
      cacheDir,
      signal,
    },
  );
  const ready: ResolvedEntrant[] = [];
  const facts: ContenderFacts[] = [];
  const builds = new Map<string, Build>();
  for (const entrant of entrants) {
    const missing = findMissing(entrant.manifest.requires, states);
    const build: Build =
      missing !== null
        ? { sourceDigest: "", notRun: `toolchain missing: ${missing.reason}; ${missing.command}` }
        : (builds.get(entrant.contender) ?? (await buildOne(entrant, states, signal, onEvent)));
    builds.set(entrant.contender, build);
    facts.push(
      describeEntrant(entrant, {
        ...build,
        toolchains: toolchainVersions(entrant.manifest.requires, states),
      }),
    );
    if (build.notRun === null) ready.push(entrant);
    else onEvent({ kind: "warning", text: `${entrant.contender} is not run: ${build.notRun}` });
  }
  if (ready.length === 0) {
    throw new NothingToRunError(
      `nothing can run:\n${facts.map(({ name, notRun }) => `       ${name}: ${notRun}`).join("\n")}`,
    );
  }
  return { ready, facts, buildFailed: facts.some(({ notRun }) => notRun?.startsWith("build failed")) };
}

type Build = Pick<ContenderFacts, "sourceDigest" | "notRun">;

async function buildOne(
  entrant: ResolvedEntrant,
  states: ReadonlyMap<Requirement, ToolchainState>,
  signal: AbortSignal,
  onEvent: (event: RunEvent) => void,
): Promise<Build> {
  const { contender: name, folder, manifest } = entrant;
  onEvent({ kind: "preparing", text: `building ${name}` });
  try {
    const { sourceDigest } = await buildContender(
      { name, folder, manifest },
      {
        cacheDir,
        toolchainVersions: toolchainVersions(manifest.requires, states),
        onLine: (line) => onEvent({ kind: "build-output", contender: name, line }),
        signal,
      },
    );
    return { sourceDigest, notRun: null };
  } catch (error) {
    if (!(error instanceof BuildError)) throw error;
    return { sourceDigest: "", notRun: `build failed: ${error.message}` };
  }
}

function useColor(host: Host): boolean {
  return host.outIsTty && !host.env.NO_COLOR;
}

function exitCode(result: Result, buildFailed: boolean): number {
  if (result.status === "aborted") return exitCodes.aborted.code;
  if (result.rounds.some(({ status }) => status === "failed")) return exitCodes.contenderFailed.code;
  return buildFailed ? exitCodes.build.code : exitCodes.ok.code;
}
