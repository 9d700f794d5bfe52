import { nowUs, readProcessCpuUs } from "../machine/clock.ts";
import { pinProcess } from "../machine/pin.ts";

const periodMs = 2;

/** Something that makes a server slower until it is ended. */
export interface Handicap {
  end(): Promise<void>;
}

/**
 * Takes a known share of the server's CPU time, one thief on each, so that a server gets slower by a known
 * amount without being touched: what `showdown calibrate` has to find again.
 */
export function startHandicap(cpus: readonly number[], share: number): Handicap {
  const thieves = cpus.map((cpu) =>
    Bun.spawn([process.execPath, import.meta.path, String(cpu), String(share)], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      // It ends with the tool: the channel closes then.
      ipc: () => {},
    }),
  );
  return {
    end: async () => {
      for (const thief of thieves) thief.kill("SIGKILL");
      await Promise.all(thieves.map(({ exited }) => exited));
    },
  };
}

/** The thief: spins until it has had its share of all the time since it began, and sleeps in between. */
function steal(cpu: number, share: number): void {
  process.on("disconnect", () => process.exit(0));
  // They reach the whole foreground group; the tool decides what they mean.
  for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => {});
  const pin = pinProcess([cpu]);
  if (!pin.pinned) throw new Error(pin.reason);
  const startUs = nowUs();
  const before = readProcessCpuUs(process.pid) ?? 0;
  const turn = () => {
    // By its own CPU time: what it costs to sleep and to ask counts too, and it may have to wait its turn.
    while ((readProcessCpuUs(process.pid) ?? 0) - before < (nowUs() - startUs) * share);
    setTimeout(turn, periodMs);
  };
  turn();
}

if (import.meta.main) steal(Number(Bun.argv[2]), Number(Bun.argv[3]));
