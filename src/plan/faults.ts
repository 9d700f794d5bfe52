import { z } from "zod";
import type { ValueType } from "./value-type.ts";

/** What is injected in the chaos phase, in this order; the gravest last. */
export const faultNames = ["slow-readers", "resets", "garbage", "storm", "crash", "kill"] as const;
export type Fault = (typeof faultNames)[number];

const window = z.int().min(1).max(60);

/** Windows of one fault, in whole seconds: the load before it, under it, and after it is cleared. */
const chaosSecondsSchema = z.object({ before: window, under: window, after: window });
type ChaosSeconds = Readonly<z.infer<typeof chaosSecondsSchema>>;

/** Written as `3/10/5`. */
export const chaosSecondsType: ValueType<ChaosSeconds> = {
  placeholder: "S/S/S",
  schema: chaosSecondsSchema,
  read: (text) => {
    const [before, under, after, ...more] = text.split("/").map((part) => Number(part));
    const { data } = chaosSecondsSchema.safeParse({ before, under, after });
    return data === undefined || more.length > 0
      ? { expected: "three whole numbers from 1 to 60, as in 3/10/5" }
      : { value: data };
  },
  write: ({ before, under, after }) => `${before}/${under}/${after}`,
};

/** Of the open connections, those that a fault makes faulty; extra connections where it is `garbage`. */
const shares: Readonly<Record<Fault, { readonly share: number; readonly least: number }>> = {
  "slow-readers": { share: 0.01, least: 1 },
  resets: { share: 0.05, least: 1 },
  // As many as there are kinds of garbage, and a second one of each.
  garbage: { share: 0.01, least: 20 },
  storm: { share: 0.25, least: 1 },
  crash: { share: 0.01, least: 3 },
  kill: { share: 0, least: 0 },
};
const mostGarbage = 400;

/** How many clients are faulty; of members at most half, so that there are unaffected ones to watch. */
export function countFaultyClients(fault: Fault, connections: number): number {
  const { share, least } = shares[fault];
  const wanted = Math.max(least, Math.round(share * connections));
  return fault === "garbage" ? Math.min(wanted, mostGarbage) : Math.min(wanted, Math.floor(connections / 2));
}

/** How long the load of a chaos phase lasts, over all faults. */
export function chaosLoadSeconds(plan: {
  readonly faults: readonly Fault[];
  readonly chaosSeconds: ChaosSeconds;
}): number {
  const { before, under, after } = plan.chaosSeconds;
  return plan.faults.length * (before + under + after);
}
