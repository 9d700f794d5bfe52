import type { AttackEvent } from "../../attack/events.ts";
import type { ScenarioNews } from "../../attack/scenario-board.ts";
import type { AttackPlan } from "../../plan/attack/plan.ts";
import type { Labels, MetricBoard } from "./metric-board.ts";

/** Puts what an attack tells on the board. */
export function noteAttack(
  board: MetricBoard,
  { target, adapter, reply }: AttackPlan,
  run: string,
): (event: AttackEvent) => void {
  const { host, port } = target;
  const contender = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const server: Labels = { run, contender };
  // The path of a module of one's own says nothing to others.
  const protocol = adapter?.name.split("/").at(-1);
  const load: Labels = { ...server, phase: "attack", workload: protocol ?? reply.kind };
  for (const name of ["showdown_messages_sent", "showdown_deliveries", "showdown_errors"] as const) {
    board.add(name, load, 0);
  }
  return (event) => {
    switch (event.kind) {
      case "connecting":
      case "connected":
        board.set("showdown_connections", server, event.opened);
        board.set("showdown_connection_failures", server, event.failed);
        break;
      case "second":
        board.add("showdown_messages_sent", load, event.sent);
        board.add("showdown_deliveries", load, event.answered);
        board.add("showdown_errors", load, event.errors);
        board.addLatency(load, event.latency);
        board.set("showdown_connections", server, event.open);
        if (event.scenario !== undefined) noteScenario(board, load, event.scenario);
        break;
      case "ended":
        board.add("showdown_messages_lost", load, event.result.messages.lost);
        board.add("showdown_phases", { ...load, status: event.result.status }, 1);
        break;
    }
  };
}

function noteScenario(
  board: MetricBoard,
  load: Labels,
  { iterations, checks, measures }: ScenarioNews,
): void {
  for (const status of ["finished", "failed", "unended", "unstarted"] as const) {
    board.add("showdown_iterations", { ...load, status }, iterations[status]);
  }
  for (const { name, passed, failed } of checks) {
    board.add("showdown_checks", { ...load, check: name, status: "passed" }, passed);
    board.add("showdown_checks", { ...load, check: name, status: "failed" }, failed);
  }
  for (const { name, values } of measures) {
    board.addLatency({ ...load, measure: name }, values, "showdown_measure_seconds");
  }
}
