import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { discoverContenders } from "../../src/contenders/discover.ts";
import { type ResolvedEntrant, resolveEntrants } from "../../src/contenders/entrants.ts";
import { describeEnvironment } from "../../src/machine/environment.ts";
import type { Settings } from "../../src/plan/parameters.ts";
import { phaseNames } from "../../src/plan/phases.ts";
import { resolvePlan } from "../../src/plan/resolve.ts";
import type { BurstPhase, SteadyPhase } from "../../src/result/phase.ts";
import type { Result, Round } from "../../src/result/schema.ts";
import type { RunEvent } from "../../src/run/events.ts";
import { startRun } from "../../src/run/start-run.ts";

const project = join(import.meta.dir, "..", "..");

interface Watching {
  /** Of all fixtures. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onEvent?: (event: RunEvent, stop: () => void) => void;
}

/** The fixtures in slices: a run of the smallest preset as a library, with all that happened in it. */
export async function runInSlices(
  names: readonly string[],
  phases: readonly (keyof typeof phaseNames)[],
  settings: Settings = {},
  { env = {}, onEvent = () => {} }: Watching = {},
): Promise<{ readonly result: Result; readonly events: readonly RunEvent[] }> {
  const found = await discoverContenders([join(project, "test", "fixtures", "contenders")]);
  // One may come several times, under a name of its own.
  const entrants = names.flatMap((name, at): ResolvedEntrant[] =>
    resolveEntrants(found, [name])
      .map((entrant) => (names.indexOf(name) === at ? entrant : { ...entrant, variant: `copy-${at}` }))
      .map((entrant) => ({ ...entrant, env: { ...entrant.env, ...env } })),
  );
  const resultsFolder = mkdtempSync(join(tmpdir(), "slices-"));
  try {
    const environment = await describeEnvironment();
    const plan = resolvePlan({
      preset: "smoke",
      settings: {
        phases: [phaseNames.connect, ...phases.map((name) => phaseNames[name])],
        // A busy machine would leave slices out that have nothing to do with what is tested.
        validityRule: false,
        quietMs: 1000,
        readyMs: 5000,
        ...settings,
      },
      entrants,
      serverCpus: null,
      workerCpus: null,
      descriptorLimit: environment.descriptorLimit.soft,
      leastMessageBytes: () => 1,
    });
    const stopping = new AbortController();
    const run = startRun(plan, {
      entrants,
      environment,
      resultsFolder,
      cacheDir: join(project, ".cache"),
      label: "slices",
      command: [],
      verify: false,
      warnings: [],
      install: "never",
      signal: stopping.signal,
    });
    const events: RunEvent[] = [];
    for await (const event of run.events) {
      events.push(event);
      onEvent(event, () => stopping.abort());
    }
    return { result: await run.result, events };
  } finally {
    rmSync(resultsFolder, { recursive: true, force: true });
  }
}

export function roundOf({ rounds }: Result, contender: string): Round {
  const round = rounds.find((one) => one.contender === contender);
  if (round === undefined) throw new Error(`no round of ${contender}`);
  return round;
}

/** A phase in slices that ran. */
export function slicedOf(round: Round, index = 1): BurstPhase | SteadyPhase {
  const phase = round.phases[index];
  if (phase === undefined || phase.status === "not-run") throw new Error(`phase ${index} was not run`);
  if (phase.kind !== "burst" && phase.kind !== "steady") throw new Error(`phase ${index} has no slices`);
  return phase;
}
