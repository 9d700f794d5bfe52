import { expect, test } from "bun:test";
import { isShowdownError } from "../errors.ts";
import { type Parameter, parameters } from "../plan/parameters.ts";
import { commandLine, optionsOf } from "./command-options.ts";
import { commands } from "./commands.ts";
import { options } from "./options.ts";
import { parseOptions } from "./parse-options.ts";

type Environment = Readonly<Record<string, string>>;

function problemsOf(args: readonly string[], { command = "run", env = {} as Environment } = {}): string[] {
  try {
    parseOptions(command, args, env);
  } catch (error) {
    if (isShowdownError(error, "usage")) return error.message.split("\n").map((line) => line.trim());
    throw error;
  }
  return [];
}

test("values come out in their types, names of contenders in their order", () => {
  const { settings, values, positionals } = parseOptions("run", [
    ...["go-gorilla", "--connections", "25,000", "--endurance-rate=15_000", "--quiet-seconds", "0.5"],
    ...["--preset", "article", "--json", "--contenders", "a", "clean:tuned", "--contenders=b", "--no-pin"],
    ...["--phases", "burst-echo", "--chaos-seconds", "1/2/3", "--keep-invalid", "--workers", "auto"],
  ]);
  expect(settings).toEqual({
    connections: 25_000,
    enduranceRatePerSecond: 15_000,
    quietMs: 500,
    pin: false,
    phases: [{ kind: "connect" }, { kind: "burst", workload: "echo" }],
    chaosSeconds: { before: 1, under: 2, after: 3 },
    validityRule: false,
    workers: null,
  });
  expect(values).toEqual({ preset: "article", json: true, contenders: ["a", "b"] });
  expect(positionals).toEqual(["go-gorilla", "clean:tuned"]);
});

test("nothing given is nothing set: defaults are the plan's matter", () => {
  expect(parseOptions("run", [])).toEqual({
    settings: {},
    attack: {},
    needs: {},
    values: {},
    positionals: [],
  });
});

test("given twice, the last one counts", () => {
  expect(parseOptions("run", ["--seed", "1", "--seed", "2"]).settings).toEqual({ seed: 2 });
});

test("behind -- everything is a name", () => {
  expect(parseOptions("run", ["--", "--json"])).toEqual({
    settings: {},
    attack: {},
    needs: {},
    values: {},
    positionals: ["--json"],
  });
});

const entries = Object.entries<Parameter<unknown>>(parameters).map(([parameter, entry]) => ({
  parameter,
  ...entry,
}));

test.each(entries)(
  "--$option sets $parameter, and the environment does",
  ({ parameter, option, type, ...entry }) => {
    const variable = `SHOWDOWN_${option.toUpperCase().replaceAll("-", "_")}`;
    const isFlag = type.placeholder === "";
    const value = isFlag
      ? !entry.default
      : (entry.default ?? (type.read("2") as { value: unknown }).value ?? "spin");
    const text = isFlag ? "1" : type.write(value);
    const args = isFlag ? [`--${option}`] : [`--${option}`, text];
    expect(parseOptions("run", args).settings).toEqual({ [parameter]: value });
    expect(parseOptions("run", [], { [variable]: text }).settings).toEqual({ [parameter]: value });
    // Of no use to these commands, and no problem of theirs.
    expect(parseOptions("list", [], { [variable]: "nonsense" }).settings).toEqual({});
    const [problem = "none"] = problemsOf([], { env: { [variable]: "nonsense" } });
    expect(problem).toStartWith(`${variable}=nonsense in the environment: expected `);
  },
);

test("options win over the environment, the environment over the preset", () => {
  const env = {
    SHOWDOWN_CONNECTIONS: "70",
    SHOWDOWN_PRESET: "full",
    SHOWDOWN_JSON: "1",
    SHOWDOWN_WORKERS: "3",
  };
  expect(parseOptions("run", ["--connections", "80", "--preset", "smoke"], env)).toEqual({
    settings: { connections: 80, workers: 3 },
    attack: {},
    needs: {},
    values: { preset: "smoke", json: true },
    positionals: [],
  });
  expect(parseOptions("run", ["--workers", "auto"], env).settings.workers).toBeNull();
  expect(parseOptions("run", ["--contenders", "b"], { SHOWDOWN_CONTENDERS: "a" }).values.contenders).toEqual([
    "b",
  ]);
  expect(parseOptions("run", [], { SHOWDOWN_CONTENDERS: "a" }).values.contenders).toEqual(["a"]);
  expect(parseOptions("run", [], { SHOWDOWN_NO_PIN: "0" }).settings.pin).toBe(true);
});

test("a bad value in the environment is told with its variable, beside the others", () => {
  expect(problemsOf(["--seed", "x"], { env: { SHOWDOWN_CONNECTIONS: "0", SHOWDOWN_LIVE: "maybe" } })).toEqual(
    [
      expect.stringContaining("--seed x"),
      "SHOWDOWN_CONNECTIONS=0 in the environment: expected a whole number from 1 to 2,000,000",
      "SHOWDOWN_LIVE=maybe in the environment: expected 1, true, 0 or false",
    ],
  );
});

