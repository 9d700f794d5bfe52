import { expect, test } from "bun:test";
import { formatCompletions, shells } from "./completions.ts";
import { formatManPage } from "./man-page.ts";

test.each(shells)("%s reads its completions without complaint", (shell) => {
  if (Bun.which(shell) === null) return;
  const { exitCode, stderr } = Bun.spawnSync([shell, "-n"], { stdin: Buffer.from(formatCompletions(shell)) });
  expect({ exitCode, stderr: stderr.toString() }).toEqual({ exitCode: 0, stderr: "" });
});

test.each([
  [["showdown", "ver"], "verify"],
  [["showdown", "run", "--pres"], "--preset"],
  [["showdown", "run", "--preset", "s"], "smoke"],
  [["showdown", "run", "--phases", "burst-b"], "burst-broadcast"],
  [["showdown", "list", "--fail"], ""],
])("bash completes %p to %j", (words, expected) => {
  const script = `${formatCompletions("bash")}
COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _showdown; echo "\${COMPREPLY[*]}"`;
  expect(Bun.spawnSync(["bash", "-c", script]).stdout.toString().trim()).toBe(expected);
});

test.if(Bun.which("fish") !== null)("fish completes options and their values", () => {
  const complete = (line: string) =>
    Bun.spawnSync([
      "fish",
      "--no-config",
      "-c",
      `${formatCompletions("fish")}\ncomplete -C "${line}"`,
    ]).stdout.toString();
  expect(complete("showdown run --pres")).toStartWith("--preset\t");
  expect(complete("showdown run --preset s")).toStartWith("smoke\t");
});

test("the manual page names every command and option, and is sound where a checker is there to say so", () => {
  const page = formatManPage("ws-showdown 1.0.0");
  expect(page).toContain(".SS showdown verify ");
  expect(page).toContain("\\fB\\-\\-endurance\\-rate\\fR \\fIN\\fR");
  if (Bun.which("mandoc") === null) return;
  const { stdout } = Bun.spawnSync(["mandoc", "-Tlint", "-W", "warning"], { stdin: Buffer.from(page) });
  // No date: two builds of the same sources are the same.
  const problems = stdout
    .toString()
    .split("\n")
    .filter((line) => !line.includes("missing date"));
  expect(problems.join("")).toBe("");
});
