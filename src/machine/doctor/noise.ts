import { z } from "zod";
import type { Plan } from "../../plan/plan.ts";
import { ownCommand } from "../installation.ts";
import { readOutput } from "../sources.ts";
import type { NoiseReading } from "./facts.ts";

/** To start, warm up and print. */
const graceMs = 5000;

const readingSchema = z.object({
  durationMs: z.number(),
  p99GapUs: z.number(),
  maxGapUs: z.number(),
  lostShare: z.number(),
  pinned: z.boolean(),
});

/**
 * Spins for so long on the first CPU of the server and the first of the workers, at once, as in a run; where nothing
 * is pinned, once anywhere. A spinner that fails is left out.
 */
export async function measureNoise(
  plan: Pick<Plan, "serverCpus" | "workerCpus">,
  durationMs: number,
): Promise<NoiseReading[]> {
  const server = plan.serverCpus?.[0];
  // Of CPUs that they share, another: two spinners on one CPU measure each other.
  const worker = plan.workerCpus?.find((cpu) => cpu !== server) ?? plan.workerCpus?.[0];
  const places =
    server === undefined || worker === undefined
      ? [{ role: "any", cpu: null } as const]
      : [{ role: "server", cpu: server } as const, { role: "worker", cpu: worker } as const];
  const readings = await Promise.all(
    places.map(async ({ role, cpu }): Promise<NoiseReading | null> => {
      const command = ownCommand("__noise-spinner", `${cpu ?? "any"}`, `${durationMs}`);
      const text = await readOutput(command, durationMs + graceMs);
      if (text === null) return null;
      const { pinned, ...reading } = readingSchema.parse(JSON.parse(text));
      return { role, cpu: pinned ? cpu : null, ...reading };
    }),
  );
  return readings.filter((reading) => reading !== null);
}
