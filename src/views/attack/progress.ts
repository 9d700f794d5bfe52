import type { AttackEvent } from "../../attack/events.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";
import { describeWarning } from "../text/warning-text.ts";

interface ProgressOutput {
  readonly write: (text: string) => void;
  readonly columns: () => number;
  readonly isTty: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs?: () => number;
}

/** Of fewer of its connections nothing follows: the first workers are ready long before the last. */
const leastShare = 0.01;
/** Without a terminal, at most one line of mere progress in this time. */
const plainIntervalMs = 5000;

/** Shows an attack while it goes on: one line redrawn in place on a terminal, plain lines elsewhere. */
export function createAttackProgress({
  write,
  columns,
  isTty,
  nowMs = () => performance.now(),
}: ProgressOutput) {
  let isDrawn = false;
  /** Since when connections are opened; null before that. */
  let openingMs: number | null = null;
  let plainAtMs = nowMs();
  const erase = () => {
    if (isDrawn) write("\r\x1b[K");
    isDrawn = false;
  };
  /** Makes the line only where it is shown: numbers as text are a third of what the tool does during a load. */
  const pass = (describe: () => string) => {
    if (isTty) {
      // One column stays free: a terminal breaks a line that fills it.
      write(`\r\x1b[K${Bun.sliceAnsi(describe(), 0, Math.max(0, columns() - 1))}`);
      isDrawn = true;
    } else if (nowMs() - plainAtMs >= plainIntervalMs) {
      plainAtMs = nowMs();
      write(`  … ${describe()}\n`);
    }
  };
  const tell = (line: string) => {
    erase();
    write(`${line}\n`);
  };
  return {
    onEvent: (event: AttackEvent) => {
      switch (event.kind) {
        case "command":
          tell(`${event.when}: ${printable(event.command)}`);
          break;
        case "connecting": {
          openingMs ??= nowMs();
          const elapsedMs = nowMs() - openingMs;
          pass(() => `${describeConnections(event)}${describeLeft(event, elapsedMs)}`);
          break;
        }
        case "connected":
          tell(describeConnections(event));
          plainAtMs = nowMs();
          break;
        case "load":
          pass(() => describeLoad(event));
          break;
        case "warning":
          tell(`warning: ${describeWarning(event.warning)}`);
          break;
        case "ended":
          break;
      }
    },
    /** Takes the status off the terminal. May be called again. */
    end: erase,
  };
}

function describeConnections({
  requested,
  opened,
  failed,
}: Extract<AttackEvent, { kind: "connecting" | "connected" }>): string {
  const failures = failed === 0 ? "" : `, ${format.formatCount(failed)} failed`;
  return `${format.formatCount(opened)} of ${format.plural(requested, "connection")} opened${failures}`;
}

/** As the connections so far let expect. */
function describeLeft(
  { requested, opened, failed }: Extract<AttackEvent, { kind: "connecting" }>,
  elapsedMs: number,
): string {
  const done = opened + failed;
  if (done < leastShare * requested) return "";
  const leftMs = (elapsedMs / done) * (requested - done);
  return leftMs < 1000 ? "" : `, ${format.formatDuration(Math.ceil(leftMs / 1000) * 1000)} left`;
}

function describeLoad(event: Extract<AttackEvent, { kind: "load" }>): string {
  const { elapsedMs, totalMs, sent, answered, answeredPerSecond, open, p50Us, p99Us, errors } = event;
  const leftMs = totalMs - elapsedMs;
  return [
    leftMs > 0
      ? `${format.formatDuration(Math.ceil(leftMs / 1000) * 1000)} left`
      : "waiting for the last replies",
    `open ${format.formatCount(open)}`,
    `sent ${format.formatCount(sent)}`,
    `answered ${format.formatCount(answered)} (${format.formatRate(answeredPerSecond)})`,
    `p50 ${format.formatLatency(p50Us)}`,
    `p99 ${format.formatLatency(p99Us)}`,
    ...(errors === 0 ? [] : [`errors ${format.formatCount(errors)}`]),
  ].join("  ");
}
