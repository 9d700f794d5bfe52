import { type AttackPart, type AttackReason, nameOfPart } from "../result/attack.ts";
import { type Ending, ok } from "./start-attack.ts";

/** Gravest first. */
const endings = ["invalid", "aborted", "partial", "failed"] as const;

/**
 * How an attack ended, of which these are the parts. It is as one machine's would have been: that the server let
 * nobody of one part in is in the figures, as are other connections that failed.
 *
 * @param missing why parts are missing beside those that are lost; null where none is
 */
export function judgeParts(parts: readonly AttackPart[], missing: AttackReason | null = null): Ending {
  const there = parts.filter(({ figures }) => figures !== null);
  const loss = missing ?? parts.find(({ status }) => status === "lost")?.reason ?? null;
  if (there.length === 0) return { status: "invalid", reason: loss };
  for (const status of endings) {
    const bad = there.filter((part) => part.status === status);
    const [worst] = bad;
    const areAll = bad.length === there.length;
    if (worst === undefined || (status === "failed" && !areAll)) continue;
    const { reason } = worst;
    const isOfAll = areAll && bad.every((one) => Bun.deepEquals(one.reason, reason));
    return reason === null || isOfAll
      ? { status, reason }
      : { status, reason: { kind: "part", part: nameOfPart(worst), status, reason } };
  }
  return loss === null ? ok : { status: "partial", reason: loss };
}
