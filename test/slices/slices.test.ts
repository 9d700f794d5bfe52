import { expect, setDefaultTimeout, test } from "bun:test";
import type { RunEvent } from "../../src/run/events.ts";
import { renderMarkdown } from "../../src/views/render/markdown.ts";
import { roundOf, runInSlices, slicedOf } from "./start.ts";

setDefaultTimeout(120_000);

test("contenders take turns in a balanced order, with the same work each, and every delivery is accounted for", async () => {
  const names = ["clean", "clean", "clean"];
  const { result, events } = await runInSlices(
    names,
    ["endurance-echo", "burst-echo", "burst-broadcast", "burst-rooms", "steady-echo"],
    { rounds: 2, slicedSeconds: 0.2, roomSize: 8 },
  );
  expect(result.status).toBe("finished");
  expect(result.rounds.map(({ position, round, status }) => `${position} in ${round}: ${status}`)).toEqual([
    ...[1, 2, 3].map((position) => `${position} in 1: ok`),
    ...[4, 5, 6].map((position) => `${position} in 2: ok`),
  ]);
  // What is done in slices comes first; the work of a slice was found once.
  for (const [index, name] of ["burst-echo", "burst-broadcast", "burst-rooms", "steady-echo"].entries()) {
    const phases = result.rounds.map((round) => slicedOf(round, index + 1));
    const perSlice = new Set(phases.flatMap(({ slices = [] }) => slices.map(({ expected }) => expected)));
    expect([name, perSlice.size]).toEqual([name, 1]);
    for (const phase of phases) {
      const { slices = [], messages, status, findings } = phase;
      expect([name, status, findings]).toEqual([name, "ok", []]);
      expect(slices.length).toBeGreaterThanOrEqual(9);
      // One at most in each block; a hiccup of the machine may cost a few.
      const blocks = slices.map(({ block }) => block);
      expect(blocks).toEqual([...new Set(blocks)].toSorted((a, b) => a - b));
      expect(blocks.at(-1)).toBeLessThan(slices.length + 3);
      expect(messages).toMatchObject({ lost: 0, late: 0, unsent: 0, duplicated: 0, declaredDropped: 0 });
      expect(messages.delivered).toBe(slices.reduce((all, { delivered }) => all + delivered, 0));
      expect(phase.latencyUs.count).toBe(messages.delivered);
      expect(phase.invalidSlices).toBe(0);
      expect(phase.neighbours).toMatchObject({ servers: 2 });
      expect(phase.neighbours?.each).toHaveLength(2);
      const spanMs = slices.reduce((all, slice) => all + slice.spanMs, 0);
      expect(phase.throughput?.spanMs).toBeCloseTo(spanMs, 0);
    }
    // Everyone stands everywhere, nearly as often.
    for (const round of [1, 2]) {
      const inRound = result.rounds
        .filter((one) => one.round === round)
        .map((one) => slicedOf(one, index + 1));
      for (const { slices = [] } of inRound) {
        for (const place of [0, 1, 2]) {
          const times = slices.filter((slice) => slice.place === place).length;
          expect(Math.abs(times - slices.length / 3)).toBeLessThan(4);
        }
      }
    }
  }
  const steady = slicedOf(result.rounds[0] as (typeof result.rounds)[0], 4);
  expect(steady).toMatchObject({
    kind: "steady",
    rate: { offeredPerSecond: 1000, sustainedPerSecond: 1000 },
  });
  // All are connected before anyone has load, and the events say whose they are.
  const firstSlice = events.findIndex((event) => event.kind === "phase-progress" && "slice" in event.view);
  const connected = events.slice(0, firstSlice).filter(isEndOf("connect"));
  expect(new Set(connected.map(({ position }) => position))).toEqual(new Set([1, 2, 3]));
  // What needs a load without breaks has it alone.
  const alone = events.filter(
    (event) => "position" in event && event.kind.startsWith("phase") && isEndurance(event),
  );
  const runs = alone.filter((event, at) => positionOf(event) !== positionOf(alone[at - 1]));
  expect(runs.map(positionOf)).toEqual([1, 2, 3, 4, 5, 6]);
});

test("one that crashes and one that hangs in a slice end there, and the others go on", async () => {
  const { result } = await runInSlices(
    ["clean", "crashes-in-burst", "hangs-in-burst"],
    ["burst-echo", "steady-echo"],
    // The first probe is of 1,000 messages.
    { slicedSeconds: 0.2 },
  );
  expect(roundOf(result, "clean")).toMatchObject({ status: "ok" });
  expect(slicedOf(roundOf(result, "clean"))).toMatchObject({ status: "ok", messages: { lost: 0 } });
  expect(slicedOf(roundOf(result, "clean")).slices?.length).toBeGreaterThanOrEqual(9);
  const crashed = roundOf(result, "crashes-in-burst");
  expect(crashed).toMatchObject({ status: "failed", reasonPhase: 1, shutdown: null });
  expect(crashed.output).toContain("fatal: crashed after 500 messages, as told");
  expect(slicedOf(crashed)).toMatchObject({
    status: "failed",
    reason: { kind: "server-exited", exit: { code: 3 } },
    throughput: null,
    slices: [],
  });
  expect(slicedOf(crashed).messages.delivered).toBeLessThan(500);
  expect(crashed.phases[2]).toMatchObject({ status: "not-run", reason: { kind: "earlier-phase", phase: 1 } });
  const hung = roundOf(result, "hangs-in-burst");
  expect(slicedOf(hung)).toMatchObject({ status: "failed", reason: { kind: "server-hung" } });
  const { messages } = slicedOf(hung);
  expect(messages.expected).toBe(messages.delivered + messages.lost);
});

