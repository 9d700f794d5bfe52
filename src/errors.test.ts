import { expect, test } from "bun:test";
import { exitCodes, isShowdownError, ShowdownError } from "./errors.ts";

test("exit codes are the documented ones, and no two are equal", () => {
  const codes = Object.values(exitCodes).map(({ code }) => code);
  expect(codes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 130, 141]);
});

test("an error carries its reason, its exit code, its hint, its cause and the output", () => {
  const cause = new Error("because");
  const error = new ShowdownError("build", "it did not build", {
    hint: "try again",
    cause,
    output: "ld: no",
  });
  expect(error).toMatchObject({ name: "ShowdownError", reason: "build", exitCode: 5, cause });
  expect(error).toMatchObject({ message: "it did not build", hint: "try again", output: "ld: no" });
  expect(new ShowdownError("usage", "no").cause).toBeUndefined();
});

test("an error is known by its reason", () => {
  const error: unknown = new ShowdownError("contenderFailed", "exited with 3");
  expect(isShowdownError(error)).toBeTrue();
  expect(isShowdownError(error, "contenderFailed")).toBeTrue();
  expect(isShowdownError(error, "build")).toBeFalse();
  expect(isShowdownError(new Error("exited with 3"))).toBeFalse();
});
