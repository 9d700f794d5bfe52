import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import type { Judgement, Place } from "../../src/result/judgement.ts";
import { type EndedRun, runResults, runResultsUnder, writeContenders } from "./showdown.ts";

setDefaultTimeout(400_000);

/** The same server, by what becomes of it; `one` and `two` are copies of each other. */
const contenders = writeContenders({
  one: { FAULT: "none" },
  two: { FAULT: "none" },
  three: { FAULT: "none" },
  four: { FAULT: "none" },
  half: { FAULT: "drop-declared", FAULT_EVERY: "2" },
  // Slow enough that it is they who set the pace and not the generator; the third is slower by a twentieth.
  first: { FAULT: "slow", SLOWDOWN_PERCENT: "100" },
  again: { FAULT: "slow", SLOWDOWN_PERCENT: "100" },
  slowed: { FAULT: "slow", SLOWDOWN_PERCENT: "110" },
  // Some way into the slices of a burst, which is of 5,000 messages.
  dies: { FAULT: "crash", FAULT_AFTER: "2000" },
});
afterAll(() => rmSync(contenders, { recursive: true }));

/** A run in slices, as a user sees it: its words and not its JSON. */
const run = [
  "run",
  ...["--preset", "smoke", "--contenders", contenders, "--no-verify", "--keep-invalid"],
  ...["--quiet-seconds", "0.3", "--ready-seconds", "5"],
] as const;

test("one that drops half and one that dies are shown and never ranked, and the others are judged", async () => {
  const ended = await runResults(
    ...run,
    ...[
      "--phases",
      "burst-echo,steady-echo",
      "--rounds",
      "3",
      "--sliced-seconds",
      "0.2",
      "--messages",
      "100",
    ],
    // For a p99 of a slice.
    ...["--steady-rate", "20000", "--details", "one", "two", "half", "dies"],
  );
  expect(ended.exitCode).toBe(6);
  const judgements = judgementsOf(ended, "burst-echo", "steady-echo");
  expect(judgements.map(({ measure }) => measure)).toEqual([
    ...["throughput", "latency.p99", "cpu-per-delivery"],
    ...["latency.p99", "cpu-per-delivery"],
  ]);
  for (const judgement of judgements) {
    const { measure, phase, pairs, best, outcome } = judgement;
    const where = `${phase} ${measure}`;
    expect([where, placeOf(judgement, "half").standing]).toEqual([where, "unfit"]);
    const dead = placeOf(judgement, "dies");
    expect([where, dead.standing, dead.reason?.kind]).toEqual(
      phase === "burst-echo" ? [where, "unfit", "server-exited"] : [where, "absent", "earlier-phase"],
    );
    expect([where, outcome]).not.toEqual([where, "unfit"]);
    for (const name of ["one", "two"]) {
      expect([where, placeOf(judgement, name)]).toMatchObject([where, { standing: "ranked", rounds: 3 }]);
    }
    expect(pairs.map(({ first, second }) => [first, second].sort())).toEqual([["one", "two"]]);
    expect(best).not.toContainAnyValues(["half", "dies"]);
  }
  // Its figures are there all the same, but for those that nothing that was lost can have.
  const [throughput, p99] = judgements.map((judgement) => placeOf(judgement, "half").value);
  expect(throughput).toBeGreaterThan(0);
  expect(p99).toBeNull();
  const words = wordsOf(ended);
  expect(words).toContain(
    "half is not ranked in burst-echo and steady-echo: it lost more than 0.1 % of its deliveries.",
  );
  expect(words).toContain("dies is not ranked in burst-echo: the server exited with code 3.");
  expect(words).not.toMatch(/Choose (half|dies)/);
});

test("four that all reach the descriptor limit are not ranked by it", async () => {
  const ended = await runResultsUnder(
    ["sh", "-c", 'ulimit -n 400; exec "$0" "$@"'],
    ...run,
    ...["--phases", "connect", "--rounds", "2", "--connections", "600", "one", "two", "three", "four"],
  );
  expect(ended.exitCode).toBe(0);
  const [judgement] = judgementsOf(ended, "connect");
  expect(judgement).toMatchObject({ measure: "connections", outcome: "censored", pairs: [], best: [] });
  expect(judgement?.limit).toMatchObject({ kind: "server-descriptors", perProcess: 400 });
  expect(judgement?.places.map(({ standing }) => standing)).toEqual(Array(4).fill("censored"));
  expect(wordsOf(ended)).toContain(
    "Number of connections not decided: all four stopped at the server's descriptor limit (400 per process)",
  );
});

