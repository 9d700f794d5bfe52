import type { Figure } from "../../measures/figures.ts";
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

/** `+5.2 %`; of a quantile that only one run reached there is no such number. */
export function describeChange({ ratio, before, after }: Change): string {
  return ratio === null && before.unreached + after.unreached > 0 ? notReached : formatChange(ratio);
}

const notReached = "not reached";

/** `go-gorilla burst-echo throughput` */
export function nameChange({ after }: Change): string {
  return `${after.contender} ${after.phase} ${after.measure.name}`;
}

/** The values of A and B. */
export function formatValues(change: Change): [before: string, after: string] {
  const { before, after } = change;
  const write = ({ value, unreached }: Figure) =>
    value === null && unreached > 0 ? notReached : formatMeasure(after.measure, value, stepOf(change));
  return [write(before), write(after)];
}

/** Why nothing can be claimed; null where the change was judged. */
export function explainChange({ kind, before, after, obstacle }: Change): string | null {
  switch (kind) {
    case "missing":
      return [
        ...(before.value === null ? [`A: ${describeMissing(before)}`] : []),
        ...(after.value === null ? [`B: ${describeMissing(after)}`] : []),
      ].join("; ");
    case "not-reached":
      return [
        ...(before.unreached > 0 ? [`A: ${describeMissing(before)}`] : []),
        ...(after.unreached > 0 ? [`B: ${describeMissing(after)}`] : []),
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

/** Why a contender has no figure, or not in every round. */
export function describeMissing({ missing, values, unreached }: Figure): string {
  if (unreached > 0)
    return `not reached in ${unreached} of ${format.plural(values.length + unreached, "round")}`;
  if (missing === null) return "not measured, or too few samples";
  const { status, reason } = missing;
  if (reason !== null) return `${status}: ${describeReason(reason)}`;
  return status === "not-run" ? "did not come to this phase" : status;
}
