import { z } from "zod";
import type { ReadValue, ValueType } from "../value-type.ts";

/** From the value before it (0 at the beginning) in a straight line to `value`, in so many seconds. */
export interface Stage {
  readonly seconds: number;
  readonly value: number;
}

const unitSeconds: Readonly<Record<string, number>> = { ms: 0.001, s: 1, "": 1, m: 60, min: 60, h: 3600 };
const longestSeconds = 7 * 86_400;

/** Seconds of `90`, `500ms`, `1m30s`, `2h`; null where it is no time. */
export function readSeconds(text: string): number | null {
  if (!/^(\d+(\.\d+)?(ms|s|min|m|h)?)+$/.test(text)) return null;
  let seconds = 0;
  for (const [, number, unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h)?/g)) {
    seconds += Number(number) * (unitSeconds[unit] ?? 1);
  }
  return seconds > 0 && seconds <= longestSeconds ? Math.round(seconds * 1000) / 1000 : null;
}

function writeSeconds(seconds: number): string {
  if (seconds % 3600 === 0) return `${seconds / 3600}h`;
  if (seconds % 60 === 0) return `${seconds / 60}m`;
  return `${seconds}s`;
}

/** A time such as `10s` or `1m30s`, kept in seconds. */
export function time(): ValueType<number> {
  return {
    placeholder: "TIME",
    schema: z.number().positive().max(longestSeconds),
    read: (text) => {
      const value = readSeconds(text.trim());
      return value === null ? { expected: "a time such as 10s, 1m30s or 2h, at most 7 days" } : { value };
    },
    write: writeSeconds,
  };
}

/** `TIME:VALUE,…`; values may have a fraction unless they are `whole`. */
export function stages(max: number, whole = false): ValueType<readonly Stage[]> {
  const kind = whole ? "whole number" : "value";
  const expected = `stages such as 1m:1000,5m:1000,30s:0, each a time and a ${kind} of at most ${max.toLocaleString("en")}`;
  const read = (text: string): ReadValue<readonly Stage[]> => {
    const value: Stage[] = [];
    for (const part of text.split(",")) {
      const [, duration = "", number = ""] = /^([^:]+):(\d+(?:\.\d+)?)$/.exec(part.trim()) ?? [];
      const seconds = readSeconds(duration);
      if (seconds === null || Number(number) > max || (whole && !Number.isInteger(Number(number)))) {
        return { expected: `${expected}; "${part.trim()}" is none` };
      }
      value.push({ seconds, value: Number(number) });
    }
    if (value.every((stage) => stage.value === 0)) {
      return { expected: `${expected}, and one of them above 0` };
    }
    return { value };
  };
  return {
    placeholder: "TIME:VALUE,…",
    schema: z
      .array(
        z.object({
          seconds: z.number().positive(),
          value: whole ? z.int().nonnegative().max(max) : z.number().nonnegative(),
        }),
      )
      .min(1)
      .readonly(),
    read,
    write: (value) => value.map((stage) => `${writeSeconds(stage.seconds)}:${stage.value}`).join(","),
  };
}
