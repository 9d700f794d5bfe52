import type { ContenderFacts, Phase, Result, Round } from "../../src/result/schema.ts";
import { emptyPhase } from "../../src/run/phases/context.ts";
import { chaosCase } from "./fixture-chaos.ts";
import {
  bunNative,
  elixirGenserver,
  fixtureCapacity,
  fixtureConnect,
  fixtureExchange,
  fixturePlan,
  fixtureResult,
  fixtureRound,
  fixtureRounds,
  goGorilla,
  messageCounts,
  nodeWs,
} from "./fixture-result.ts";

const oneRound = fixturePlan();
const fiveRounds = fixturePlan({ rounds: 5 });
const goTuned = { ...goGorilla, variant: "tuned", approach: "tuned", framing: "single" } as const;

/** One round in which every way to end occurs. */
function everyStatus(): Result {
  const contenders = [bunNative, elixirGenserver, goGorilla, goTuned, nodeWs, rustMissing];
  const limit = {
    name: "server-descriptors",
    value: 20_000,
    text: "19,936 of 25,000 connections opened: the server's descriptor limit (RLIMIT_NOFILE 20,000 per process, 20,000 in use)",
  };
  const limited = fixtureConnect(oneRound, 1, {
    connections: {
      requested: 25_000,
      opened: 19_936,
      failed: 5064,
      failedByReason: { "HTTP 503": 64, "not attempted after the limit was reached": 5000 },
      died: 0,
    },
    limit,
    findings: [{ kind: "limit", count: 5064, text: limit.text }],
  });
  const fewer = { requested: 19_936, opened: 19_936, failed: 0, failedByReason: {}, died: 0 };
  const dropping = fixtureExchange(oneRound, "burst", "broadcast", 1.5, {
    messages: messageCounts(375_000, {
      delivered: 258_000,
      lost: 117_000,
      declaredDropped: 117_000,
      frames: 21_000,
    }),
    findings: [
      {
        kind: "dropped",
        count: 117_000,
        text: "117,000 deliveries dropped, and declared as the contract asks",
      },
    ],
  });
  const corrupting = fixtureExchange(oneRound, "burst", "echo", 1.5, {
    messages: messageCounts(375_000, {
      delivered: 374_963,
      lost: 37,
      duplicated: 3,
      corrupted: 2,
      malformed: 1,
    }),
    findings: [
      { kind: "lost", count: 37, text: "37 deliveries lost without being counted in /stats dropped" },
      { kind: "duplicated", count: 3, text: "3 deliveries came a second time" },
      { kind: "corrupted", count: 2, text: "2 deliveries came with other bytes than were sent" },
    ],
  });
  const rounds: Round[] = [
    fixtureRound(bunNative, oneRound),
    fixtureRound(elixirGenserver, oneRound, {
      position: 2,
      phases: [
        limited,
        fixtureExchange(oneRound, "burst", "echo", 1, { connections: fewer }),
        broken(fixtureExchange(oneRound, "burst", "broadcast", 1, { connections: fewer }), {
          status: "aborted",
          reason: "5,001 errors, more than the 5,000 allowed",
        }),
        fixtureExchange(oneRound, "endurance", "echo", 1, {
          connections: fewer,
          rate: { offeredPerSecond: 15_000, heldPerSecond: 9200, heldShare: 0.6133 },
        }),
      ],
      status: "aborted",
      reason: "burst broadcast: 5,001 errors, more than the 5,000 allowed",
      output: "[error] too many open files\n[error] acceptor sleeps for 100 ms\n",
    }),
    fixtureRound(goGorilla, oneRound, {
      position: 3,
      phases: [
        fixtureConnect(oneRound, 1.5),
        corrupting,
        dropping,
        broken(fixtureExchange(oneRound, "endurance", "echo", 1.5), {
          status: "failed",
          reason: "crashed: the server exited with code 2 after 12,004 deliveries",
        }),
      ],
      status: "failed",
      reason: "endurance echo: crashed: the server exited with code 2 after 12,004 deliveries",
      shutdown: null,
      output:
        "fatal error: concurrent map writes\n\ngoroutine 34 [running]:\nmain.(*Hub).run(0xc000106000)\n",
    }),
    fixtureRound(goTuned, oneRound, {
      position: 4,
      status: "failed",
      reason: 'contender "go-gorilla": no handshake on 127.0.0.1:41873 within 15 s',
      readyMs: null,
      idleRssBytes: null,
      shutdown: null,
      phases: [],
      output: "listening on :8080\n",
    }),
    fixtureRound(nodeWs, oneRound, {
      position: 5,
      phases: oneRound.phases.map(({ kind, workload }, index) =>
        workload === undefined || kind === "connect" || kind === "chaos"
          ? fixtureConnect(oneRound, 1)
          : kind === "capacity"
            ? fixtureCapacity(oneRound, workload, 1)
            : broken(fixtureExchange(oneRound, kind, workload, 1), {
                status: index === 1 ? "void" : "ok",
                reason: index === 1 ? "the generator was the bottleneck: send lag p99 212 ms" : null,
              }),
      ),
      shutdown: { graceful: false, exitMs: 5000 },
    }),
  ];
  return fixtureResult({
    contenders,
    plan: oneRound,
    rounds,
    warnings: [{ kind: "pinning", text: "one CPU only: server and generator share it" }],
  });
}

const rustMissing = {
  ...bunNative,
  name: "rust-axum",
  title: "Rust, axum",
  language: "Rust",
  notRun: "toolchain missing: cargo is not on PATH; apt-get install cargo",
};

