import { expect, test } from "bun:test";
import { compareVersions, findVersion } from "./version.ts";

test.each([
  ["go version go1.26.8 linux/amd64\n", ["go"], "1.26.8"],
  [
    "Erlang/OTP 25 [erts-13.1.5] [64-bit]\n\nElixir 1.14.0 (compiled with Erlang/OTP 24)\n",
    ["mix", "elixir"],
    "1.14.0",
  ],
  ["25", ["erl"], "25"],
  ["v20.19.2", ["node"], "20.19.2"],
  ["g++ (Debian 12.2.0-14) 12.2.0", ["g++"], "12.2.0"],
  ['openjdk version "17.0.8" 2023-07-18', ["java"], "17.0.8"],
  ["rustc 1.75.0 (82e1608df 2023-12-21)", ["cargo", "rustc"], "1.75.0"],
  ["\u001b[1mApache Maven 3.8.7\u001b[m\nMaven home: /usr/share/maven\n", ["mvn"], "3.8.7"],
  ["no number here", ["x"], null],
  ["", ["x"], null],
])("the version in %j", (printed, names, version) => {
  expect(findVersion(printed, names).version).toBe(version);
});

test.each([
  ["1.9", "1.10", -1],
  ["1.10", "1.9.9", 1],
  ["1.14.0", "1.14", 0],
  ["20", "18.19", 1],
  ["25", "25.0.1", -1],
  ["17.0.8.1", "17.0.8", 0],
])("%s against %s", (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
});
