import { formatEntrant, programOf, type ResolvedEntrant } from "../contenders/entrants.ts";
import type { CheckReport } from "../contract/check-report.ts";
import { runChecks } from "../contract/run-checks.ts";
import { isShowdownError } from "../errors.ts";
import { webSocketPath } from "../process/greeting.ts";
import type { Reaper } from "../process/reaper.ts";
import { ServerProcess } from "../process/server.ts";
import type { NotRun } from "../result/reasons.ts";
import {
  type ContenderFacts,
  type Environment,
  type Verification,
  verificationSchema,
} from "../result/schema.ts";
import { type Cache, cacheKey, digestPackages } from "./cache.ts";

const host = "127.0.0.1";

export interface VerifyOptions {
  readonly entrant: ResolvedEntrant;
  readonly reaper: Reaper;
  readonly readyMs: number;
  /** Also the checks that take minutes. */
  readonly slow: boolean;
  readonly signal: AbortSignal;
}

/**
 * Runs the conformance suite against a contender's own fresh server. Leaves no process. One that
 * runs already is not ended: checks that would end it are skipped.
 *
 * @throws {ShowdownError} `contenderFailed` when it never gets ready
 */
export async function verifyEntrant(options: VerifyOptions): Promise<CheckReport> {
  const { entrant, reaper, readyMs, signal, slow } = options;
  if (entrant.address !== null) {
    const { framing } = entrant;
    return await runChecks(entrant.address, { framing, slow, signal });
  }
  const program = programOf(entrant);
  const server = await ServerProcess.start({ program, host, port: 0, cpus: null, readyMs, reaper, signal });
  try {
    return await runChecks(
      { host, port: server.port, path: webSocketPath(entrant.protocol), protocol: entrant.protocol },
      {
        framing: entrant.framing,
        slow,
        signal,
        process: {
          terminate: async () => ({ exitMs: (await server.stop()).exitMs }),
          restart: () => server.restart(),
        },
      },
    );
  } finally {
    await server.stop();
  }
}

export interface GateOptions extends Omit<VerifyOptions, "slow"> {
  readonly facts: ContenderFacts;
  readonly environment: Environment;
  readonly cache: Cache;
}

/**
 * The gate before a run: a contender that fails a required check does not compete. That it passed is remembered by all
 * that decides it, so that it costs its few seconds once per change; a failure may be one of the moment, and is not.
 */
export async function passGate(options: GateOptions): Promise<Verification> {
  const { cache } = options;
  // What runs at an address today is not what ran there yesterday.
  const path = options.entrant.address === null ? await pathOf(options) : null;
  const known = path === null ? null : await cache.read(path, verificationSchema);
  if (known?.competes === true) return known;
  let verification: Verification;
  try {
    const report = await verifyEntrant({ ...options, slow: false });
    verification = {
      competes: report.competes,
      failed: report.results
        .filter(({ state }) => state === "fail")
        .map(({ id, rule, reference, grade }) => ({ id, rule, reference, grade })),
      problem: report.complete ? null : "not every check could be run",
    };
  } catch (error) {
    if (!isShowdownError(error, "contenderFailed")) throw error;
    return { competes: false, failed: [], problem: error.message };
  }
  if (path !== null && verification.competes && verification.problem === null)
    await cache.write(path, verification);
  return verification;
}

async function pathOf({ entrant, facts, environment }: GateOptions): Promise<string> {
  const { folder, variant, start, env, framing } = entrant;
  const key = await cacheKey(
    ["contract", "websocket", "process"],
    [
      [facts.sourceDigest, facts.toolchains, await digestPackages(folder)],
      [folder, variant, start, env, framing],
      [environment.kernel, environment.cpuModel, environment.cpuCount, environment.memoryBytes],
    ],
  );
  return `verified/${formatEntrant(entrant).replace(":", "-")}-${key}.json`;
}

/** Why it does not compete; null when it does. */
export function refusalOf({ competes, failed, problem }: Verification): NotRun | null {
  const checks = failed.filter(({ grade }) => grade === "required").map(({ id }) => id);
  return competes ? null : { kind: "breaks-contract", checks, problem };
}
