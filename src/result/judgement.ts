import { z } from "zod";
import { limitSchema, reasonSchema } from "./reasons.ts";

/**
 * What may be concluded of one measure in one phase:
 *
 * - `leads`: the best one's ratio to everyone else excludes 1, corrected for all pairs of the measure.
 * - `equivalent`: they differ by no more than the margin.
 * - `undecided`: neither can be said.
 * - `censored`: everyone did all that was asked, or stopped at a limit of the machine or the plan.
 * - `unfit`: nobody did what the phase asks of a server.
 * - `invalid`: the generator or other processes may have been measured.
 * - `single`: one round; figures, and no ranking.
 */
export const outcomes = [
  "leads",
  "equivalent",
  "undecided",
  "censored",
  "unfit",
  "invalid",
  "single",
] as const;

const interval = z.object({ low: z.number(), high: z.number() });

/** One contender in a judgement, in the unit of the measure. */
const placeSchema = z.object({
  /** As on the command line: `go-gorilla:tuned`. */
  contender: z.string(),
  /** The median over the rounds that count; null where there is none. */
  value: z.number().nullable(),
  /** 95 % confidence interval of the median; null for fewer than two rounds. */
  interval: interval.nullable(),
  /** Rounds that count. */
  rounds: z.int().nonnegative(),
  /** How many times better the first is, with its limits at the corrected confidence; null for the first and the unranked. */
  ratio: z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable(),
  /** `ranked`: its figure may be compared. All others are shown and not ranked. */
  standing: z.enum(["ranked", "unfit", "invalid", "censored", "lower-bound", "absent"]),
  /** Why it is not ranked, where a phase says so. */
  reason: reasonSchema.nullable(),
});

export const judgementSchema = z.object({
  /** A measure of the catalogue (src/measures). */
  measure: z.string(),
  /** As in `--phases`: `burst-echo`; and its place in the plan, from 0. */
  phase: z.string(),
  phaseIndex: z.int().nonnegative(),
  /** Those compared share a league; null where all are compared with each other. */
  league: z.string().nullable(),
  outcome: z.enum(outcomes),
  /** Rounds that every compared pair shares at least. */
  rounds: z.int().nonnegative(),
  /** Best first; then those that are not ranked. */
  places: z.array(placeSchema),
  /** Names of the best and of those that it does not clearly beat; empty where nobody is ranked. */
  best: z.array(z.string()),
  /** Censored: what stopped everyone; null where everyone did all that was asked. */
  limit: limitSchema.nullable(),
});

export type Judgement = z.infer<typeof judgementSchema>;
export type Place = z.infer<typeof placeSchema>;
export type Outcome = Judgement["outcome"];
