import type { Cause } from "../../judgement/explain.ts";
import * as format from "../../text/format.ts";

/** One sentence of what explains a factor: `node-ws:tuned put 31 messages into a TCP segment, node-ws 1.0.` */
export function describeCause({ kind, best, other }: Cause): string {
  const told = (write: (value: number) => string, words: string) =>
    `${best.contender} ${words.replace("#", write(best.value))}, ${other.contender} ${write(other.value)}.`;
  switch (kind) {
    case "messages-per-segment":
      return told(inTwoDigits, "put # messages into a TCP segment");
    case "cpu-per-delivery.system":
      return told(format.formatCpu, "spent # of system CPU time per delivery");
    case "cpu-per-delivery.user":
      return told(format.formatCpu, "spent # of user CPU time per delivery");
    case "context-switches.voluntary":
      return told(inTwoDigits, "waited # times per 1,000 deliveries");
  }
}

/** `31`, `1.0`, `0.043`. */
export function inTwoDigits(value: number): string {
  if (value >= 9.95) return format.formatCount(Math.round(value));
  return value >= 0.995 ? value.toFixed(1) : value.toPrecision(2);
}
