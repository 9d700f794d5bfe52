import { nameOfRound } from "../../../measures/sections.ts";
import type { RunEvent } from "../../../run/events.ts";
import * as format from "../../../text/format.ts";
import { printable } from "../../../text/printable.ts";
import { createPainter } from "../../../text/style.ts";
import { advance, describeView, describeWork, type Place, phaseLeftMs, phaseShare, start } from "../place.ts";
import { describeEvent } from "./event-text.ts";

interface ProgressOutput {
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

/** Shows a run while it goes on: one line redrawn in place on a terminal, plain lines elsewhere. */
export function createProgress(output: ProgressOutput): Progress {
  const { write, columns, isTty, color = false, nowMs = () => performance.now() } = output;
  const paint = createPainter(color);
  let place = start;
  let isDrawn = false;
  let plainAtMs = Number.NEGATIVE_INFINITY;
  const erase = () => {
    const text = isDrawn ? "\r\x1b[K" : "";
    isDrawn = false;
    return text;
  };
  const draw = () => {
    // One column stays free: a terminal breaks a line that fills it.
    const line = Bun.sliceAnsi(describePlace(place).join("  "), 0, Math.max(0, columns() - 1));
    isDrawn = line !== "";
    return line;
  };
  return {
    onEvent: (event) => {
      // What is drawn is drawn of the views.
      if (event.kind === "phase-second") return;
      place = advance(place, event);
      if (isTty) {
        const isLasting =
          !passing.has(event.kind) && !(event.kind === "round-ended" && event.round.status === "ok");
        const line = isLasting ? describeEvent(event, paint) : null;
        write(`${erase()}${line === null ? "" : `${line}\n`}${draw()}`);
        return;
      }
      const line = describeEvent(event, paint);
      if (event.kind === "phase-started") plainAtMs = nowMs();
      if (line !== null) write(`${line}\n`);
      else if (nowMs() - plainAtMs >= plainIntervalMs) {
        plainAtMs = nowMs();
        write(`  … ${describePlace(place).join(", ")}\n`);
      }
    },
    end: () => {
      const text = erase();
      if (text !== "") write(text);
    },
  };
}

/** The most important first, since a narrow terminal cuts the rest off. */
function describePlace(place: Place): string[] {
  const { building, round, phase, view } = place;
  if (building !== null) return [`${printable(building.contender)}: ${printable(building.line)}`];
  if (round === null) return [];
  const share = phaseShare(place);
  const leftMs = phaseLeftMs(place);
  return [
    printable(nameOfRound(round)),
    describeWork(place),
    ...(share === null ? [] : [`${Math.floor(share * 100)} %`]),
    ...(view === null ? [] : describeView(view))
      .filter(([label, value]) => label !== "errors" || value !== "0")
      .map(([label, value]) => `${label} ${value}`),
    ...(leftMs === null ? [] : [`${format.formatDuration(leftMs)} left`]),
    ...(phase === null ? [] : [`phase ${phase.index + 1} of ${phase.count}`]),
    `turn ${round.position} of ${round.positions}`,
  ];
}