/** Long enough for 5 % where nothing else wants the CPUs; a margin that 5 % is clearly outside of. */
async function compareSlowed(): Promise<{ readonly ended: EndedRun; readonly costs: readonly Judgement[] }> {
  const ended = await runResults(
    ...run,
    ...["--phases", "burst-echo", "--connections", "100", "--warmup-seconds", "0.3"],
    // Short rounds: it is their number that narrows an interval.
    ...["--slice-ms", "50", "--sliced-seconds", "0.8", "--until", "4", "--max-minutes", "0.6"],
    ...["--details", "first", "again", "slowed"],
  );
  expect(ended.exitCode).toBe(0);
  const costs = judgementsOf(ended, "burst-echo").filter(({ measure }) => measure !== "latency.p99");
  expect(costs.map(({ measure }) => measure)).toEqual(["throughput", "cpu-per-delivery"]);
  // What must never be said of it, on however busy a machine.
  for (const { pairs, best, outcome } of costs) {
    expect(outcome === "leads" ? best : []).not.toContain("slowed");
    const withSlowed = pairs.filter(({ first, second }) => [first, second].includes("slowed"));
    expect(withSlowed).toHaveLength(2);
    for (const { kind, second } of withSlowed) {
      expect(kind).not.toBe("equivalent");
      if (kind === "leads") expect(second).toBe("slowed");
    }
  }
  expect(wordsOf(ended)).not.toContain("Choose slowed");
  return { ended, costs };
}

const isFound = ({ pairs, best }: Judgement) =>
  !best.includes("slowed") &&
  pairs.filter(({ kind, second }) => kind === "leads" && second === "slowed").length === 2;
const hasFalseLead = ({ pairs }: Judgement) =>
  pairs.some(({ kind, first, second }) => kind === "leads" && first !== "slowed" && second !== "slowed");

/** How finely the machine tells two apart that are the same, in those minutes: how far apart their limits are. */
const resolutionOf = ({ pairs }: Judgement) => {
  const same = pairs.find(({ first, second }) => first !== "slowed" && second !== "slowed");
  return same !== undefined && "low" in same ? same.high / same.low : Number.POSITIVE_INFINITY;
};
/** What is claimed of it where others take the CPUs: nothing, between limits that have the truth between them. */
const admitsTruth = ({ pairs }: Judgement) =>
  pairs
    .filter(({ first, second }) => [first, second].includes("slowed"))
    .every((pair) => {
      if (!("low" in pair)) return true;
      return pair.second === "slowed" ? pair.high >= 1.04 : 1 / pair.low >= 1.04;
    });

test("one that is 5 % slower is behind, and one that is the same never leads", async () => {
  const isRight = (costs: readonly Judgement[]) =>
    !costs.some(hasFalseLead) &&
    costs.every(admitsTruth) &&
    // Where two that are the same are told apart to 3 %, so is one that differs by 5 %.
    (costs.some(isFound) || !costs.some((cost) => resolutionOf(cost) < 1.06));
  let { ended, costs } = await compareSlowed();
  // One in twenty may be wrong, by chance.
  if (!isRight(costs)) ({ ended, costs } = await compareSlowed());
  expect(costs.filter((cost) => hasFalseLead(cost) || !admitsTruth(cost))).toEqual([]);
  expect(isRight(costs)).toBeTrue();
  expect(wordsOf(ended)).toContain(costs.some(isFound) ? "Clearly behind: slowed" : "not decided between");
});

function judgementsOf({ result }: EndedRun, ...phases: readonly string[]): Judgement[] {
  return result.judgements.filter(({ phase }) => phases.includes(phase));
}

function placeOf({ places }: Judgement, name: string): Place {
  const place = places.find(({ contender }) => contender === name);
  if (place === undefined) throw new Error(`no place for ${name}`);
  return place;
}

/** What the terminal says, without its line breaks. */
function wordsOf({ stdout }: EndedRun): string {
  return stdout.replace(/\s+/g, " ");
}
