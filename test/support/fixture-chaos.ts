import { countFaultyClients, type Fault } from "../../src/plan/faults.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { ChaosPhase, FaultReport } from "../../src/result/phase.ts";
import type { Exit, Reason } from "../../src/result/reasons.ts";
import type { Result } from "../../src/result/schema.ts";
import {
  bunNative,
  elixirGenserver,
  fixtureConnect,
  fixturePlan,
  fixtureQuantiles,
  fixtureResult,
  fixtureRound,
  generatorFigures,
  goGorilla,
  nodeWs,
  serverFigures,
} from "./fixture-result.ts";

/** A fault that nobody but its faulty clients noticed, and what is told otherwise. */
export function fixtureFault(plan: Plan, fault: Fault, changes: Partial<FaultReport> = {}): FaultReport {
  const { connections, enduranceRatePerSecond, chaosSeconds: seconds } = plan;
  const faultyClients = countFaultyClients(fault, connections);
  const unaffectedClients =
    fault === "garbage" || fault === "kill" ? connections : connections - faultyClients;
  return {
    fault,
    seconds,
    faultyClients,
    unaffectedClients,
    before: fixtureQuantiles(enduranceRatePerSecond * seconds.before, 900),
    under: fixtureQuantiles(enduranceRatePerSecond * seconds.under, 950),
    after: fixtureQuantiles(enduranceRatePerSecond * seconds.after, 900),
    lostConnections: 0,
    failures: [],
    planned: Math.round(
      (enduranceRatePerSecond * (seconds.under + seconds.after) * unaffectedClients) / connections,
    ),
    lost: 0,
    unsent: 0,
    late: 0,
    lateUs: 20_000,
    longestSilenceMs: 74,
    silenceBeforeMs: 71,
    rssBeforeBytes: 60_000_000,
    rssPeakBytes: 61_000_000,
    rssAfterBytes: 60_500_000,
    reconnect: { wanted: 0, opened: 0, unserved: 0, slowestMs: null },
    faulty: { lost: 0, delivered: 800 },
    recoveredMs: 0,
    server: { exit: null, output: null, restarted: false, downMs: null },
    ...changes,
  };
}

/** The server's process ends and is started again: everybody loses the connection and comes back. */
export function fixtureDeath(plan: Plan, fault: "crash" | "kill", exit: Exit, downMs: number): FaultReport {
  const { unaffectedClients, planned, faultyClients } = fixtureFault(plan, fault);
  const clients = unaffectedClients + faultyClients;
  return fixtureFault(plan, fault, {
    lostConnections: unaffectedClients,
    failures: [{ failure: { kind: "ended" }, count: unaffectedClients }],
    lost: Math.round((planned * downMs) / 10_000),
    unsent: Math.round((planned * downMs) / 10_000),
    longestSilenceMs: downMs + 160,
    reconnect: { wanted: clients, opened: clients, unserved: 0, slowestMs: downMs + 90 },
    faulty: { lost: faultyClients, delivered: 700 },
    recoveredMs: downMs + 100,
    server: { exit, output: null, restarted: true, downMs },
  });
}

export function fixtureChaos(
  plan: Plan,
  faults: readonly FaultReport[],
  changes: Partial<ChaosPhase> = {},
): ChaosPhase {
  const { connections } = plan;
  const told = plan.faults.map(
    (fault) =>
      faults.find((report) => report.fault === fault) ??
      (fault === "kill" ? fixtureDeath(plan, "kill", killed, 50) : fixtureFault(plan, fault)),
  );
  return {
    kind: "chaos",
    workload: "rooms",
    status: "ok",
    reason: null,
    startedAt: "2026-03-01T10:02:00.000Z",
    durationMs: told.length * 18_000,
    findings: [],
    connections: {
      open: connections,
      died: told.reduce((all, { lostConnections }) => all + lostConnections, 0),
      failures: [],
    },
    sendLagUs: fixtureQuantiles(2000, 4),
    server: { ...serverFigures(9000, connections, null, 1), peakRssBytes: 96_000_000 },
    generator: generatorFigures(0.3),
    faults: told,
    ...changes,
  };
}

const killed: Exit = { code: null, signal: "SIGKILL" };

/** One whose unaffected clients never notice, two that die of a crash message, one that can't be started again. */
export function chaosCase(): Result {
  const plan = fixturePlan({
    connections: 1000,
    phases: [{ kind: "connect" }, { kind: "chaos", workload: "rooms" }],
    enduranceRatePerSecond: 10_000,
  });
  const reason: Reason = { kind: "server-not-restarted", problem: "port 4711 is in use" };
  const gone = fixtureFault(plan, "kill", {
    ...fixtureDeath(plan, "kill", killed, 4000),
    reconnect: { wanted: 1000, opened: 0, unserved: 0, slowestMs: null },
    recoveredMs: null,
    server: { exit: killed, output: null, restarted: false, downMs: null },
  });
  const phases: Readonly<Record<string, ChaosPhase>> = {
    "bun-native": fixtureChaos(plan, [
      fixtureFault(plan, "slow-readers", {
        faulty: { lost: 10, delivered: 300 },
        reconnect: { wanted: 10, opened: 10, unserved: 0, slowestMs: 4 },
        recoveredMs: 4,
      }),
      fixtureDeath(plan, "crash", { code: 1, signal: null }, 40),
      fixtureDeath(plan, "kill", killed, 45),
    ]),
    "elixir-genserver": fixtureChaos(plan, [
      fixtureFault(plan, "crash", {
        faulty: { lost: 10, delivered: 700 },
        reconnect: { wanted: 10, opened: 10, unserved: 0, slowestMs: 3 },
        recoveredMs: 3,
      }),
      fixtureDeath(plan, "kill", killed, 1000),
    ]),
    "go-gorilla": fixtureChaos(plan, [
      fixtureFault(plan, "slow-readers", {
        late: 4100,
        longestSilenceMs: 940,
        rssPeakBytes: 96_000_000,
        rssAfterBytes: 95_000_000,
        recoveredMs: null,
      }),
      fixtureFault(plan, "storm", {
        reconnect: { wanted: 250, opened: 250, unserved: 0, slowestMs: 61 },
        rssPeakBytes: 88_000_000,
        recoveredMs: 61,
      }),
      fixtureDeath(plan, "crash", { code: 2, signal: null }, 20),
      fixtureDeath(plan, "kill", killed, 22),
    ]),
    "node-ws": fixtureChaos(plan, [gone], { status: "failed", reason }),
  };
  return fixtureResult({
    plan,
    rounds: [bunNative, elixirGenserver, goGorilla, nodeWs].map((facts, place) => {
      const phase = phases[facts.name];
      const isOk = phase?.status === "ok";
      return fixtureRound(facts, plan, {
        position: place + 1,
        phases: [fixtureConnect(plan, 1), ...(phase === undefined ? [] : [phase])],
        ...(isOk ? {} : { status: "failed", reason, reasonPhase: 1, shutdown: null }),
      });
    }),
  });
}