const limits: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["connections", ["1", "2000000"], ["0", "2000001"]],
  ["p99-limit", ["0.1", "60000"], ["0.099", "60001"]],
  ["ready-seconds", ["0.1", "600"], ["0.09", "601"]],
  ["error-threshold", ["0"], ["-1"]],
  ["port", ["0", "65535"], ["65536"]],
  ["live-port", ["0", "65535"], ["65536"]],
  ["sizing-rate", ["0.001"], ["0"]],
];

test.each(limits)("--%s takes its limits, and neither less nor more", (name, possible, impossible) => {
  for (const text of possible) expect(problemsOf([`--${name}=${text}`])).toEqual([]);
  for (const text of impossible) expect(problemsOf([`--${name}=${text}`])).toHaveLength(1);
});

test.each(["", "abc", "1e3", "0x10", "1.5", " 5", "5 ", "+5", "-5", "1,00", "Infinity", "NaN", "٣", "5s"])(
  "a whole number is not %j",
  (text) => {
    expect(problemsOf([`--connections=${text}`])).toEqual([
      `${`--connections ${text}`.trimEnd()}: expected a whole number from 1 to 2,000,000`,
    ]);
  },
);

test.each([
  [["--conections", "5"], ['unknown option "--conections", did you mean "connections"?']],
  [["-j"], ['unknown option "-j"']],
  [["--preset", "smok"], [expect.stringContaining('did you mean "smoke"?')]],
  [["--phases", "burst-ecko"], [expect.stringContaining('"burst-ecko" is none, did you mean "burst-echo"?')]],
  [["--json=1"], ['--json takes no value, got "1"']],
  [["--results"], ["--results: expected a value"]],
  [["--results", "--json"], ["--results: expected a value"]],
  [["--results="], ["--results: expected a value, got nothing"]],
  // An option of another command.
  [["--slow"], [expect.stringContaining('unknown option "--slow"')]],
])("%j is refused", (args, problems) => {
  const told = problemsOf(args);
  expect(told).toHaveLength(problems.length);
  for (const [index, problem] of problems.entries()) expect(told[index] as unknown).toEqual(problem);
});

test("all problems are told at once, in order", () => {
  expect(problemsOf(["--connections", "0", "--nonsense", "--pacing", "fast", "--seed", "x"])).toEqual([
    expect.stringContaining("--connections 0"),
    expect.stringContaining('"--nonsense"'),
    expect.stringContaining("--pacing fast"),
    expect.stringContaining("--seed x"),
  ]);
});

test("every option belongs to commands that exist, and every command but completions has options", () => {
  const named = new Set<string>(Object.values(options).flatMap((option) => option.commands));
  expect([...named, "completions"].sort()).toEqual(Object.keys(commands).sort());
});

test("no option of a command has the name of another, and each says in a few words what it does", () => {
  for (const command of Object.keys(commands)) {
    const all = optionsOf(command);
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  }
  for (const { help } of Object.values(options)) expect(help.split(" ").length).toBeLessThanOrEqual(20);
});

test("doctor and calibrate take what decides the plan, verify how long a server may take", () => {
  const parametersOf = (command: string) => optionsOf(command).flatMap(({ parameter }) => parameter ?? []);
  expect(parametersOf("doctor")).toEqual(Object.keys(parameters) as never);
  expect(parametersOf("calibrate")).toEqual(parametersOf("doctor"));
  expect(parametersOf("verify")).toEqual(["readyMs"]);
  expect(parametersOf("list")).toEqual([]);
  expect(parseOptions("doctor", ["--p99-limit", "50"]).settings).toEqual({ p99LimitMs: 50 });
});

test("a command line tells what the environment set, and keeps a value that is a command's name", () => {
  const host = { args: ["run", "--results", "run"], env: { SHOWDOWN_ROUNDS: "3", SHOWDOWN_PARENT: "1" } };
  expect(commandLine(host)).toEqual(["SHOWDOWN_ROUNDS=3", "showdown", "run", "--results", "run"]);
});

test("the command line is kept without secrets", () => {
  const args = [
    ...["attack", "wss://a.test/?token=hush&room=1", "--header", "X: hush", "--cookie=a=hush"],
    ...["--adapter-option", "password=hush", "--adapter-option=event=say"],
  ];
  expect(
    commandLine({ args, env: { SHOWDOWN_HEADER: "X: hush", SHOWDOWN_ADAPTER_OPTION: "key=hush" } }),
  ).toEqual([
    ...[
      "SHOWDOWN_HEADER=…",
      "SHOWDOWN_ADAPTER_OPTION=key=…",
      "showdown",
      "attack",
      "wss://a.test/?token=…&room=1",
    ],
    ...["--header", "…", "--cookie=…", "--adapter-option", "password=…", "--adapter-option=event=say"],
  ]);
});
