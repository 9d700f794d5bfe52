import { dieWithParent } from "../machine/parent-death.ts";
import { createSockets } from "./sockets/create-sockets.ts";
import { createWorker } from "./worker.ts";
import type { Command, Report } from "./worker-protocol.ts";

/** The generator process: a worker whose commands and reports go over the pipe to the tool that started it. */
const report = (message: Report): void => void process.send?.(message);
const obey = createWorker(createSockets, report);

process.on("message", (command: Command) => obey(command));
// The tool is gone: so is the reason to live. What a scenario keeps in a loop never hears of it.
dieWithParent();
process.on("disconnect", () => process.exit(0));
// Ctrl-C and the terminal's end reach the whole foreground group; the tool decides what they mean.
for (const signal of ["SIGINT", "SIGHUP"]) process.on(signal, () => {});
process.on("uncaughtException", (error) => {
  // Where it happened is for whoever mends this program; the result keeps what happened.
  console.error(error.stack);
  report({ kind: "fault", message: String(error) });
  process.exit(1);
});
