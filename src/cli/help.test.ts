import { expect, test } from "bun:test";
import { join } from "node:path";
import { expectGolden } from "../../test/support/golden.ts";
import { projectFolder } from "../machine/installation.ts";
import { type Parameter, type ParameterName, parameters } from "../plan/parameters.ts";
import { optionsOf } from "./command-options.ts";
import { type Command, commands } from "./commands.ts";
import { formatHelp } from "./help.ts";

test("the program's help", async () => {
  await expectGolden("help.txt", formatHelp(null));
});

test.each(Object.keys(commands))("help of %s", async (command) => {
  await expectGolden(`help-${command}.txt`, formatHelp(command));
});

test("no line of any help is wider than 100 columns", () => {
  const helps = [null, ...Object.keys(commands)].map(formatHelp).join("").split("\n");
  // Examples are to be copied: they are not broken.
  const wide = helps.filter((line) => line.length > 100 && !line.startsWith("  showdown "));
  expect(wide).toEqual([]);
});

test("every command has an example of itself, and a summary that is one short line", () => {
  for (const [name, { examples, summary }] of Object.entries<Command>(commands)) {
    expect(examples.some((example) => example.includes(`showdown ${name}`))).toBe(true);
    expect(summary.split(" ").length).toBeLessThanOrEqual(20);
  }
});

test("every parameter is an option of run, doctor and calibrate, with its help", () => {
  for (const [parameter, { option, help }] of Object.entries<Parameter<unknown>>(parameters)) {
    for (const command of ["run", "doctor", "calibrate"]) {
      const known = optionsOf(command).find(({ name }) => name === option);
      expect([command, option, known?.parameter]).toEqual([command, option, parameter as ParameterName]);
      expect(known?.help).toContain(help);
      expect(formatHelp(command)).toMatch(new RegExp(`^  --${option}( |$)`, "m"));
    }
  }
});

test("help of a command may be asked for in either order, and the version is the package's", async () => {
  const say = (...args: readonly string[]) =>
    `${Bun.spawnSync([process.execPath, join(import.meta.dir, "main.ts"), ...args]).stdout}`;
  expect(say("help", "list")).toBe(formatHelp("list"));
  expect(say("list", "--help")).toBe(formatHelp("list"));
  expect(say("help", "nothing")).toBe(formatHelp(null));
  expect(say()).toBe(formatHelp(null));
  const { name, version } = await Bun.file(join(projectFolder, "package.json")).json();
  expect(say("--version")).toBe(`${name} ${version}\n`);
});
