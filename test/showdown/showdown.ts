import { expect } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LoadPhase, Messages, Phase, RanPhase } from "../../src/result/phase.ts";
import { type Result, type Round, resultSchema } from "../../src/result/schema.ts";
import { type Ended, runToEnd } from "../support/run-to-end.ts";

const project = join(import.meta.dir, "..", "..");
const program = join(project, "src", "cli", "main.ts");
/** Servers take their time to get ready, to fall silent and to end: for `setDefaultTimeout`, and for hooks. */
export const longestMs = 120_000;

export const fixtures = join(project, "test", "fixtures", "contenders");

/** A showdown run to its end, with the `result.json` it left. */
export interface EndedRun extends Ended {
  readonly result: Result;
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), "showdown-"));
}

/** A folder of contenders, which the caller removes: the fixtures' server, by these names and with these faults. */
export function writeContenders(named: Readonly<Record<string, Readonly<Record<string, string>>>>): string {
  const folder = temporaryFolder();
  for (const [name, env] of Object.entries(named)) {
    const manifest = {
      title: `Fixture: ${name}`,
      language: "TypeScript",
      library: "none",
      approach: "raw",
      routing: "parse",
      framing: "single",
      slowConsumer: env.FAULT === "drop-declared" ? "drop-message" : "block",
      start: ["bun", join(fixtures, "chat-server", "server.ts")],
      env,
    };
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, "contender.json"), JSON.stringify(manifest));
  }
  return folder;
}

/** The program with these arguments, to be started from the project's folder. */
export function showdownCommand(...args: readonly string[]): string[] {
  return [process.execPath, program, ...args];
}

/** Runs the program as a user would, and waits for its end. */
export async function showdown(...args: readonly string[]): Promise<Ended> {
  return await showdownUnder([], ...args);
}

/** As `showdown`, by a command that sets the scene and then becomes what its last arguments say. */
export async function showdownUnder(scene: readonly string[], ...args: readonly string[]): Promise<Ended> {
  return await runToEnd([...scene, ...showdownCommand(...args)], { cwd: project });
}

/** `run` with the smallest preset, fixtures found, and whoever breaks the contract measured all the same. */
export const smokeRun = [
  "run",
  "--preset",
  "smoke",
  "--contenders",
  fixtures,
  "--json",
  "--no-verify",
  // What each contender is sent is counted: in slices a probe decides how much.
  "--one-at-a-time",
  // A busy machine would make phases void that have nothing to do with what is tested.
  "--keep-invalid",
  "--quiet-seconds",
  "1",
  "--ready-seconds",
  "3",
] as const;

/** Runs fixtures, one after another, in a results folder of their own. Later options win over `smokeRun`'s. */
export async function runFixtures(
  names: readonly string[],
  ...options: readonly string[]
): Promise<EndedRun> {
  return await runResults(...smokeRun, ...names, ...options);
}

/** `run` with these options, in a results folder of its own. */
export async function runResults(...args: readonly string[]): Promise<EndedRun> {
  return await runResultsUnder([], ...args);
}

/** As `runResults`, by a command as for `showdownUnder`. */
export async function runResultsUnder(
  scene: readonly string[],
  ...args: readonly string[]
): Promise<EndedRun> {
  const results = temporaryFolder();
  try {
    const ended = await showdownUnder(scene, ...args, "--results", results);
    const result = readResult(results);
    if (result === null) throw new Error(`no result.json; the program said: ${ended.stderr}`);
    return { ...ended, result };
  } finally {
    rmSync(results, { recursive: true });
  }
}

/** The folder of the only run in a results folder; null where there is none yet. */
export function runFolder(results: string): string | null {
  const names = existsSync(results) ? readdirSync(results) : [];
  const runs = names
    .map((name) => join(results, name))
    .filter((path) => existsSync(join(path, "result.json")));
  expect(runs.length).toBeLessThanOrEqual(1);
  return runs[0] ?? null;
}

/** Its `result.json`. */
export function readResult(results: string): Result | null {
  const folder = runFolder(results);
  if (folder === null) return null;
  return resultSchema.parse(JSON.parse(readFileSync(join(folder, "result.json"), "utf8")));
}

/** The only round of a contender. */
export function roundOf(run: EndedRun, contender: string): Round {
  const rounds = run.result.rounds.filter((round) => round.contender === contender);
  const [round] = rounds;
  if (round === undefined || rounds.length > 1) {
    throw new Error(`${rounds.length} rounds of ${contender}; the program said: ${run.stderr}`);
  }
  return round;
}

/** A phase that was run, by its name on the command line, such as `burst-echo`. */
export function ranPhase(round: Round, name: string): RanPhase {
  const phase = phaseOf(round, name);
  if (phase.status === "not-run") throw new Error(`${name} was not run: ${phase.reason.kind}`);
  return phase;
}

/** A phase that carried an audited load. */
export function loadPhase(round: Round, name: string): LoadPhase {
  const phase = ranPhase(round, name);
  if (phase.kind === "connect" || phase.kind === "chaos") throw new Error(`${name} has no audited load`);
  return phase;
}

/** The account of every phase that has one. */
export function accountsOf(round: Round): Messages[] {
  return round.phases.flatMap((phase) =>
    phase.status !== "not-run" && "messages" in phase ? [phase.messages] : [],
  );
}

/** A phase by its name on the command line, such as `burst-echo`. */
export function phaseOf(round: Round, name: string): Phase {
  const phase = round.phases.find(({ kind, workload }) => [kind, workload ?? []].flat().join("-") === name);
  if (phase === undefined) throw new Error(`${round.contender} has no phase ${name}`);
  return phase;
}

/** `[phase, finding, count]` of what a round found, without the stalls: a busy machine stalls any server. */
export function findingsOf(round: Round): [phase: string, kind: string, count: number][] {
  return findingsWithStalls(round).filter(([, kind]) => kind !== "stall");
}

/** `[phase, finding, count]` of everything a round found. */
export function findingsWithStalls(round: Round): [phase: string, kind: string, count: number][] {
  return round.phases.flatMap(({ kind, workload, ...phase }) =>
    ("findings" in phase ? phase.findings : []).map((finding): [string, string, number] => [
      [kind, workload ?? []].flat().join("-"),
      finding.kind,
      finding.count,
    ]),
  );
}

/** What must hold of every account, whatever the server did. */
export function expectBalanced(round: Round): void {
  for (const messages of accountsOf(round)) {
    expect(messages.expected).toBe(messages.delivered + messages.lost);
    expect(messages.planned).toBe(messages.sent + messages.unsent);
    expect(messages.lostOnClosed).toBeLessThanOrEqual(messages.lost);
  }
}
