import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, temporaryFolder } from "../showdown/showdown.ts";

setDefaultTimeout(longestMs);

const root = join(import.meta.dir, "..", "..");
const page = readFileSync(join(root, "docs", "attack.md"), "utf8");
const blocks = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);
const [server = "", program = ""] = blocks("ts");
const commands = blocks("sh").flatMap((block) => block.trim().split("\n"));

const folder = temporaryFolder();
let child: Bun.Subprocess<"ignore", "pipe", "inherit">;
let port = "";

/** The page's own server, on a port of the system's choice. */
beforeAll(async () => {
  const file = join(folder, "echo.ts");
  const asked = server.replace("Bun.serve(", "const { port } = Bun.serve(").replace("9001", "0");
  writeFileSync(file, `${asked}\nconsole.log(port);\n`);
  child = Bun.spawn([process.execPath, file], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  port = new TextDecoder().decode(value).trim();
});
afterAll(async () => {
  child.kill();
  await child.exited;
  rmSync(folder, { recursive: true, force: true });
});

const here = (text: string) => text.replaceAll(":9001/", `:${port}/`);

async function run(command: readonly string[]): Promise<{ exitCode: number; said: string }> {
  const ended = Bun.spawn([...command], { cwd: folder, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
  const [out, err] = await Promise.all([
    new Response(ended.stdout).text(),
    new Response(ended.stderr).text(),
  ]);
  return { exitCode: await ended.exited, said: `${out}${err}` };
}

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
  const own = `${process.execPath} ${join(root, "src", "cli", "main.ts")}`;
  const { exitCode, said } = await run(["sh", "-c", hasten(here(command).replace("npx ws-showdown", own))]);
  // On a busy machine the figures may not count, which is not what is tested.
  expect([0, 14], said).toContain(exitCode);
  expect(said).not.toContain("Hint:");
  if (command.includes("--out report.md")) expect(existsSync(join(folder, "report.md"))).toBe(true);
});

test.concurrent("docs/attack.md: the library", async () => {
  const file = join(folder, "program.ts");
  writeFileSync(file, here(program).replace('"ws-showdown"', JSON.stringify(join(root, "src", "index.ts"))));
  const { exitCode, said } = await run([process.execPath, file]);
  expect(exitCode, said).toBe(0);
  expect(said).toMatch(/^0 [\d.]+$/m);
});
