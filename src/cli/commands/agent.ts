import { join, resolve } from "node:path";
import { exitCodes, isShowdownError, ShowdownError } from "../../errors.ts";
import { runAgent } from "../../fleet/agent.ts";
import { type Bus, openBus } from "../../fleet/bus.ts";
import { type BusAddress, readBusAddress } from "../../fleet/bus-address.ts";
import { KeptResults } from "../../fleet/kept-results.ts";
import { cacheFolder } from "../../machine/installation.ts";
import { throwIfAborted } from "../../process/abort.ts";
import { printable } from "../../text/printable.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { untilStopped } from "../signals.ts";

/** The bus may be started after its agents. */
const retryMs = 1000;

/** `showdown agent`. Returns the exit code. */
export async function agent({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  if (values.bus === undefined || positionals.length > 0) {
    throw new ShowdownError(
      "usage",
      `expected --bus and nothing else, got ${positionals.join(", ") || "no --bus"}`,
      {
        hint: "showdown agent --bus nats://127.0.0.1:4222",
      },
    );
  }
  const address = readBusAddress(values.bus, values, host.cwd);
  for (const warning of address.warnings) host.err(`warning: ${warning}\n`);
  const kept = new KeptResults(
    values.keep === undefined ? join(cacheFolder, "fleet") : resolve(host.cwd, values.keep),
  );
  await kept.check();
  return await untilStopped(host, async (signal) => {
    const tell = (line: string) => host.err(`${printable(line)}\n`);
    const bus = await reachBus(address, signal, tell);
    try {
      tell(`Waiting for attacks on ${address.shown}.`);
      await runAgent({ bus, kept, tell, once: values.once ?? false, signal });
    } finally {
      await bus.close();
    }
    return exitCodes.ok.code;
  });
}

async function reachBus(
  address: BusAddress,
  signal: AbortSignal,
  tell: (line: string) => void,
): Promise<Bus> {
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await openBus(address, `showdown agent ${process.pid}`);
    } catch (error) {
      if (!isShowdownError(error, "fleet")) throw error;
      if (isFirst) tell(`${error.message}. Trying again until it is there.`);
    }
    await Bun.sleep(retryMs);
    throwIfAborted(signal);
  }
}
