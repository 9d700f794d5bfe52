import type { Ending } from "../../measures/figures.ts";
import { formatMeasure } from "../../measures/measure.ts";
import * as format from "../../text/format.ts";
import { describeReason } from "../text/reason-text.ts";
import { type Change, stepOf } from "./change.ts";

/** `+5.2 %`, `−31 %`, `×3.4` from threefold on. */
export function formatChange(ratio: number | null): string {
  if (ratio === null) return format.unknown;
  if (ratio >= 3) return format.formatRatio(ratio);
  const percent = (ratio - 1) * 100;
  const text = Math.abs(percent).toFixed(Math.abs(percent) < 9.95 ? 1 : 0);
  if (Number(text) === 0) return "±0 %";
  return `${percent < 0 ? "−" : "+"}${text} %`;
}

/** `−22 to −18 %` */
export function formatLimits([low, high]: readonly [number, number]): string {
  const [from, to] = [formatChange(low), formatChange(high)];
  return `${to.endsWith(" %") ? from.replace(/ %$/, "") : from} to ${to}`;
}

/** `go-gorilla burst-echo throughput` */
export function nameChange({ after }: Change): string {
  return `${after.contender} ${after.phase} ${after.measure.name}`;
}

/** The values of A and B. */
export function formatValues(change: Change): [before: string, after: string] {
  const { before, after } = change;
  const write = (value: number | null) => formatMeasure(after.measure, value, stepOf(change));
  return [write(before.value), write(after.value)];
}

/** Why nothing can be claimed; null where the change was judged. */
export function explainChange({ kind, before, after, obstacle }: Change): string | null {
  switch (kind) {
    case "missing":
      return [
        ...(before.value === null ? [`A: ${describeEnding(before.missing)}`] : []),
        ...(after.value === null ? [`B: ${describeEnding(after.missing)}`] : []),
      ].join("; ");
    case "no-ratio":
      return "zero has no ratio to anything";
    case "not-comparable":
      return obstacle;
    case "single-round": {
      const single = [
        ...(before.values.length < 2 ? ["A"] : []),
        ...(after.values.length < 2 ? ["B"] : []),
      ].join(" and ");
      return `a single round in ${single}: no claim`;
    }
    default:
      return null;
  }
}

/** Why a contender has no figure. */
export function describeEnding(ending: Ending | null): string {
  if (ending === null) return "not measured, or too few samples";
  const { status, reason } = ending;
  if (status === "not-reached") return "did not come to this phase";
  return reason === null ? status : `${status}: ${describeReason(reason)}`;
}
