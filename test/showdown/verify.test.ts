import { expect, setDefaultTimeout, test } from "bun:test";
import { fixtures, longestMs, showdown } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("verify waits for a server as long as --ready-seconds says", async () => {
  const verify = (...options: string[]) =>
    showdown("verify", "never-ready", "--contenders", fixtures, "--json", ...options);
  const ended = await verify("--ready-seconds", "0.7");
  expect(ended.exitCode).toBe(11);
  expect(JSON.parse(ended.stdout)).toEqual([
    { name: "never-ready", reason: expect.stringMatching(/not ready on \S+ within 0.7 s/) },
  ]);
});
