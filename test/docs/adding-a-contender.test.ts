import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readResult } from "../showdown/showdown.ts";

setDefaultTimeout(180_000);

const root = join(import.meta.dir, "..", "..");
const outside = mkdtempSync(join(tmpdir(), "showdown-page-"));
afterAll(() => rmSync(outside, { recursive: true, force: true }));

/** A clone, as the page asks for: what git would bring, and what `npm ci` would. */
function cloneProject(): string {
  const clone = join(outside, "ws-showdown");
  const listed = Bun.spawnSync(["git", "ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
  });
  for (const file of listed.stdout.toString().trim().split("\n")) {
    mkdirSync(dirname(join(clone, file)), { recursive: true });
    cpSync(join(root, file), join(clone, file), { verbatimSymlinks: true });
  }
  // Entry by entry: should the clone install anew, it empties a folder of its own and not this one.
  mkdirSync(join(clone, "node_modules"));
  for (const name of readdirSync(join(root, "node_modules"))) {
    symlinkSync(join(root, "node_modules", name), join(clone, "node_modules", name));
  }
  return clone;
}

/** The same commands with less to do; on a busy machine no figure may count, which is not what is tested. */
const quick = {
  SHOWDOWN_PRESET: "smoke",
  SHOWDOWN_ROUNDS: "1",
  SHOWDOWN_PHASES: "connect,burst-echo",
  SHOWDOWN_KEEP_INVALID: "1",
};

test("docs/adding-a-contender.md, command by command, leads from nothing to a report", async () => {
  const page = readFileSync(join(root, "docs", "adding-a-contender.md"), "utf8");
  const commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].flatMap(([, block = ""]) =>
    block.trim().split("\n"),
  );
  expect(commands.map((command) => command.replace(/^npm (run )?/, "").split(" ")[0])).toEqual([
    "showdown",
    "showdown",
    "start",
  ]);
  const clone = cloneProject();
  for (const command of commands) {
    const isRun = command.startsWith("npm start");
    const { exitCode, stdout, stderr } = Bun.spawnSync(["sh", "-c", command], {
      cwd: clone,
      env: { ...process.env, ...(isRun ? quick : {}) },
    });
    expect(exitCode, `${command}\n${stdout}${stderr}`).toBe(0);
  }
  const result = readResult(join(clone, "results"));
  expect(result?.status).toBe("finished");
  expect(result?.rounds.map(({ contender, status }) => `${contender} ${status}`).sort()).toEqual([
    "bun-native ok",
    "my-server ok",
  ]);
});
