import { expect, test } from "bun:test";
import { describeToolchain } from "./support.ts";

test.each([
  ["node", "v20.19.2", { name: "Node", version: "20.19.2", endedOn: "2026-04-30" }],
  ["node", "v26.10.0", { name: "Node", version: "26.10.0", endedOn: null }],
  ["erl", "25", { name: "Erlang/OTP", version: "25", endedOn: "2025-05-17" }],
  ["mix", "1.14.0", { name: "Elixir", version: "1.14.0", endedOn: "2025-10-16" }],
  ["go", "go version go1.25.3 linux/amd64", { name: "Go", version: "1.25.3", endedOn: "2026-08-19" }],
  ["go", "go version go1.27.0 linux/amd64", { name: "Go", version: "1.27.0", endedOn: null }],
  ["java", 'openjdk version "17.0.8" 2023-07-18', { name: "Java", version: "17.0.8", endedOn: null }],
  ["python3", "Python 3.11.2", { name: "Python", version: "3.11.2", endedOn: null }],
  ["zigc", "zig-like compiler 0.12.1", { name: "zigc", version: "0.12.1", endedOn: null }],
  ["go", "", { name: "Go", version: null, endedOn: null }],
])("%s, which says %j", (tool, printed, expected) => {
  expect(describeToolchain(tool, printed, "2026-11-28")).toEqual(expected);
});

test("support ends with its day, not before", () => {
  const endedOn = (day: string) => describeToolchain("node", "v20.1.0", day).endedOn;
  expect([endedOn("2026-04-29"), endedOn("2026-04-30")]).toEqual([null, "2026-04-30"]);
});
