import { isRan } from "../../measures/sections.ts";
import type { Phase } from "../../result/phase.ts";
import type { RunEvent } from "../../run/events.ts";
import type { Labels, MetricBoard } from "./metric-board.ts";

/** One contender's round that goes on; several may, in turns. */
interface Turn {
  readonly server: Labels;
  load: Labels;
  /** Of the phase that runs. */
  errors: number;
}

/** Puts what a run tells on the board. */
export function noteRun(board: MetricBoard, run: string): (event: RunEvent) => void {
  const turns = new Map<number, Turn>();
  return (event) => {
    if (event.kind === "round-started") {
      const { contender, variant, position } = event;
      const server = { run, contender, variant };
      turns.set(position, { server, load: server, errors: 0 });
    }
    if (event.kind === "round-ended") {
      const turn = turns.get(event.round.position);
      if (turn !== undefined) board.set("showdown_connections", turn.server, 0);
      turns.delete(event.round.position);
    }
    const turn = "position" in event ? turns.get(event.position) : undefined;
    if (turn === undefined) return;
    switch (event.kind) {
      case "phase-started": {
        const { phaseKind: phase, workload } = event;
        turn.load = { ...turn.server, phase, ...(workload === null ? {} : { workload }) };
        turn.errors = 0;
        break;
      }
      case "phase-progress":
        noteErrors(board, turn, event.view.errors);
        if (event.view.kind === "connect") {
          board.set("showdown_connections", turn.server, event.view.done);
        }
        break;
      case "phase-second":
        board.add("showdown_messages_sent", turn.load, event.load.sent);
        board.add("showdown_deliveries", turn.load, event.load.delivered);
        board.addLatency(turn.load, event.load.latency);
        break;
      case "phase-ended":
        notePhase(board, turn, event.phase);
        break;
    }
  };
}

/** They are told as a sum over the phase so far. */
function noteErrors(board: MetricBoard, turn: Turn, errors: number): void {
  board.add("showdown_errors", turn.load, Math.max(0, errors - turn.errors));
  turn.errors = Math.max(turn.errors, errors);
}

function notePhase(board: MetricBoard, { server, load }: Turn, phase: Phase): void {
  board.add("showdown_phases", { ...load, status: phase.status }, 1);
  if (!isRan(phase)) return;
  if (phase.kind === "connect") {
    board.set("showdown_connections", server, phase.connections.open);
    board.add("showdown_connection_failures", server, phase.connections.failed);
  }
  if ("messages" in phase) board.add("showdown_messages_lost", load, phase.messages.lost);
  if ("server" in phase) {
    const { cpuMs, peakRssBytes } = phase.server;
    if (cpuMs !== null) board.add("showdown_server_cpu_seconds", load, cpuMs / 1000);
    if (peakRssBytes !== null) board.set("showdown_server_memory_bytes", server, peakRssBytes);
  }
}
