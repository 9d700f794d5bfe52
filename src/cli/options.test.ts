import { expect, test } from "bun:test";
import { UsageError } from "../errors.ts";
import { commands } from "./commands.ts";
import { type Option, options, parseOptions } from "./options.ts";

function problemsOf(...args: readonly string[]): string[] {
  return problemsFor("run", ...args);
}

function problemsFor(command: string, ...args: readonly string[]): string[] {
  try {
    parseOptions(command, args);
  } catch (error) {
    if (error instanceof UsageError) return error.message.split("\n").map((line) => line.trim());
    throw error;
  }
  return [];
}

test("values come out in their types, names of contenders in their order", () => {
  const { values, positionals } = parseOptions("run", [
    ...["go-gorilla", "--connections", "25,000", "--endurance-rate=15_000", "--quiet-seconds", "0.5"],
    ...["--preset", "article", "--json", "--contenders", "a", "clean:tuned", "--contenders=b", "--no-pin"],
  ]);
  expect(values).toEqual({
    connections: 25_000,
    "endurance-rate": 15_000,
    "quiet-seconds": 0.5,
    preset: "article",
    json: true,
    contenders: ["a", "b"],
    "no-pin": true,
  });
  expect(positionals).toEqual(["go-gorilla", "clean:tuned"]);
});

test("nothing given is nothing set: defaults are the plan's matter", () => {
  expect(parseOptions("run", [])).toEqual({ values: {}, positionals: [] });
});

test("given twice, the last one counts", () => {
  expect(parseOptions("run", ["--seed", "1", "--seed", "2"]).values).toEqual({ seed: 2 });
});

test("behind -- everything is a name", () => {
  expect(parseOptions("run", ["--", "--json"])).toEqual({ values: {}, positionals: ["--json"] });
});

const counts = Object.entries<Option>(options).flatMap(([name, option]) =>
  option.type === "count" ? [{ name, ...option }] : [],
);

test.each(counts)(
  "--$name takes $min and $max, and neither less nor more",
  ({ name, min, max, fraction, commands }) => {
    const [command = "run"] = commands;
    const read = (value: number) => parseOptions(command, [`--${name}=${value}`]).values;
    expect(Object.values(read(min))).toEqual([min]);
    expect(Object.values(read(max))).toEqual([max]);
    const step = fraction ? 0.001 : 1;
    expect(problemsFor(command, `--${name}=${max + step}`)).toHaveLength(1);
    expect(problemsFor(command, `--${name}=${min - step}`)).toHaveLength(1);
  },
);

test.each(["", "abc", "1e3", "0x10", "1.5", " 5", "5 ", "+5", "-5", "1,00", "Infinity", "NaN", "٣", "5s"])(
  "a whole number is not %j",
  (text) => {
    expect(problemsOf(`--connections=${text}`)).toEqual([
      `--connections ${text}: expected a whole number from 1 to 2,000,000`.trim(),
    ]);
  },
);

test.each([
  [["--conections", "5"], ['unknown option "--conections", did you mean "connections"?']],
  [["-j"], ['unknown option "-j"']],
  [["--preset", "smok"], [expect.stringContaining('did you mean "smoke"?')]],
  [["--json=1"], ['--json takes no value, got "1"']],
  [["--results"], ["--results: expected a value"]],
  [["--results", "--json"], ["--results: expected a value"]],
  [["--results="], ["--results: expected a value, got nothing"]],
  // An option of another command.
  [["--slow"], [expect.stringContaining('unknown option "--slow"')]],
])("%j is refused", (args, problems) => {
  const told = problemsOf(...args);
  expect(told).toHaveLength(problems.length);
  for (const [index, problem] of problems.entries()) expect(told[index] as unknown).toEqual(problem);
});

test("all problems are told at once, in order", () => {
  expect(problemsOf("--connections", "0", "--nonsense", "--pacing", "fast", "--seed", "x")).toEqual([
    expect.stringContaining("--connections 0"),
    expect.stringContaining('"--nonsense"'),
    expect.stringContaining("--pacing fast"),
    expect.stringContaining("--seed x"),
  ]);
});

test("every option belongs to commands that exist, and every command has options", () => {
  const named = new Set(Object.values<Option>(options).flatMap((option) => option.commands));
  expect([...named].sort()).toEqual(Object.keys(commands).sort());
});