test("one that dies after some slices has no figure, and its neighbours have all of theirs", async () => {
  const { result } = await runInSlices(
    ["clean", "crashes-in-burst", "clean"],
    ["burst-echo", "steady-echo"],
    { messagesPerConnection: 1000, slicedSeconds: 0.2 },
    // More than the probes take, and less than the slices.
    { env: { FAULT_AFTER: "20000" } },
  );
  const crashed = roundOf(result, "crashes-in-burst");
  expect(crashed).toMatchObject({ status: "failed", reasonPhase: 1, shutdown: null });
  const { slices = [], messages, ...phase } = slicedOf(crashed);
  expect(phase).toMatchObject({ status: "failed", reason: { kind: "server-exited" }, throughput: null });
  expect(slices.length).toBeGreaterThan(0);
  expect(messages.expected).toBe(messages.delivered + messages.lost);
  expect(crashed.phases[2]).toMatchObject({ status: "not-run", reason: { kind: "earlier-phase", phase: 1 } });
  for (const round of result.rounds.filter(({ contender }) => contender === "clean")) {
    for (const index of [1, 2]) {
      expect(slicedOf(round, index)).toMatchObject({ status: "ok", messages: { lost: 0, late: 0 } });
    }
    expect(slicedOf(round).messages.delivered).toBeGreaterThanOrEqual(50_000);
  }
});

test("one that loses messages loses them in the slice, and declares what it drops", async () => {
  const { result } = await runInSlices(["clean", "drops-declared", "duplicates-one"], ["burst-echo"], {
    // Every thousandth is dropped.
    messagesPerConnection: 200,
    slicedSeconds: 0.2,
  });
  const { messages, status, slices = [] } = slicedOf(roundOf(result, "drops-declared"));
  expect(status).toBe("ok");
  expect(messages.lost).toBeGreaterThan(0);
  expect(messages).toMatchObject({ expected: messages.delivered + messages.lost, late: 0 });
  const lost = slices.map(({ expected, delivered }) => expected - delivered);
  expect(lost.reduce((all, one) => all + one, 0)).toBe(messages.lost);
  // It waits for what does not come, and has fewer slices for that.
  expect(slices.length).toBeLessThan(slicedOf(roundOf(result, "clean")).slices?.length ?? 0);
  const twice = slicedOf(roundOf(result, "duplicates-one"));
  expect(twice.messages).toMatchObject({ lost: 0, late: 0 });
  expect(twice.messages.duplicated).toBeGreaterThan(0);
});

test("a burst is as much work for the fastest as asked for, in slices that are the same for all and in all rounds", async () => {
  const { result } = await runInSlices(["clean", "slowed"], ["burst-echo", "burst-broadcast"], {
    rounds: 2,
    slicedSeconds: 0.6,
    sliceMs: 30,
  });
  for (const index of [1, 2]) {
    const phases = result.rounds.map((round) => slicedOf(round, index));
    expect(new Set(phases.flatMap(({ slices = [] }) => slices.map(({ expected }) => expected))).size).toBe(1);
    for (const round of [1, 2]) {
      const rivals = result.rounds
        .filter((one) => one.round === round)
        .map((one) => slicedOf(one, index).throughput);
      const [fastest] = rivals.toSorted(
        (a, b) => (b?.deliveriesPerSecond ?? 0) - (a?.deliveriesPerSecond ?? 0),
      );
      // Two that are nearly as fast may have changed places at the end.
      expect(fastest?.spanMs).toBeGreaterThanOrEqual(500);
    }
  }
  expect(renderMarkdown(result)).toMatch(
    /A slice is [\d,]+ messages?.*; each contender had [\d,]+( to [\d,]+)? of them in a round\.[\s\S]*?\S+, the fastest, worked [\d.]+ m?s a round or more, on [\d,]+ deliveries\./,
  );
});

