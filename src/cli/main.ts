import type { OwnProcess } from "../machine/installation.ts";

/** Started by the program itself: each loads only what it needs. */
const ownProcesses: Readonly<Record<OwnProcess, (...args: readonly string[]) => Promise<unknown>>> = {
  __worker: () => import("../engine/worker-process.ts"),
  "__noise-spinner": async (cpu = "any", durationMs = "1000") =>
    (await import("../machine/doctor/noise-spinner.ts")).spinOn(cpu, Number(durationMs)),
  __thief: async (cpu, share) => (await import("../trust/handicap.ts")).steal(Number(cpu), Number(share)),
  "__null-server": () => import("../trust/null-server.ts"),
};

const [name = "", ...args] = process.argv.slice(2);
if (Object.hasOwn(ownProcesses, name)) await ownProcesses[name as OwnProcess](...args);
else await (await import("./program.ts")).runProgram();
