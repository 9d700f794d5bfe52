import { expect, test } from "bun:test";
import { BuildError, ContenderFailedError, exitCodes, ShowdownError } from "./errors.ts";

test("exit codes are the documented ones, and no two are equal", () => {
  const codes = Object.values(exitCodes).map(({ code }) => code);
  expect(codes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 130]);
});

test("an error carries its exit code, its hint and its own name", () => {
  const cause = new Error("because");
  const error = new BuildError("it did not build", { hint: "try again", cause });
  expect(error).toBeInstanceOf(ShowdownError);
  expect(error).toMatchObject({ name: "BuildError", exitCode: 5, hint: "try again", cause });
});

test("a failed contender says how it failed and what it printed", () => {
  const error = new ContenderFailedError("crashed", "exited with 3", { output: "panic" });
  expect(error).toMatchObject({ exitCode: 6, kind: "crashed", output: "panic", hint: undefined });
});
