import { countVictims, type Fault } from "../../src/plan/faults.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { FaultReport, Phase, Result } from "../../src/result/schema.ts";
import { emptyPhase } from "../../src/run/phases/context.ts";
import { describeFault } from "../../src/run/phases/fault-text.ts";
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
} from "./fixture-result.ts";

/** A fault that nobody but its victims noticed, and what is told otherwise; its text follows from it. */
export function fixtureFault(plan: Plan, fault: Fault, changes: Partial<FaultReport> = {}): FaultReport {
  const { connections, enduranceRatePerSecond, chaosSeconds: seconds } = plan;
  const struck = countVictims(fault, connections);
  const bystanders = fault === "garbage" || fault === "kill" ? connections : connections - struck;
  const planned = Math.round(
    (enduranceRatePerSecond * (seconds.strike + seconds.after) * bystanders) / connections,
  );
  const report: Omit<FaultReport, "text"> = {
    fault,
    seconds,
    victims: struck,
    bystanders,
    before: fixtureQuantiles(enduranceRatePerSecond * seconds.before, 900),
    during: fixtureQuantiles(enduranceRatePerSecond * seconds.strike, 950),
    after: fixtureQuantiles(enduranceRatePerSecond * seconds.after, 900),
    lostConnections: 0,
    lostByReason: {},
    planned,
    lost: 0,
    unsent: 0,
    late: 0,
    lateUs: 20_000,
    longestSilenceMs: 74,
    silenceBeforeMs: 71,
    rssBeforeBytes: 60_000_000,
    rssPeakBytes: 61_000_000,
    rssAfterBytes: 60_500_000,
    rejoin: { wanted: 0, opened: 0, unserved: 0, slowestMs: null },
    struck: { lost: 0, delivered: 800 },
    recoveredMs: 0,
    server: { died: false, exit: null, output: null, restarted: false, downMs: null },
    ...changes,
  };
  return { ...report, text: describeFault(report) };
}

/** The server's process ends and is started again: everybody loses the connection and comes back. */
export function fixtureDeath(plan: Plan, fault: "crash" | "kill", exit: string, downMs: number): FaultReport {
  const { bystanders, planned, victims } = fixtureFault(plan, fault);
  return fixtureFault(plan, fault, {
    lostConnections: bystanders,
    lostByReason: { "connection closed": bystanders },
    lost: Math.round((planned * downMs) / 10_000),
    unsent: Math.round((planned * downMs) / 10_000),
    longestSilenceMs: downMs + 160,
    rejoin: {
      wanted: bystanders + victims,
      opened: bystanders + victims,
      unserved: 0,
      slowestMs: downMs + 90,
    },
    struck: { lost: victims, delivered: 700 },
    recoveredMs: downMs + 100,
    server: { died: true, exit, output: null, restarted: true, downMs },
  });
}

export function fixtureChaos(
  plan: Plan,
  faults: readonly FaultReport[],
  changes: Partial<Phase> = {},
): Phase {
  const { connections } = plan;
  const told = plan.faults.map(
    (fault) => faults.find((report) => report.fault === fault) ?? fixtureFault(plan, fault),
  );
  const died = told.reduce((all, { lostConnections }) => all + lostConnections, 0);
  return {
    ...emptyPhase("chaos", "rooms"),
    startedAt: "2026-03-01T10:02:00.000Z",
    durationMs: told.length * 18_000,
    connections: { requested: connections, opened: connections, failed: 0, failedByReason: {}, died },
    sendLagUs: fixtureQuantiles(2000, 4),
    longestSilenceMs: Math.max(...told.map(({ longestSilenceMs }) => longestSilenceMs)),
    server: { ...emptyPhase("chaos", "rooms").server, cpuMs: 9000, peakRssBytes: 96_000_000, processes: 1 },
    generator: generatorFigures(0.3),
    chaos: { workload: "rooms", faults: told },
    ...changes,
  };
}

/** One whose neighbours never notice, two that die of a crash message, one that can't be started again. */
export function chaosCase(): Result {
  const plan = fixturePlan({
    connections: 1000,
    phases: [{ kind: "connect" }, { kind: "chaos", workload: "rooms" }],
    enduranceRatePerSecond: 10_000,
  });
  const reason = "kill: the server was ended by SIGKILL and could not be started again: port 4711 is in use";
  const gone = fixtureFault(plan, "kill", {
    ...fixtureDeath(plan, "kill", "was ended by SIGKILL", 4000),
    rejoin: { wanted: 1000, opened: 0, unserved: 0, slowestMs: null },
    recoveredMs: null,
    server: { died: true, exit: "was ended by SIGKILL", output: null, restarted: false, downMs: null },
  });
  const phases: Readonly<Record<string, Phase>> = {
    "bun-native": fixtureChaos(plan, [
      fixtureFault(plan, "slow-readers", {
        struck: { lost: 10, delivered: 300 },
        rejoin: { wanted: 10, opened: 10, unserved: 0, slowestMs: 4 },
        recoveredMs: 4,
      }),
      fixtureDeath(plan, "crash", "exited with code 1", 40),
      fixtureDeath(plan, "kill", "was ended by SIGKILL", 45),
    ]),
    "elixir-genserver": fixtureChaos(plan, [
      fixtureFault(plan, "crash", {
        struck: { lost: 10, delivered: 700 },
        rejoin: { wanted: 10, opened: 10, unserved: 0, slowestMs: 3 },
        recoveredMs: 3,
      }),
      fixtureDeath(plan, "kill", "was ended by SIGKILL", 1000),
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
        rejoin: { wanted: 250, opened: 250, unserved: 0, slowestMs: 61 },
        rssPeakBytes: 88_000_000,
        recoveredMs: 61,
      }),
      fixtureDeath(plan, "crash", "exited with code 2", 20),
      fixtureDeath(plan, "kill", "was ended by SIGKILL", 22),
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
        ...(isOk ? {} : { status: "failed", reason: `chaos rooms: ${reason}`, shutdown: null }),
      });
    }),
  });
}
