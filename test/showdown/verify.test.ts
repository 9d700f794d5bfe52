import { expect, setDefaultTimeout, test } from "bun:test";
import { fixtures, longestMs, showdown } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("--json keeps values of secrets in a URL to itself", async () => {
  const ended = await showdown("verify", "ws://127.0.0.1:9/x?room=2&access_token=hush", "--json");
  expect(ended.stdout).not.toContain("hush");
  const [{ name, report }] = JSON.parse(ended.stdout);
  expect(name).toBe("ws://127.0.0.1:9/x?room=2&access_token=…");
  expect(report).toMatchObject({ url: name, target: { path: "/x?room=2&access_token=…" }, competes: false });
});

test("verify waits for a server as long as --ready-seconds says", async () => {
  const verify = (...options: string[]) =>
    showdown("verify", "never-ready", "--contenders", fixtures, "--json", ...options);
  const ended = await verify("--ready-seconds", "0.7");
  expect(ended.exitCode).toBe(11);
  expect(JSON.parse(ended.stdout)).toEqual([
    { name: "never-ready", reason: expect.stringMatching(/not ready on \S+ within 0.7 s/) },
  ]);
});
