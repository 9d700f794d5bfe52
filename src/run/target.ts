import type { Address } from "../contenders/address.ts";
import { plainTarget, resolveTarget, type Target } from "../engine/target.ts";
import { ShowdownError } from "../errors.ts";
import { throwIfAborted } from "../process/abort.ts";
import type { ServerProgram } from "../process/child.ts";
import { readStats, type ServerStats } from "../process/counters.ts";
import { type ProtocolName, webSocketPath } from "../process/greeting.ts";
import { awaitReady } from "../process/readiness.ts";
import { ServerProcess } from "../process/server.ts";

/** What a server counts itself; see the contract's `/stats`. */
export interface Counters {
  /** Null where it does not answer in time, or not what the contract says. */
  read(timeoutMs?: number): Promise<ServerStats | null>;
}

/** What is measured: where it is, and what else is known of it. */
export interface RunTarget {
  readonly protocol: ProtocolName;
  readonly address: Target;
  /** Null where this program did not start it. */
  readonly process: ServerProcess | null;
  readonly counters: Counters | null;
}

/**
 * Starts a program as a server, or makes sure that one answers which runs already.
 *
 * @throws {ShowdownError} as `ServerProcess.start`; `contenderFailed` when the one that runs does not answer
 */
export async function reachServer(
  server: ServerProgram | Address,
  options: Omit<Parameters<typeof ServerProcess.start>[0], "program"> & {
    readonly signal: AbortSignal;
  },
): Promise<RunTarget> {
  if (!("port" in server)) {
    const process = await ServerProcess.start({ program: server, ...options });
    const { protocol } = server;
    const address = plainTarget(options.host, process.port, webSocketPath(protocol));
    return targetOf(address, { protocol, process });
  }
  const problem = await askForEcho(server, options.readyMs, options.signal);
  if (problem !== null) throw new ShowdownError("contenderFailed", problem);
  return targetOf(await resolveTarget(server), { protocol: "chaos-chat", process: null });
}

/**
 * Whether a server that is said to run answers: null, or what it lacks.
 *
 * @throws {ShowdownError} `aborted`
 */
export async function askForEcho(
  server: Address,
  patienceMs: number,
  signal: AbortSignal,
): Promise<string | null> {
  try {
    return await awaitReady({ ...server, protocol: "chaos-chat" }, patienceMs, signal);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  }
}

function targetOf(
  address: Target,
  { protocol, process }: Pick<RunTarget, "protocol" | "process">,
): RunTarget {
  const { host, port, tls } = address;
  const counters = { read: (timeoutMs?: number) => readStats(host, port, timeoutMs, tls) };
  return { address, protocol, process, counters };
}
