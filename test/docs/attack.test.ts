import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, temporaryFolder } from "../showdown/showdown.ts";
import { runToEnd } from "../support/run-to-end.ts";
import { Page, type PageServer, runCommand, startServer } from "./page.ts";

setDefaultTimeout(longestMs);

const page = new Page("attack.md");
const [server = "", program = ""] = page.blocks("ts");
const commands = page.blocks("sh").flatMap((block) => block.trim().split("\n"));
const library = join(import.meta.dir, "..", "..", "src", "index.ts");

const folder = temporaryFolder();
let running: PageServer;

beforeAll(async () => {
  const asked = server.replace("Bun.serve(", "const { port } = Bun.serve(").replace("9001", "0");
  running = await startServer(`${asked}\nconsole.log(port);\n`, folder);
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

const here = (text: string) => text.replaceAll(":9001/", `:${running.port}/`);

test("the page has a server, a program and commands", () => {
  expect(server).toContain("Bun.serve");
  expect(program).toContain('from "ws-showdown"');
  expect(commands.length).toBeGreaterThanOrEqual(5);
});

/** The same for a shorter time. */
function hasten(command: string): string {
  const short = command
    .replace(/--duration \w+/, "--duration 500ms")
    .replace(/-stages \S+/g, (stages) => stages.replaceAll(/\d+m?s?:/g, "300ms:"));
  return /--(duration|(connection-)?stages|trace)/.test(short) ? short : `${short} --duration 500ms`;
}

test.concurrent.each(commands)("docs/attack.md: %s", async (command) => {
  const { exitCode, stdout, stderr } = await runCommand(hasten(here(command)), folder);
  const said = `${stdout}${stderr}`;
  // On a busy machine the figures may not count, which is not what is tested.
  expect([0, 14], said).toContain(exitCode);
  expect(said).not.toContain("Hint:");
  if (command.includes("--out report.md")) expect(existsSync(join(folder, "report.md"))).toBe(true);
});

test.concurrent("docs/attack.md: the library", async () => {
  const file = join(folder, "program.ts");
  writeFileSync(file, here(program).replace('"ws-showdown"', JSON.stringify(library)));
  const { exitCode, stdout, stderr } = await runToEnd([process.execPath, file], { cwd: folder });
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toMatch(/^0 [\d.]+$/m);
});