test("one that is much slower has fewer slices, of the same work", async () => {
  const sliceMs = 20;
  const { result } = await runInSlices(
    ["clean", "limited-rate"],
    ["burst-broadcast"],
    { slicedSeconds: 0.2, sliceMs },
    // Well below a hundred times slower, which would be hopeless.
    { env: { FAULT_RATE: "10000" } },
  );
  const [fast, slow] = ["clean", "limited-rate"].map((name) => {
    const { slices = [], durationMs, ...phase } = slicedOf(roundOf(result, name));
    return { ...phase, slices, durationMs, eachMs: durationMs / slices.length };
  });
  if (fast === undefined || slow === undefined) throw new Error("two were asked for");
  expect(slow).toMatchObject({ status: "ok", messages: { lost: 0, late: 0 } });
  expect(slow.slices[0]?.expected).toBe(fast.slices[0]?.expected as number);
  expect(slow.throughput?.deliveriesPerSecond).toBeLessThan(12_000);
  // Up to its last slice it may have taken twice the time of the quick one, whose pace a busy machine decides.
  const patienceMs = 2 * Math.max(fast.eachMs, sliceMs) * fast.slices.length;
  expect(slow.slices.length).toBeLessThan(patienceMs / slow.eachMs + 3);
  expect(slow.slices.length).toBeLessThanOrEqual(fast.slices.length);
});

test("one that is hopelessly slow is ended, so that nobody waits for it or has it beside them", async () => {
  const startMs = performance.now();
  const { result } = await runInSlices(
    ["clean", "limited-rate"],
    ["burst-echo", "steady-echo"],
    { slicedSeconds: 0.2 },
    { env: { FAULT_RATE: "20" } },
  );
  expect(performance.now() - startMs).toBeLessThan(40_000);
  const round = roundOf(result, "limited-rate");
  expect(round).toMatchObject({ status: "aborted", reason: { kind: "server-busy" }, reasonPhase: 1 });
  const { messages, throughput, findings, ...slow } = slicedOf(round);
  expect(slow).toMatchObject({ status: "aborted", reason: { kind: "server-busy" }, slices: [] });
  expect(throughput).toBeNull();
  expect(messages.delivered).toBeGreaterThan(0);
  expect(messages.expected).toBe(messages.delivered + messages.lost);
  expect(round.phases[2]).toMatchObject({ status: "not-run", reason: { kind: "earlier-phase", phase: 1 } });
  expect(round.shutdown).not.toBeNull();
  for (const index of [1, 2]) expect(slicedOf(roundOf(result, "clean"), index).status).toBe("ok");
  for (const { places, best } of result.judgements.filter(({ phase }) => phase === "burst-echo")) {
    expect(best).toEqual(["clean"]);
    expect(places.find(({ contender }) => contender === "limited-rate")).toMatchObject({
      standing: "unfit",
      reason: { kind: "server-busy" },
    });
  }
});

test("who stops a run in its slices has what was measured, and no server left", async () => {
  const { result } = await runInSlices(
    ["clean", "clean"],
    ["burst-echo", "steady-echo"],
    { slicedSeconds: 60 },
    {
      onEvent: (event, stop) => {
        if (event.kind === "phase-progress" && (event.view.slice?.number ?? 0) > 8) stop();
      },
    },
  );
  expect(result.status).toBe("aborted");
  expect(result.rounds).toHaveLength(2);
  for (const round of result.rounds) {
    expect(round).toMatchObject({ status: "aborted", reason: { kind: "stopped-by-user" } });
    expect(slicedOf(round)).toMatchObject({ status: "aborted", reason: { kind: "stopped-by-user" } });
    expect(slicedOf(round).slices?.length).toBeGreaterThan(2);
    expect(slicedOf(round).messages.delivered).toBeGreaterThan(0);
    expect(round.phases[2]).toMatchObject({ status: "not-run", reason: { kind: "stopped-by-user" } });
    expect(round.shutdown).not.toBeNull();
  }
});

test("one at a time there are no slices and no neighbours, and one port for all leaves no other way", async () => {
  const phases = ["burst-echo", "steady-echo"] as const;
  const alone = await runInSlices(["clean", "slowed"], phases, { oneAtATime: true });
  for (const round of alone.result.rounds) {
    expect(slicedOf(round)).not.toContainAnyKeys(["slices", "neighbours", "invalidSlices"]);
    // 50 connections and 10 messages each.
    expect(slicedOf(round).messages.delivered).toBe(500);
    expect(slicedOf(round, 2)).toMatchObject({ kind: "steady", messages: { delivered: 100, lost: 0 } });
  }
  const port = 20_000 + (process.pid % 10_000);
  const { result } = await runInSlices(["clean", "slowed"], ["burst-echo"], { port });
  expect(result.warnings).toContainEqual({ kind: "one-at-a-time", cause: { kind: "port", port } });
  expect(result.plan.oneAtATime).toBe(true);
  expect(result.rounds.map((round) => slicedOf(round).messages.delivered)).toEqual([500, 500]);
});

function isEndOf(kind: string) {
  return (event: RunEvent): event is Extract<RunEvent, { kind: "phase-ended" }> =>
    event.kind === "phase-ended" && event.phase.kind === kind;
}

function isEndurance(event: RunEvent): boolean {
  if (event.kind === "phase-progress") return event.view.kind === "endurance";
  if (event.kind === "phase-started") return event.phaseKind === "endurance";
  return isEndOf("endurance")(event);
}

function positionOf(event: RunEvent | undefined): number | null {
  return event !== undefined && "position" in event ? event.position : null;
}
