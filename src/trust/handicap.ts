import { nowUs, readProcessCpuUs } from "../machine/clock.ts";
import { ownCommand } from "../machine/installation.ts";
import { pinProcess } from "../machine/pin.ts";

const periodMs = 2;

/** Something that makes a server slower while it is on. */
export interface Handicap {
  /** Off at first. */
  set(isOn: boolean): void;
  end(): Promise<void>;
}

/**
 * Takes a known share of the server's CPU time, one thief on each, so that a server gets slower by a known
 * amount without being touched: what `showdown calibrate` has to find again.
 */
export function startHandicap(cpus: readonly number[], share: number): Handicap {
  const thieves = cpus.map((cpu) =>
    Bun.spawn(ownCommand("__thief", String(cpu), String(share)), {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
      // It ends with the tool: the channel closes then.
      ipc: () => {},
    }),
  );
  return {
    set: (isOn) => {
      for (const thief of thieves) thief.send(isOn);
    },
    end: async () => {
      for (const thief of thieves) thief.kill("SIGKILL");
      await Promise.all(thieves.map(({ exited }) => exited));
    },
  };
}

/** The thief: while it is on, spins until it has had its share of the time since then, and sleeps in between. */
export function steal(cpu: number, share: number): void {
  process.on("disconnect", () => process.exit(0));
  // They reach the whole foreground group; the tool decides what they mean.
  for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => {});
  const pinFailure = pinProcess([cpu]);
  if (pinFailure !== null) throw new Error(pinFailure);
  const readCpuUs = () => readProcessCpuUs(process.pid) ?? 0;
  let timer: Timer | undefined;
  process.on("message", (isOn: boolean) => {
    clearInterval(timer);
    if (!isOn) return;
    const startUs = nowUs();
    const before = readCpuUs();
    timer = setInterval(() => {
      // By its own CPU time: what it costs to sleep and to ask counts too, and it may have to wait its turn.
      while (readCpuUs() - before < (nowUs() - startUs) * share);
    }, periodMs);
  });
}
