// Plain JavaScript: this runs on Node, and hands over to the program, which runs on Bun.
import { spawn } from "node:child_process";
import { basename } from "node:path";

/** Bun would read .env and bunfig.toml of the folder it is started in, which are another project's. As ownCommand does. */
const ownSettings = ["--no-env-file", "--config=/dev/null"];

/**
 * Becomes the program as far as Node can: its output, its signals and its end.
 *
 * @param {string} bun
 * @param {string} main what it runs
 */
export function launch(bun, main) {
  const { env } = process;
  // `nohup node showdown.mjs` does not pass the launcher's first line; the shell it was typed into says what it started.
  const ignoresHangup = env.SHOWDOWN_IGNORES_HANGUP === "1" || basename(env._ ?? "") === "nohup";
  const whole = [bun, ...ownSettings, main, ...process.argv.slice(2)];
  // Node sets the signals of what it starts to their defaults, too; sh does not.
  const [file = "", ...args] = ignoresHangup ? ["sh", "-c", 'trap "" HUP; exec "$0" "$@"', ...whole] : whole;
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
    if (signal === "SIGILL") {
      process.stderr.write(
        "error: Bun ended with an illegal instruction: this CPU is too old for it.\n  hint: npm install @oven/bun-linux-x64-baseline beside ws-showdown, which is then used\n",
      );
      process.exit(1);
    }
    process.kill(process.pid, signal);
  });
}
