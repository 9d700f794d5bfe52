import { z } from "zod";
import { faultNames } from "./faults.ts";
import type { Plan } from "./plan.ts";

const count = z.int().nonnegative();
const positive = z.int().positive();
const cpus = z.array(count).nullable();

/** The plan of a result file that anyone may have edited; whatever reads a result relies on these. */
export const planSchema = z.object({
  preset: z.string(),
  seed: z.number(),
  entrants: z.array(z.object({ contender: z.string(), variant: z.string() })),
  phases: z.array(
    z.object({
      kind: z.enum(["connect", "burst", "endurance", "capacity", "chaos"]),
      workload: z.enum(["echo", "broadcast", "rooms"]).exactOptional(),
    }),
  ),
  rounds: positive,
  connections: positive,
  connectBatch: positive,
  messagesPerConnection: positive,
  messageBatch: positive,
  messageBytes: positive,
  enduranceSeconds: z.number().positive(),
  enduranceRatePerSecond: z.number().positive(),
  capacityStepSeconds: positive,
  capacityStartRatePerSecond: z.number().positive(),
  p99LimitMs: z.number().positive(),
  faults: z.array(z.enum(faultNames)),
  chaosSeconds: z.object({ before: positive, strike: positive, after: positive }),
  roomSize: positive,
  sendersPerRoom: positive,
  errorThreshold: count,
  warmupSeconds: z.number().nonnegative(),
  validityRule: z.boolean(),
  workers: positive,
  pacing: z.enum(["spin", "timer"]),
  serverCpus: cpus,
  workerCpus: cpus,
  port: count,
  timeouts: z.object({ readyMs: z.number(), connectMs: z.number(), quietMs: z.number() }),
}) satisfies z.ZodType<Plan>;
