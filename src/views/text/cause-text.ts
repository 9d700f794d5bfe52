import type { Cause } from "../../result/judgement.ts";
import * as format from "../../text/format.ts";

const texts: Readonly<
  Record<Cause["kind"], { readonly words: string; readonly write: (value: number) => string }>
> = {
  "messages-per-segment": { words: "put # messages into a TCP segment", write: inTwoDigits },
  "cpu-per-delivery.collector": {
    words: "spent # of CPU time per delivery on garbage collection",
    write: format.formatCpu,
  },
  "cpu-per-delivery.system": {
    words: "spent # of system CPU time per delivery",
    write: format.formatCpu,
  },
  "cpu-per-delivery.user": { words: "spent # of user CPU time per delivery", write: format.formatCpu },
  "context-switches.voluntary": { words: "waited # times per 1,000 deliveries", write: inTwoDigits },
};

/** More names than this hide what is said of them. */
const mostOthers = 4;

/**
 * What explains that the same contender leads others: `node-ws:tuned put 31 messages into a TCP segment, node-ws 1.0.`
 * One sentence for each kind of cause.
 */
export function describeCauses(causes: readonly Cause[]): string[] {
  return [...Map.groupBy(causes, ({ kind }) => kind)].flatMap(([kind, alike]) => {
    const [first] = alike;
    if (first === undefined) return [];
    const { words, write } = texts[kind];
    const told = alike.length > mostOthers ? alike.slice(0, mostOthers - 1) : alike;
    const more = alike.length - told.length;
    const others = [
      ...told.map(({ other }) => `${other.contender} ${write(other.value)}`),
      ...(more === 0 ? [] : [`${more} others`]),
    ];
    const { contender, value } = first.best;
    return [`${contender} ${words.replace("#", write(value))}, ${format.joinNames(others)}.`];
  });
}

/** `31`, `1.0`, `0.043`. */
export function inTwoDigits(value: number): string {
  if (value >= 9.95) return format.formatCount(Math.round(value));
  return value >= 0.995 ? value.toFixed(1) : value.toPrecision(2);
}
