import { expect, test } from "bun:test";
import { fixtureCases } from "../../../../test/support/fixture-cases.ts";
import {
  bunNative,
  elixirGenserver,
  fixturePlan,
  fixtureResult,
  fixtureRounds,
  goGorilla,
  messageCounts,
} from "../../../../test/support/fixture-result.ts";
import type { Phase, Result, Round } from "../../../result/schema.ts";
import { type Claim, retestArticle } from "./claims.ts";

interface Figures {
  readonly opened?: number;
  readonly burst?: readonly number[];
  readonly heldShare?: number;
  readonly memory?: readonly number[];
  readonly messages?: Partial<NonNullable<Phase["messages"]>>;
}

/** Rounds of the article's plan in which each side has these figures. */
function rounds(elixir: Figures, go: Figures, count = 5): Result {
  const plan = fixturePlan({ rounds: count });
  const contenders = [elixirGenserver, goGorilla];
  const changed = fixtureRounds(contenders, plan).map((round): Round => {
    const figures = round.contender === elixirGenserver.name ? elixir : go;
    const burst = figures.burst?.[round.round - 1];
    const memory = figures.memory?.[round.round - 1];
    return {
      ...round,
      phases: round.phases.map((phase) => ({
        ...phase,
        connections: { ...phase.connections, opened: figures.opened ?? plan.connections },
        throughput:
          phase.kind === "burst" && burst !== undefined
            ? { deliveriesPerSecond: burst, sendsPerSecond: burst, spanMs: 2000, sendSpanMs: 1000 }
            : phase.throughput,
        rate:
          phase.rate === null
            ? null
            : { ...phase.rate, heldShare: figures.heldShare ?? phase.rate.heldShare },
        server: { ...phase.server, rssBytesPerConnection: memory ?? phase.server.rssBytesPerConnection },
        messages: phase.messages === null ? null : { ...phase.messages, ...figures.messages },
      })),
    };
  });
  return fixtureResult({ contenders, plan, rounds: changed });
}

function find(result: Result, words: string): Claim {
  const claim = retestArticle(result)?.claims.find((one) => one.claim.includes(words));
  if (claim === undefined) throw new Error(`no claim about ${words}`);
  return claim;
}

const limit = "a limit of the system";
const twice = "In a burst of echoes";

test("the limit of 16,300 connections falls where more are opened", () => {
  const found = find(rounds({ opened: 19_936 }, { opened: 19_994 }), limit);
  expect(found).toMatchObject({
    finding: "does not hold",
    article: "Elixir 16,292, Go 16,322",
    measured: "elixir-genserver 19,936, go-gorilla 19,994",
  });
  expect(found.why).toContain("16,384");
  expect(find(rounds({ opened: 16_300 }, { opened: 16_310 }), limit).finding).toBe("holds");
});

test("fewer connections than the article's client had ports say nothing of its limit", () => {
  const plan = fixturePlan({ connections: 10_000 });
  expect(find(fixtureResult({ plan }), limit).finding).toBe("can't tell");
});

test.each([
  ["twice as many", [2000, 2020, 1990, 2010, 2000], [1000, 1000, 1010, 990, 1000], "holds"],
  ["fewer", [800, 810, 790, 800, 805], [1000, 1000, 1010, 990, 1000], "does not hold"],
  ["a little more", [1100, 1110, 1090, 1100, 1105], [1000, 1000, 1010, 990, 1000], "does not hold"],
  ["anything", [3000, 900, 2500, 700, 1500], [1000, 1600, 900, 1500, 1000], "can't tell"],
] as const)("of five rounds with %s in Elixir's burst it is said", (_, elixir, go, finding) => {
  expect(find(rounds({ burst: elixir }, { burst: go }), twice).finding).toBe(finding);
});

test.each([
  [2000, "holds"],
  [1600, "can't tell"],
  [1300, "can't tell"],
  [1100, "does not hold"],
] as const)(
  "one round with %d against 1,000 is judged only far from the claim's limit",
  (elixir, finding) => {
    const found = find(rounds({ burst: [elixir] }, { burst: [1000] }, 1), twice);
    expect(found.finding).toBe(finding);
    expect(found.why).toContain("One round");
  },
);

test("Go's fall in endurance is put to the rate that it held", () => {
  expect(find(rounds({}, {}), "Go can't").finding).toBe("does not hold");
  expect(find(rounds({}, { heldShare: 0.06 }), "Go can't").finding).toBe("holds");
  expect(find(rounds({ heldShare: 0.7 }, {}), "Elixir sustains").finding).toBe("does not hold");
  const plan = fixturePlan({ enduranceRatePerSecond: 5000 });
  expect(find(fixtureResult({ plan }), "Elixir sustains")).toMatchObject({ finding: "can't tell" });
});

test("a single loss ends the claim that everything arrives", () => {
  expect(find(rounds({}, {}), "deliver everything").finding).toBe("holds");
  const lossy = messageCounts(1000, { delivered: 999, lost: 1 });
  expect(find(rounds({ messages: lossy }, {}), "deliver everything")).toMatchObject({
    finding: "does not hold",
    measured: expect.stringContaining("elixir-genserver 15 lost of 15,000"),
  });
});

test("less memory is better, and the ratio is of the values", () => {
  const memory = { elixir: [9000, 9100, 8900, 9000, 9050], go: [3000, 3010, 2990, 3000, 3005] };
  const found = find(rounds({ memory: memory.elixir }, { memory: memory.go }), "less memory");
  expect(found.finding).toBe("holds");
  expect(found.measured).toContain("Elixir's is 3.00 times Go's");
  expect(find(rounds({ memory: memory.go }, { memory: memory.elixir }), "less memory")).toMatchObject({
    finding: "does not hold",
    measured: expect.stringContaining("Elixir's is 0.33 times Go's"),
  });
});

test("a phase that is void can't be told from", () => {
  const result = rounds({}, {});
  const voided = result.rounds.map((round) => ({
    ...round,
    phases: round.phases.map((phase) =>
      phase.kind === "burst"
        ? { ...phase, status: "void" as const, reason: "late", throughput: null }
        : phase,
    ),
  }));
  expect(find({ ...result, rounds: voided }, twice)).toMatchObject({
    finding: "can't tell",
    measured: "no figures that count",
  });
});

test("a crash that only one side survives is told of both", () => {
  const chaos = fixtureCases.chaos ?? fixtureResult();
  const result = { ...chaos, plan: { ...chaos.plan, connections: 10_000 } };
  const retest = retestArticle(result);
  const found = retest?.claims.find(({ claim }) => claim.includes("contains a crash"));
  expect(found?.finding).not.toBe("can't tell");
  expect(found?.measured).toContain("connections of others lost");
});

test("sends and frames stand beside deliveries", () => {
  const figures = { burst: [1000], messages: messageCounts(2000, { frames: 500 }) };
  const unfair = retestArticle(rounds(figures, figures, 1))?.unfair;
  expect(unfair?.rows[0]?.cells.map(({ text }) => text)).toEqual([
    "Burst echo, elixir-genserver",
    "1,000/s",
    "2,000/s",
    "250/s",
  ]);
});

test("a plan of other parameters, or without the two sides, is no re-test", () => {
  expect(retestArticle(fixtureResult({ plan: fixturePlan({ connections: 1000 }) }))).toBeNull();
  expect(retestArticle(fixtureResult({ contenders: [bunNative, goGorilla] }))).toBeNull();
});
