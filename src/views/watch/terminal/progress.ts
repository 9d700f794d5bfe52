import type { Plan } from "../../../plan/plan.ts";
import type { RunEvent } from "../../../run/events.ts";
import { createPainter } from "../../../text/style.ts";
import { describeEvent, describeProgress, statusLines } from "./progress-line.ts";
import { advance, startProgress } from "./progress-state.ts";

export interface ProgressOutput {
  readonly write: (text: string) => void;
  readonly columns: () => number;
  readonly isTty: boolean;
  readonly color?: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs?: () => number;
}

export interface Progress {
  readonly onEvent: (event: RunEvent) => void;
  /** Takes the status off the terminal. May be called again. */
  readonly end: () => void;
}

/** Without a terminal, at most one line of mere progress in this time. */
const plainIntervalMs = 5000;
/** On a terminal these only move the status; a log has nothing else to show them. */
const passing: ReadonlySet<RunEvent["kind"]> = new Set(["build-output", "server-ready", "phase-started"]);

/** Shows a run while it goes on: two lines redrawn in place on a terminal, plain lines elsewhere. */
export function createProgress(plan: Plan | null, output: ProgressOutput): Progress {
  const { write, columns, isTty, color = false, nowMs = () => performance.now() } = output;
  const paint = createPainter(color);
  let state = startProgress(plan);
  let drawnLines = 0;
  let plainAtMs = Number.NEGATIVE_INFINITY;

  const erase = () => {
    const text = drawnLines === 0 ? "" : `\x1b[${drawnLines}A\r\x1b[J`;
    drawnLines = 0;
    return text;
  };
  const draw = () => {
    const lines = statusLines(state, columns(), nowMs(), paint);
    drawnLines = lines.length;
    return lines.map((line) => `${line}\n`).join("");
  };

  return {
    onEvent: (event) => {
      state = advance(state, event, nowMs());
      if (isTty) {
        const isLasting =
          !passing.has(event.kind) && !(event.kind === "round-ended" && event.round.status === "ok");
        const line = isLasting ? describeEvent(event, paint) : null;
        write(erase() + (line === null ? "" : `${line}\n`) + draw());
        return;
      }
      const line = describeEvent(event, paint);
      if (event.kind === "phase-started") plainAtMs = nowMs();
      if (line !== null) write(`${line}\n`);
      else if (nowMs() - plainAtMs >= plainIntervalMs) {
        plainAtMs = nowMs();
        write(`${describeProgress(state, nowMs())}\n`);
      }
    },
    end: () => {
      const text = erase();
      if (text !== "") write(text);
    },
  };
}