/** As the phases do it: what was not done as planned has no throughput. */
function broken(phase: Phase, ending: Pick<Phase, "status" | "reason">): Phase {
  return ending.status === "ok" ? phase : { ...phase, ...ending, throughput: null, rate: null };
}

/** Five rounds: one clear winner, a tie, and one contender whose last round crashed. */
function manyRounds(): Result {
  const contenders = [bunNative, elixirGenserver, goGorilla, nodeWs];
  const rounds = fixtureRounds(contenders, fiveRounds).map((round): Round => {
    if (round.contender !== "go-gorilla" || round.round !== 5) return round;
    const reason = "crashed: the server was killed by SIGSEGV after 41 deliveries";
    return {
      ...round,
      status: "failed",
      reason: `burst broadcast: ${reason}`,
      shutdown: null,
      phases: round.phases.map((phase, index) => {
        if (index < 2) return phase;
        if (index === 2) return broken(phase, { status: "failed", reason });
        return {
          ...emptyPhase("endurance", "echo"),
          status: "failed",
          reason: "not run: the server was killed before",
        };
      }),
    };
  });
  return fixtureResult({ contenders, plan: fiveRounds, rounds });
}

/** A capacity found, one that only the generator ended, one that was none, and a server that broke in the search. */
function capacities(): Result {
  const plan = fixturePlan({
    phases: [{ kind: "connect" }, { kind: "capacity", workload: "echo" }],
    capacityStartRatePerSecond: 2000,
  });
  const capacity = (facts: ContenderFacts, position: number, phase: Phase, changes: Partial<Round> = {}) =>
    fixtureRound(facts, plan, { position, phases: [fixtureConnect(plan, 1), phase], ...changes });
  const bound = fixtureCapacity(plan, "echo", 2);
  const late = {
    ratePerSecond: 64_000,
    heldPerSecond: 63_100,
    p99Us: 48_000,
    held: false,
    reason: "generator late: send lag p99 31 ms",
  };
  const slow = { heldPerSecond: 15.6, p99Us: null, held: false, reason: "latency max 140 ms" };
  const crash = "crashed: the server exited with code 2 after 81,004 deliveries";
  const lost = "37 deliveries lost without being counted in /stats dropped";
  return fixtureResult({
    contenders: [bunNative, elixirGenserver, goGorilla, goTuned, nodeWs],
    plan,
    rounds: [
      capacity(bunNative, 1, {
        ...bound,
        capacity: bound.capacity && {
          ...bound.capacity,
          isLowerBound: true,
          steps: [...bound.capacity.steps.filter(({ held }) => held), late, late],
        },
      }),
      capacity(elixirGenserver, 2, {
        ...fixtureCapacity(plan, "echo", 1, {
          ratePerSecond: null,
          perCore: null,
          perCpuSecond: null,
          steps: [31, 31, 16, 16].map((ratePerSecond) => ({ ...slow, ratePerSecond })),
        }),
        throughput: null,
        rate: null,
      }),
      capacity(goGorilla, 3, {
        ...fixtureCapacity(plan, "echo", 1.5),
        findings: [{ kind: "lost", count: 37, text: `at 32,000/s offered: ${lost}` }],
      }),
      capacity(
        goTuned,
        4,
        broken(fixtureCapacity(plan, "echo", 1.5), {
          status: "failed",
          reason: `${crash} (64,000/s offered)`,
        }),
        { status: "failed", reason: `capacity echo: ${crash} (64,000/s offered)`, shutdown: null },
      ),
      capacity(nodeWs, 5, fixtureCapacity(plan, "echo", 1.02)),
    ],
  });
}

/** Stopped in the middle of the second contender's turn. */
function stopped(): Result {
  const [first, second] = [fixtureRound(bunNative, oneRound), fixtureRound(nodeWs, oneRound)];
  const burst = second.phases[1] ?? emptyPhase("burst", "echo");
  return fixtureResult({
    contenders: [bunNative, nodeWs, goGorilla],
    plan: oneRound,
    status: "aborted",
    rounds: [
      first,
      {
        ...second,
        position: 2,
        status: "aborted",
        reason: "burst echo: stopped by the user",
        phases: [
          ...second.phases.slice(0, 1),
          broken(burst, { status: "aborted", reason: "stopped by the user" }),
        ],
      },
    ],
  });
}

/** Everything that may be null is. */
function nothingKnown(): Result {
  const phases = oneRound.phases.map(({ kind, workload }) => emptyPhase(kind, workload ?? null));
  const result = fixtureResult({
    contenders: [nodeWs],
    plan: { ...oneRound, serverCpus: null, workerCpus: null },
    finishedAt: null,
    status: "running",
    rounds: [fixtureRound(nodeWs, oneRound, { readyMs: null, idleRssBytes: null, shutdown: null, phases })],
  });
  return {
    ...result,
    environment: {
      ...result.environment,
      commit: null,
      cpuGovernor: null,
      descriptorLimit: { soft: null, hard: null },
      portRange: null,
      sysctls: {},
    },
  };
}

/** Results by the name of their golden files. */
export const fixtureCases: Readonly<Record<string, Result>> = {
  "one-round": fixtureResult(),
  "many-rounds": manyRounds(),
  "every-status": everyStatus(),
  capacities: capacities(),
  chaos: chaosCase(),
  stopped: stopped(),
  "one-contender": fixtureResult({ contenders: [bunNative] }),
  "nothing-known": nothingKnown(),
  "nothing-run": fixtureResult({ contenders: [rustMissing], rounds: [] }),
  "no-phases": fixtureResult({ plan: fixturePlan({ phases: [] }) }),
};
