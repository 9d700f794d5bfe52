/**
 * Several agents in one process, for `fleet.ts`: each has its own way to the bus and a worker of its own, but no process.
 * A line is written when they are there, at the start of each load, and when a result is ready.
 *
 *   bun bench/fleet-agents.ts nats://127.0.0.1:4222 COUNT FOLDER
 */
import { BunSockets } from "../src/engine/sockets/bun-sockets.ts";
import { createWorker } from "../src/engine/worker.ts";
import type { OpenLink } from "../src/engine/worker-link.ts";
import { runAgent } from "../src/fleet/agent.ts";
import { openBus } from "../src/fleet/bus.ts";
import { readBusAddress } from "../src/fleet/bus-address.ts";
import { KeptResults } from "../src/fleet/kept-results.ts";
import { nowUs } from "../src/machine/clock.ts";

/** A moment of one of the agents, on its clock. */
export interface AgentLine {
  readonly kind: "there" | "start" | "done";
  readonly atUs: number;
}

const [url = "", count = "1", folder = ""] = Bun.argv.slice(2);
const kept = new KeptResults(folder);
await kept.check();

/** Where workers share a process, none may sleep in a wait of its own: sockets are Bun's. */
const openLink: OpenLink = (_, { onReport }) => {
  const obey = createWorker(() => new BunSockets(), onReport);
  let epochUs = 0;
  return {
    send: (command) => {
      if (command.kind === "setup-attack") epochUs = command.setup.epochUs;
      if (command.kind === "attack") write({ kind: "start", atUs: epochUs + command.startUs });
      obey(command);
    },
    end: async () => {},
  };
};

await Promise.all(
  Array.from({ length: Number(count) }, async () => {
    const bus = await openBus(readBusAddress(url, {}, folder), "light agent");
    write({ kind: "there", atUs: nowUs() });
    const tell = (line: string) => {
      if (line.includes(": done")) write({ kind: "done", atUs: nowUs() });
      else if (!line.includes(": agent ")) process.stderr.write(`${line}\n`);
    };
    await runAgent({ bus, kept, tell, once: true, signal: new AbortController().signal, openLink });
    await bus.close();
  }),
);

function write(line: AgentLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
