import { expect, test } from "bun:test";
import { chaosCase } from "../../../../test/support/fixture-chaos.ts";
import {
  bunNative,
  elixirGenserver,
  fixtureBurst,
  fixtureConnect,
  fixtureEndurance,
  fixturePlan,
  fixtureResult,
  fixtureRounds,
  fixtureSlope,
  goGorilla,
  messageCounts,
} from "../../../../test/support/fixture-result.ts";
import { alterPhases } from "../../../../test/support/fixture-run.ts";
import type { LoadPhase, Slice } from "../../../result/phase.ts";
import type { Result, Round } from "../../../result/schema.ts";
import { findSide } from "./article.ts";
import { type Claim, countUnfairly, retestArticle } from "./claims.ts";

interface Figures {
  readonly open?: number;
  readonly burst?: readonly number[];
  readonly sustainedShare?: number;
  readonly memory?: readonly number[];
  readonly messages?: LoadPhase["messages"];
}

/** Rounds of the article's plan in which each side has these figures. */
function rounds(elixir: Figures, go: Figures, count = 5): Result {
  const plan = fixturePlan({ rounds: count });
  const contenders = [elixirGenserver, goGorilla];
  const changed = fixtureRounds(contenders, plan).map((round): Round => {
    const figures = round.contender === elixirGenserver.name ? elixir : go;
    const burst = figures.burst?.[round.round - 1] ?? 1000;
    const memory = figures.memory?.[round.round - 1];
    const open = figures.open ?? plan.connections;
    const connect = fixtureConnect(plan, 1);
    const endurance = fixtureEndurance(plan, "echo", 1);
    const share = figures.sustainedShare ?? 1;
    const throughput = { deliveriesPerSecond: burst, sendsPerSecond: burst, spanMs: 2000, sendSpanMs: 1000 };
    const load = { throughput, ...(figures.messages === undefined ? {} : { messages: figures.messages }) };
    return {
      ...round,
      phases: [
        {
          ...connect,
          connections: { ...connect.connections, open, opened: open },
          memory: { ...connect.memory, rss: fixtureSlope(memory ?? 6000) },
        },
        fixtureBurst(plan, "echo", 1, load),
        fixtureBurst(plan, "broadcast", 1, load),
        {
          ...endurance,
          ...(figures.messages === undefined ? {} : { messages: figures.messages }),
          rate: { offeredPerSecond: 15_000, sustainedPerSecond: 15_000 * share, sustainedShare: share },
        },
      ],
    };
  });
  return fixtureResult({ contenders, plan, rounds: changed });
}

function find(result: Result, words: string): Claim {
  const claim = retestArticle(result)?.find((one) => one.claim.includes(words));
  if (claim === undefined) throw new Error(`no claim about ${words}`);
  return claim;
}

const limit = "a limit of the system";
const twice = "In a burst of echoes";

test("the limit of 16,300 connections falls where more are opened", () => {
  const found = find(rounds({ open: 19_936 }, { open: 19_994 }), limit);
  expect(found).toMatchObject({
    outcome: "does not hold",
    article: "Elixir 16,292, Go 16,322",
    measured: "elixir-genserver 19,936, go-gorilla 19,994",
  });
  expect(found.why).toContain("16,384");
  expect(find(rounds({ open: 16_300 }, { open: 16_310 }), limit).outcome).toBe("holds");
});

test("fewer connections than the article's client had ports say nothing of its limit", () => {
  expect(find(fixtureResult({ plan: fixturePlan({ connections: 10_000 }) }), limit).outcome).toBe(
    "undecided",
  );
});

test.each([
  ["twice as many", [2000, 2020, 1990, 2010, 2000], [1000, 1000, 1010, 990, 1000], "holds"],
  ["fewer", [800, 810, 790, 800, 805], [1000, 1000, 1010, 990, 1000], "does not hold"],
  ["a little more", [1100, 1110, 1090, 1100, 1105], [1000, 1000, 1010, 990, 1000], "does not hold"],
  ["anything", [3000, 900, 2500, 700, 1500], [1000, 1600, 900, 1500, 1000], "undecided"],
] as const)("of five rounds with %s in Elixir's burst it is said", (_, elixir, go, outcome) => {
  expect(find(rounds({ burst: elixir }, { burst: go }), twice).outcome).toBe(outcome);
});

test.each([
  [2000, "holds"],
  [1600, "undecided"],
  [1300, "undecided"],
  [1100, "does not hold"],
] as const)("one round with %d against 1,000 is judged only far from the limit", (elixir, outcome) => {
  const found = find(rounds({ burst: [elixir] }, { burst: [1000] }, 1), twice);
  expect(found.outcome).toBe(outcome);
  expect(found.why).toContain("One round");
});

