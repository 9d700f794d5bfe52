import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, temporaryFolder } from "../showdown/showdown.ts";

setDefaultTimeout(longestMs);

const root = join(import.meta.dir, "..", "..");
const page = readFileSync(join(root, "docs", "scenarios.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);
const [server = "", scenario = ""] = blocks("ts");
const [command = ""] = blocks("sh");

const folder = temporaryFolder();
let child: Bun.Subprocess<"ignore", "pipe", "inherit">;
let port = "";

/** The page's own server, on a port of the system's choice. */
beforeAll(async () => {
  const file = join(folder, "chat.ts");
  writeFileSync(file, `${server.replace("9001", "0")}\nconsole.log(server.port);\n`);
  child = Bun.spawn([process.execPath, file], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  port = new TextDecoder().decode(value).trim();
});
afterAll(async () => {
  child.kill();
  await child.exited;
  rmSync(folder, { recursive: true, force: true });
});

test("docs/scenarios.md: its server, its scenario and its command, as they stand there", async () => {
  writeFileSync(join(folder, "scenario.ts"), scenario.replace("9001", port));
  const own = `${process.execPath} ${join(root, "src", "cli", "main.ts")}`;
  const shell = Bun.spawn(["sh", "-c", command.replace("npx ws-showdown", own).replace("5s", "2s")], {
    cwd: folder,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(shell.stdout).text(),
    new Response(shell.stderr).text(),
  ]);
  // On a busy machine the figures may not count, which is not what is tested.
  expect([0, 14], `${out}${err}`).toContain(await shell.exited);
  expect(err).toContain('passed: "checks.failed = 0"');
  expect(err).toContain('passed: "measure.until all heard it.p50 < 500ms"');
  expect(out).toContain("10 users of scenario.ts");
  expect(out).not.toContain("Failed:");
  for (const line of ["check ten were there", "measure until all heard it"]) {
    expect(out).toContain(line);
    // What the page shows is what it printed.
    expect(page).toContain(line);
  }
});
