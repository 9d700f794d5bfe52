import { z } from "zod";
import { judgementSchema, placeSchema } from "./judgement.ts";
import { schemaVersion } from "./schema.ts";

const cpus = z.array(z.int().nonnegative()).nullable();

/** Why a value of a scan has no run, or none that came to its end. */
export const notScannedSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("too-few-cpus"), needed: z.int().positive(), available: z.int().positive() }),
  z.object({ kind: z.literal("stopped-by-user") }),
  /** An error ended the scan, or its turn has not come yet. */
  z.object({ kind: z.literal("not-reached") }),
]);

/** What one contender did of one measure under one value. */
const cellSchema = placeSchema.pick({ value: true, interval: true, rounds: true, standing: true }).extend({
  /**
   * As a multiple of the first value that has a finished run, where both are ranked. Limits from two rounds on: 95 % for
   * all ratios of the measure and phase together, by Holm's steps.
   */
  ratio: z.object({ ratio: z.number(), low: z.number().nullable(), high: z.number().nullable() }).nullable(),
});

/** `scan.json`: runs of the same plan but for one parameter, and what became of each figure that decides. */
export const scanSchema = z.object({
  schema: z.literal(schemaVersion),
  id: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  status: z.enum(["running", "finished", "aborted"]),
  command: z.array(z.string()),
  /** The option without its dashes: `server-cpus`. */
  parameter: z.string(),
  /** In the order asked for. */
  values: z.array(
    z.object({
      /** As typed. */
      value: z.string(),
      /** Null where none was begun. */
      run: z
        .object({
          /** Its folder is beside the scan's. */
          id: z.string(),
          serverCpus: cpus,
          workerCpus: cpus,
          /** Whether the generator ran on CPUs of the server, or may have. */
          sharesCpus: z.boolean(),
          workers: z.int().positive(),
          pacing: z.enum(["spin", "timer"]),
        })
        .nullable(),
      /** Null where the run came to its end. */
      notRun: notScannedSchema.nullable(),
    }),
  ),
  figures: z.array(
    judgementSchema.pick({ phase: true, measure: true, league: true }).extend({
      /** As on the command line: `go-gorilla:tuned`. */
      contender: z.string(),
      /** One for each of `values`; null without a finished run, or where it took no part. */
      cells: z.array(cellSchema.nullable()),
    }),
  ),
});

export type Scan = z.infer<typeof scanSchema>;
export type ScanFigure = Scan["figures"][number];
export type ScanCell = z.infer<typeof cellSchema>;
export type NotScanned = z.infer<typeof notScannedSchema>;
