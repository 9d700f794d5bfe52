import { z } from "zod";
import type { Measured } from "../attack/start-attack.ts";
import type { AttackReport, OpenReport } from "../engine/attack/attack-orders.ts";
import { reasonSchema } from "../result/reasons.ts";
import type { TimelineParts } from "../run/phases/timeline.ts";
import type { SparseHistogram } from "../stats/histogram.ts";

const isObject = (value: unknown) => typeof value === "object" && value !== null;

/**
 * What an agent's part came to: the reports of its workers as they are, so that they are added up as those of one
 * machine. Times count from the agent's own beginning. The figures made of it are checked as every result is.
 */
const finalSchema = z.object({
  opens: z.array(z.custom<OpenReport>(isObject)),
  loads: z.array(z.custom<AttackReport>(isObject)),
  latency: z.custom<SparseHistogram>(isObject),
  timeline: z.custom<TimelineParts>(isObject),
  hasStarted: z.boolean(),
  elapsedMs: z.number(),
  status: z.enum(["ok", "invalid", "failed", "aborted"]),
  reason: reasonSchema.nullable(),
});
export type FinalResult = z.infer<typeof finalSchema>;

/** Of text, per message: with what stands around it, below the megabyte that a NATS server takes. */
const partLength = 700_000;

export function toFinal({ evidence, timeline, ending }: Measured): FinalResult {
  const { opens, loads, latency, startUs, elapsedMs } = evidence;
  const firstUs = Math.min(...opens.flatMap(({ firstAttemptUs }) => firstAttemptUs ?? []));
  const before = Number.isFinite(firstUs) ? firstUs : 0;
  const shift = (us: number | null, by: number) => (us === null ? null : us - by);
  return {
    opens: opens.map((one) => ({
      ...one,
      firstAttemptUs: shift(one.firstAttemptUs, before),
      lastOpenedUs: shift(one.lastOpenedUs, before),
    })),
    loads: loads.map((one) => ({
      ...one,
      // They are in the timeline.
      seconds: [],
      firstSendUs: shift(one.firstSendUs, startUs ?? 0),
      lastSendUs: shift(one.lastSendUs, startUs ?? 0),
      lastDeliveryUs: shift(one.lastDeliveryUs, startUs ?? 0),
    })),
    latency: latency.toSparse(),
    timeline: timeline.toParts(),
    hasStarted: startUs !== null,
    elapsedMs,
    status: ending.status,
    // An agent has no condition of its own to stop by.
    reason: reasonSchema.nullable().parse(ending.reason),
  };
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
