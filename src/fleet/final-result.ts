import { z } from "zod";
import type { Measured } from "../attack/start-attack.ts";
import { type AttackTotals, countReports } from "../attack/totals.ts";
import { attackStatusSchema } from "../result/attack.ts";
import { reasonSchema } from "../result/reasons.ts";

/** What an agent's part came to. The figures made of its totals are checked as every result is. */
const finalSchema = z.object({
  totals: z.custom<AttackTotals>((value) => typeof value === "object" && value !== null),
  status: attackStatusSchema,
  reason: reasonSchema.nullable(),
});
export type FinalResult = z.infer<typeof finalSchema>;

/** Of text, per message: with what stands around it, below the megabyte that a NATS server takes. */
const partLength = 700_000;

export function toFinal({ evidence, ending }: Measured): FinalResult {
  const { status, reason } = ending;
  // An agent has no condition of its own to stop by.
  return { totals: countReports(evidence), status, reason: reasonSchema.nullable().parse(reason) };
}

/** As text for messages, each small enough. */
export function packFinal(final: FinalResult): string[] {
  const text = Buffer.from(Bun.gzipSync(JSON.stringify(final))).toString("base64");
  const parts = Math.max(1, Math.ceil(text.length / partLength));
  return Array.from({ length: parts }, (_, part) => text.slice(part * partLength, (part + 1) * partLength));
}

/** @throws {Error} for what is none */
export function unpackFinal(parts: readonly string[]): FinalResult {
  const json = Buffer.from(Bun.gunzipSync(Buffer.from(parts.join(""), "base64"))).toString();
  return finalSchema.parse(JSON.parse(json));
}
