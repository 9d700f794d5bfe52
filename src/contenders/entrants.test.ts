import { expect, test } from "bun:test";
import type { ShowdownError } from "../errors.ts";
import { contenderSchema } from "../result/schema.ts";
import type { Contender } from "./discover.ts";
import { describeEntrant, formatEntrant, resolveEntrants } from "./entrants.ts";
import { manifestSchema } from "./manifest.ts";

function contender(name: string, extra: object = {}): Contender {
  const manifest = manifestSchema.parse({
    title: name,
    language: "Go",
    library: "gorilla",
    approach: "idiomatic",
    routing: "prefix",
    framing: "newline",
    slowConsumer: "drop-message",
    start: ["./server"],
    env: { GOGC: "100", MODE: "hub" },
    ...extra,
  });
  return { name, folder: `/contenders/${name}`, manifest };
}

const contenders = [
  contender("elixir-genserver"),
  contender("go-gorilla", {
    variants: { tuned: { approach: "tuned", framing: "single", env: { GOGC: "400" } } },
  }),
];

function failure(names: string[]): ShowdownError {
  try {
    resolveEntrants(contenders, names);
  } catch (error) {
    return error as ShowdownError;
  }
  throw new Error("expected an error");
}

test("a variant's words go over its contender's, and its environment is merged", () => {
  const [plain, tuned] = resolveEntrants(contenders, ["go-gorilla", "go-gorilla:tuned"]);
  expect(plain).toMatchObject({ variant: "default", framing: "newline", env: { GOGC: "100", MODE: "hub" } });
  expect(tuned).toMatchObject({
    contender: "go-gorilla",
    variant: "tuned",
    title: "go-gorilla",
    approach: "tuned",
    framing: "single",
    routing: "prefix",
    env: { GOGC: "400", MODE: "hub" },
    start: ["./server"],
  });
});

test("order is kept, `:default` is the contender itself, and no names are all of them", () => {
  const names = (wanted: string[]) => resolveEntrants(contenders, wanted).map(formatEntrant);
  expect(names(["go-gorilla:tuned", "elixir-genserver:default"])).toEqual([
    "go-gorilla:tuned",
    "elixir-genserver",
  ]);
  expect(names([])).toEqual(["elixir-genserver", "go-gorilla"]);
});

test("who is optional takes part when named, or when all are asked for", () => {
  const field = [...contenders, contender("rust-axum", { optional: true })];
  const find = (names: string[], isAll?: boolean) => resolveEntrants(field, names, isAll).map(formatEntrant);
  expect(find([])).toEqual(["elixir-genserver", "go-gorilla"]);
  expect(find([], true)).toEqual(["elixir-genserver", "go-gorilla", "rust-axum"]);
  expect(find(["rust-axum"])).toEqual(["rust-axum"]);
});

test("an unknown contender or variant gets the nearest name and the list of all", () => {
  const error = failure(["go-gorila", "go-gorilla:tnued", "rust"]);
  expect(error).toMatchObject({ reason: "unknownContender" });
  expect(error.exitCode).toBe(3);
  expect(error.message.split("\n")).toEqual([
    'no contender is named "go-gorila", did you mean "go-gorilla"?',
    'contender "go-gorilla" has no variant "tnued", did you mean "tuned"? (it has default, tuned)',
    'no contender is named "rust"',
  ]);
  expect(error.hint).toBe("there are: elixir-genserver, go-gorilla, go-gorilla:tuned");
  expect(failure(["elixir"]).message).toContain('did you mean "elixir-genserver"?');
});

test("one contender twice is refused", () => {
  expect(failure(["go-gorilla", "go-gorilla:default"])).toMatchObject({ reason: "usage" });
});

test("an entrant is described as the result's schema asks for", () => {
  const [entrant] = resolveEntrants(contenders, ["go-gorilla:tuned"]);
  if (entrant === undefined) throw new Error("not found");
  const facts = describeEntrant(entrant, {
    sourceDigest: "abc",
    toolchains: { go: "go1.26" },
    verified: null,
    notRun: null,
  });
  expect(contenderSchema.strict().parse(facts)).toEqual(facts);
  expect(facts).toMatchObject({
    name: "go-gorilla",
    variant: "tuned",
    deployment: null,
    env: { GOGC: "400" },
  });
});
