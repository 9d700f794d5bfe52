import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestSources } from "../contenders/digest.ts";
import { formatEntrant, type ResolvedEntrant } from "../contenders/entrants.ts";
import type { CheckReport, CheckResult } from "../contract/check-report.ts";
import { runChecks } from "../contract/run-checks.ts";
import { ContenderFailedError } from "../errors.ts";
import { projectFolder } from "../machine/environment.ts";
import type { Reaper } from "../process/reaper.ts";
import { type Server, startServer } from "../process/server.ts";
import type { Verification } from "../result/schema.ts";

const host = "127.0.0.1";

export interface VerifyOptions {
  readonly entrant: ResolvedEntrant;
  readonly reaper: Reaper;
  readonly readyMs: number;
  /** Also the checks that take minutes. */
  readonly slow: boolean;
  readonly signal: AbortSignal;
  readonly onResult?: (result: CheckResult) => void;
}

/**
 * Runs the conformance suite against a contender's own fresh server. Leaves no process.
 *
 * @throws ContenderFailedError when it never gets ready
 */
export async function verifyEntrant(options: VerifyOptions): Promise<CheckReport> {
  const { entrant, reaper, readyMs, signal, slow, onResult } = options;
  const start = (port: number) => startServer({ entrant, host, port, cpus: null, readyMs, reaper, signal });
  let server: Server = await start(0);
  const { port } = server;
  try {
    return await runChecks(
      { host, port, path: "/ws" },
      {
        framing: entrant.framing,
        slow,
        signal,
        ...(onResult === undefined ? {} : { onResult }),
        process: {
          get pid() {
            return server.pid;
          },
          terminate: async () => ({ exitMs: (await server.stop()).exitMs }),
          restart: async () => {
            await server.stop();
            server = await start(port);
          },
        },
      },
    );
  } finally {
    await server.stop();
  }
}

export interface GateOptions extends Omit<VerifyOptions, "slow" | "onResult"> {
  readonly sourceDigest: string;
  readonly cacheDir: string;
}

/**
 * The gate before a run: a contender that fails a required check does not compete. Remembered by the digests
 * of contender and suite, so that it costs its few seconds once per change.
 */
export async function passGate(options: GateOptions): Promise<Verification> {
  const { entrant, cacheDir, sourceDigest } = options;
  const suite = await digestSources(join(projectFolder, "src", "contract"), []);
  const key = createHash("sha256")
    .update(
      JSON.stringify([
        suite,
        sourceDigest,
        entrant.folder,
        entrant.variant,
        entrant.start,
        entrant.env,
        entrant.framing,
      ]),
    )
    .digest("hex");
  const path = join(
    cacheDir,
    "verified",
    `${formatEntrant(entrant).replace(":", "-")}-${key.slice(0, 16)}.json`,
  );
  const known = await readFile(path, "utf8").catch(() => null);
  if (known !== null) return JSON.parse(known) as Verification;

  let verification: Verification;
  try {
    const report = await verifyEntrant({ ...options, slow: false });
    verification = {
      competes: report.competes,
      failed: report.results
        .filter(({ state }) => state === "fail")
        .map(({ id, rule, reference, grade }) => ({ id, rule, reference, grade })),
      reason: report.complete ? null : "not every check could be run",
    };
    if (!report.complete) return verification;
  } catch (error) {
    if (!(error instanceof ContenderFailedError)) throw error;
    return { competes: false, failed: [], reason: error.message };
  }
  await mkdir(join(cacheDir, "verified"), { recursive: true });
  await writeFile(path, JSON.stringify(verification));
  return verification;
}
