import { fileURLToPath } from "node:url";
import type { ProcessControl } from "../../src/contract/check.ts";
import type { Target } from "../../src/contract/http.ts";
import { claimPort } from "../../src/process/port.ts";

const fixtures = fileURLToPath(new URL("../fixtures/conformance/", import.meta.url));

export interface TestServer extends ProcessControl {
  readonly target: Target;
  /** It listens. */
  ready(): Promise<void>;
  restart(): Promise<void>;
  kill(): Promise<void>;
}

/** The command of a fixture server. */
export const fixture = (file: string, ...args: string[]): string[] => [
  process.execPath,
  `${fixtures}${file}`,
  ...args,
];

/** Starts a server on a free port. It need not be ready yet: the suite's first check waits for that. */
export function startServer(command: string[], cwd?: string, host = "127.0.0.1"): TestServer {
  const target = { host, port: claimPort(host, 0), path: "/ws" };
  const spawn = () =>
    Bun.spawn(command, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, HOST: target.host, PORT: String(target.port) },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
  let server = spawn();
  return {
    target,
    ready: async () => await untilListening(target),
    async terminate() {
      const startedMs = performance.now();
      server.kill("SIGTERM");
      await server.exited;
      return { exitMs: performance.now() - startedMs };
    },
    async restart() {
      server.kill("SIGKILL");
      await server.exited;
      server = spawn();
      await untilListening(target);
    },
    async kill() {
      server.kill("SIGKILL");
      await server.exited;
    },
  };
}

/** Nothing tells of the moment, so it is tried for. */
async function untilListening({ host, port }: Target): Promise<void> {
  for (let attempts = 0; attempts < 500; attempts++) {
    try {
      const socket = await Bun.connect({ hostname: host, port, socket: { data() {} } });
      socket.end();
      return;
    } catch {
      await Bun.sleep(20);
    }
  }
  throw new Error(`nothing listens on ${host}:${port} after 10 s`);
}
