import { type Arrival, describe } from "../arrival.ts";
import {
  BrokenRule,
  type Check,
  type CheckContext,
  type ProcessControl,
  required,
  Skipped,
  strict,
} from "../check.ts";
import { expectAlive } from "../expectations.ts";
import { Unreachable } from "../raw-connection.ts";

/** Contract: exits within 5 s of SIGTERM. */
const EXIT_LIMIT_MS = 5_000;
const READY_LIMIT_MS = 10_000;
const RETRY_MS = 25;

/** Runs before all others, and without it none is worth running. */
export const readyCheck: Check = required("process.ready", "contract, the process (ready)", {
  rule: "A real handshake and one echo succeed.",
  nextStep: "Read the server's output. It must listen on HOST and PORT from its environment.",
  alone: true,
  run: async (context) => {
    const deadline = performance.now() + READY_LIMIT_MS;
    for (;;) {
      try {
        return await expectAlive(context);
      } catch (error) {
        if (!(error instanceof Unreachable)) throw error;
        const limit = context.process === undefined ? "" : ` within ${READY_LIMIT_MS} ms`;
        if (limit === "" || performance.now() > deadline)
          throw new BrokenRule(`a handshake and an echo${limit}`, error.message);
      }
      await Bun.sleep(RETRY_MS);
    }
  },
});

interface Termination {
  /** Undefined when the limit passed first. */
  readonly exitMs: number | undefined;
  /** What each open connection saw. */
  readonly endings: readonly Arrival[];
}

/** A process ends only once, so the checks share what was seen. */
const terminations = new WeakMap<ProcessControl, Promise<Termination>>();

function terminate(context: CheckContext): Promise<Termination> {
  if (context.process === undefined)
    throw new Skipped("needs the server's process: verify a contender instead of a URL");
  const known = terminations.get(context.process) ?? terminateOnce(context, context.process);
  terminations.set(context.process, known);
  return known;
}

async function terminateOnce(context: CheckContext, server: ProcessControl): Promise<Termination> {
  const connections = await Promise.all([context.open(), context.open(), context.open()]);
  const exit = await Promise.race([server.terminate(), Bun.sleep(EXIT_LIMIT_MS)]);
  const endings = await Promise.all(connections.map((connection) => connection.next()));
  return { exitMs: exit?.exitMs, endings };
}

/** Run last: nothing can be checked after them. */
export const terminationChecks: readonly Check[] = [
  required("process.sigterm", "contract, the process (SIGTERM)", {
    rule: "On SIGTERM the server exits within 5 s, also with open connections.",
    nextStep: "Handle SIGTERM: stop listening, close every connection, exit. Do not wait for clients.",
    alone: true,
    run: async (context) => {
      const { exitMs } = await terminate(context);
      const expected = `the process to exit within ${EXIT_LIMIT_MS} ms of SIGTERM`;
      if (exitMs === undefined || exitMs > EXIT_LIMIT_MS)
        throw new BrokenRule(expected, "a process that still runs");
    },
  }),
  strict("process.sigterm-close", "contract, the process (closes what is open); RFC 6455 7.4.1 (1001)", {
    rule: "On SIGTERM open connections get a close frame.",
    nextStep: "Send a close frame with 1001 to every connection before exiting.",
    alone: true,
    run: async (context) => {
      const { endings } = await terminate(context);
      if (endings.some(({ kind }) => kind !== "close"))
        throw new BrokenRule("a close frame on each of 3 open connections", endings.map(describe).join("; "));
    },
  }),
];
