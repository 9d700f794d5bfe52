#!/bin/sh
//bin/sh -c :; { sh -c 'kill -HUP $$'; } 2>/dev/null && H=1 || H=0; SHOWDOWN_IGNORES_HANGUP=$H exec node "$0" "$@"
// The line above is for the shell, which alone can tell whether SIGHUP is ignored, as under nohup: Node sets it back to
// its default before anyone can look.
// Sets up what is missing, then hands over to the program, which runs on Bun.
import { spawn } from "node:child_process";
import { basename, join } from "node:path";
import { bun, root, setUp } from "./setup.mjs";

setUp();
const { env } = process;
// `nohup node showdown.mjs` does not pass that line; the shell it was typed into says what it started.
const ignoresHangup = env.SHOWDOWN_IGNORES_HANGUP === "1" || basename(env._ ?? "") === "nohup";
const command = [bun, join(root, "src", "cli", "main.ts"), ...process.argv.slice(2)];
// Node sets the signals of what it starts to their defaults, too; sh does not.
const [file = "", ...args] = ignoresHangup
  ? ["sh", "-c", 'trap "" HUP; exec "$0" "$@"', ...command]
  : command;
const program = spawn(file, args, {
  stdio: "inherit",
  env: { ...env, SHOWDOWN_PARENT: `${process.pid}`, SHOWDOWN_IGNORES_HANGUP: ignoresHangup ? "1" : "0" },
});
// Ctrl-C reaches the whole foreground group: the program decides what it means, and this waits for it.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => program.kill("SIGTERM"));
process.on("SIGHUP", () => ignoresHangup || program.kill("SIGHUP"));
program.on("error", (error) => {
  process.stderr.write(`error: ${bun} could not be started: ${error.message}\n`);
  process.exit(1);
});
program.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.kill(process.pid, signal);
});
