import { z } from "zod";
import { quantilesSchema } from "./phase.ts";

const count = z.int().nonnegative();
/** `line:column` in the scenario's file. */
const place = z.string().nullable();

/** What the users of a scenario did. Texts are the scenario's own, or what a server said: as they came. */
export const scenarioSchema = z.object({
  /** `started = finished + failed + unended`, always. */
  iterations: z.object({
    started: count,
    finished: count,
    failed: count,
    /** Were still going on when the load's end and the reply timeout were past, or when it was stopped. */
    unended: count,
    /** At a rate: every user was busy when it was due. */
    unstarted: count,
  }),
  /** Of those that finished. */
  iterationUs: quantilesSchema,
  /** What `measure` was given, by its name. */
  measures: z.array(z.object({ name: z.string(), valueUs: quantilesSchema })),
  checks: z.array(
    z.object({
      name: z.string(),
      passed: count,
      failed: count,
      /** Where it failed first. */
      place,
    }),
  ),
  /** The most frequent first, at most 12. */
  failures: z.array(
    z.object({
      /** `thrown`: by the scenario, or by what it waited for. `unended`: what it did last. */
      kind: z.enum(["thrown", "unended"]),
      message: z.string(),
      place,
      count,
    }),
  ),
  /** Beyond those. */
  otherFailures: count,
});

export type ScenarioFacts = z.infer<typeof scenarioSchema>;
