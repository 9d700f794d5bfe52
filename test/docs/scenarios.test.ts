import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, temporaryFolder } from "../showdown/showdown.ts";
import { Page, type PageServer, runCommand, startServer } from "./page.ts";

setDefaultTimeout(longestMs);

const page = new Page("scenarios.md");
const [server = "", scenario = ""] = page.blocks("ts");
const [command = ""] = page.blocks("sh");

const folder = temporaryFolder();
let running: PageServer;

beforeAll(async () => {
  running = await startServer(`${server.replace("9001", "0")}\nconsole.log(server.port);\n`, folder);
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("docs/scenarios.md: its server, its scenario and its command, as they stand there", async () => {
  writeFileSync(join(folder, "scenario.ts"), scenario.replace("9001", running.port));
  const { exitCode, stdout, stderr } = await runCommand(command.replace("5s", "2s"), folder);
  // On a busy machine the figures may not count, which is not what is tested.
  expect([0, 14], `${stdout}${stderr}`).toContain(exitCode);
  expect(stderr).toContain('passed: "checks.failed = 0"');
  expect(stderr).toContain('passed: "measure.until all heard it.p50 < 500ms"');
  expect(stdout).toContain("10 users of scenario.ts");
  expect(stdout).not.toContain("Failed:");
  for (const line of ["check ten were there", "measure until all heard it"]) {
    expect(stdout).toContain(line);
    // What the page shows is what it printed.
    expect(page.text).toContain(line);
  }
});
