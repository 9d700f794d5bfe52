#!/usr/bin/env node
// Sets up what is missing, then hands over to the program, which runs on Bun.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { bun, root, setUp } from "./setup.mjs";

setUp();
const program = spawn(bun, [join(root, "src", "cli", "main.ts"), ...process.argv.slice(2)], {
  stdio: "inherit",
  env: { ...process.env, SHOWDOWN_PARENT: `${process.pid}` },
});
// Ctrl-C reaches the whole foreground group: the program decides what it means, and this waits for it.
process.on("SIGINT", () => {});
for (const signal of /** @type {const} */ (["SIGTERM", "SIGHUP"]))
  process.on(signal, () => program.kill(signal));
program.on("error", (error) => {
  process.stderr.write(`error: ${bun} could not be started: ${error.message}\n`);
  process.exit(1);
});
program.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.kill(process.pid, signal);
});
