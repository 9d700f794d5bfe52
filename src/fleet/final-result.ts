import { z } from "zod";
import type { Measured } from "../attack/start-attack.ts";
import { type AttackTotals, countReports } from "../attack/totals.ts";
import { attackStatusSchema } from "../result/attack.ts";
import { reasonSchema } from "../result/reasons.ts";
import { pack, unpack } from "./packing.ts";

/** What an agent's part came to. The figures made of its totals are checked as every result is. */
const finalSchema = z.object({
  totals: z.custom<AttackTotals>((value) => typeof value === "object" && value !== null),
  status: attackStatusSchema,
  reason: reasonSchema.nullable(),
});
export type FinalResult = z.infer<typeof finalSchema>;

export function toFinal({ evidence, ending }: Measured): FinalResult {
  const { status, reason } = ending;
  // An agent has no condition of its own to stop by.
  return { totals: countReports(evidence), status, reason: reasonSchema.nullable().parse(reason) };
}

export function packFinal(final: FinalResult): string[] {
  return pack(Buffer.from(JSON.stringify(final)));
}

/** @throws {Error} for what is none */
export function unpackFinal(parts: readonly string[]): FinalResult {
  return finalSchema.parse(JSON.parse(unpack(parts).toString()));
}
