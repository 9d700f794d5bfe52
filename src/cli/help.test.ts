import { expect, test } from "bun:test";
import { expectGolden } from "../../test/support/golden.ts";
import { commands } from "./commands.ts";
import { formatHelp } from "./help.ts";
import { type Option, options } from "./options.ts";

test("the program's help", async () => {
  await expectGolden("help.txt", formatHelp(null));
});

test.each(Object.keys(commands))("help of %s", async (command) => {
  await expectGolden(`help-${command}.txt`, formatHelp(command));
});

test("every option belongs to commands that exist, and every command has an example of itself", () => {
  for (const [name, option] of Object.entries<Option>(options)) {
    for (const command of option.commands)
      expect([name, Object.keys(commands)]).toEqual([name, expect.arrayContaining([command])]);
  }
  for (const [name, { examples }] of Object.entries(commands)) {
    expect(examples.some((example) => example.includes(`showdown ${name}`))).toBe(true);
  }
});