test("Go's fall in endurance is put to the rate that it sustained", () => {
  expect(find(rounds({}, {}), "Go drops").outcome).toBe("does not hold");
  expect(find(rounds({}, { sustainedShare: 0.06 }), "Go drops").outcome).toBe("holds");
  expect(find(rounds({ sustainedShare: 0.7 }, {}), "Elixir sustains").outcome).toBe("does not hold");
  const plan = fixturePlan({ enduranceRatePerSecond: 5000 });
  expect(find(fixtureResult({ plan }), "Elixir sustains").outcome).toBe("undecided");
});

test("a single loss ends the claim that everything arrives", () => {
  expect(find(rounds({}, {}), "deliver everything").outcome).toBe("holds");
  const lossy = messageCounts(1000, { delivered: 999, lost: 1 });
  expect(find(rounds({ messages: lossy }, {}), "deliver everything")).toMatchObject({
    outcome: "does not hold",
    measured: expect.stringContaining("elixir-genserver 15 lost of 15,000"),
  });
});

test("less memory is better, and the ratio is of the values", () => {
  const memory = { elixir: [9000, 9100, 8900, 9000, 9050], go: [3000, 3010, 2990, 3000, 3005] };
  const found = find(rounds({ memory: memory.elixir }, { memory: memory.go }), "less memory");
  expect(found.outcome).toBe("holds");
  expect(found.measured).toContain("Go is 3.00× as good");
  expect(find(rounds({ memory: memory.go }, { memory: memory.elixir }), "less memory")).toMatchObject({
    outcome: "does not hold",
    measured: expect.stringContaining("Go is 0.33× as good"),
  });
});

test("an invalid phase decides nothing", () => {
  const result = rounds({}, {});
  const invalid = result.rounds.map(
    (round): Round => ({
      ...round,
      phases: round.phases.map((phase) =>
        phase.kind === "burst" && phase.status !== "not-run"
          ? { ...phase, status: "invalid", reason: { kind: "server-contention", otherCpuShare: 0.3 } }
          : phase,
      ),
    }),
  );
  expect(find({ ...result, rounds: invalid }, twice)).toMatchObject({
    outcome: "undecided",
    measured: "no valid figures",
  });
});

test("a crash that only one side survives is told of both", () => {
  const chaos = chaosCase();
  const found = find({ ...chaos, plan: { ...chaos.plan, connections: 10_000 } }, "contains a crash");
  expect(found).toMatchObject({ outcome: "holds", why: "The Go server did not contain it." });
});

test("sends and frames stand beside deliveries", () => {
  const figures = { burst: [1000], messages: messageCounts(2000, { frames: 500 }) };
  expect(countUnfairly(rounds(figures, figures, 1))[0]).toEqual([
    "burst-echo, elixir-genserver",
    "1,000/s",
    "2,000/s",
    "250/s",
  ]);
});

test("of a burst in slices, sends and frames are those of the slices whose time counts", () => {
  const figures = { burst: [1000], messages: messageCounts(2000, { frames: 500 }) };
  const result = rounds(figures, figures, 1);
  const half = alterPhases(result, "elixir-genserver", "burst", (phase) => ({
    ...phase,
    slices: [slice(1000)],
  }));
  expect(countUnfairly(half)[0]).toEqual(["burst-echo, elixir-genserver", "1,000/s", "1,000/s", "125/s"]);
});

function slice(delivered: number): Slice {
  return {
    ...{ block: 0, place: 0, spanMs: 1000, p50Us: null, p99Us: null, cpuUsPerDelivery: null },
    ...{ delivered, expected: delivered, deliveriesPerSecond: delivered },
  };
}

test("a plan of other parameters is no re-test, and without the two sides nothing is told", () => {
  expect(retestArticle(fixtureResult({ plan: fixturePlan({ connections: 1000 }) }))).toBeNull();
  expect(retestArticle(fixtureResult({ plan: fixturePlan({ preset: "quick" }) }))).toBeNull();
  expect(retestArticle(fixtureResult({ contenders: [bunNative, goGorilla] }))).toEqual([]);
});

test("where the article's own designs take part, the claims are put to them", () => {
  const all = [{ name: "go-gorilla" }, { name: "go-gorilla:article" }, { name: "elixir-genserver" }];
  expect(findSide(all, "go")?.name).toBe("go-gorilla:article");
  expect(findSide(all, "elixir")?.name).toBe("elixir-genserver");
  expect(findSide([], "go")).toBeUndefined();
});
