import { z } from "zod";
import { limitSchema, reasonSchema } from "./reasons.ts";

/**
 * What may be concluded of one measure in one phase, of the contenders of one league:
 *
 * - `leads`: one is better than everyone else: the ratios exclude 1, corrected for all pairs of the measure.
 * - `equivalent`: nobody is better than the best ones, which differ by no more than the margin.
 * - `undecided`: neither can be said yet.
 * - `censored`: everyone, or more than one with nobody better, did all that was asked or stopped at a limit of the
 *   machine or the plan.
 * - `unfit`: nobody did what the phase asks of a server.
 * - `invalid`: the generator or other processes may have been measured.
 * - `single`: one round; figures, and no ranking.
 * - `alone`: one contender that can be compared; figures, and nobody to compare with.
 */
export const outcomes = [
  "leads",
  "equivalent",
  "undecided",
  "censored",
  "unfit",
  "invalid",
  "single",
  "alone",
] as const;

/**
 * Who is compared with whom: by the contender's approach, so that an expert's server is not ranked against a plain one.
 * `undeclared`: servers given by URL. A floor is what the others' figures can be read as multiples of, and ranked against
 * nobody.
 */
export const leagues = ["idiomatic", "tuned", "framework", "article", "undeclared", "floor"] as const;

const interval = z.object({ low: z.number(), high: z.number() });

/** One contender in a judgement, in the unit of the measure. */
export const placeSchema = z.object({
  /** As on the command line: `go-gorilla:tuned`. */
  contender: z.string(),
  /** The median over the rounds that count; null where there is none. */
  value: z.number().nullable(),
  /** 95 % confidence interval of the median; null for fewer than two rounds. */
  interval: interval.nullable(),
  /** Rounds that count. */
  rounds: z.int().nonnegative(),
  /** `ranked`: its figure may be compared. All others are shown and not ranked. */
  standing: z.enum(["ranked", "unfit", "invalid", "censored", "lower-bound", "absent"]),
  /** Why it is not ranked, where a phase says so. */
  reason: reasonSchema.nullable(),
});

const pairNames = { first: z.string(), second: z.string() };
const ratio = {
  /** How many times better `first` is. */
  ratio: z.number(),
  low: z.number(),
  high: z.number(),
  /**
   * Of the limits: those of two one-sided tests at 95 % are 90 % limits; all others hold for all pairs and looks of the
   * measure together.
   */
  confidence: z.number(),
};
const rounds = z.int().nonnegative();

/** Two that are ranked. `first` is the better one in the rounds that both have. */
export const pairSchema = z.discriminatedUnion("kind", [
  z.object({
    ...pairNames,
    kind: z.literal("leads"),
    ...ratio,
    /** After how many rounds. */
    decidedAt: rounds,
    /** A sure lead that is smaller than the margin for sure, too. */
    withinMargin: z.boolean(),
  }),
  z.object({ ...pairNames, kind: z.literal("equivalent"), ...ratio, decidedAt: rounds }),
  z.object({
    ...pairNames,
    kind: z.literal("undecided"),
    ...ratio,
    /** Rounds beyond these: if the ratio stays what it is, and whatever it turns out to be; null for more than 10,000. */
    further: z.object({ likely: rounds.nullable(), atMost: rounds.nullable() }),
  }),
  /** Too few rounds for any claim. */
  z.object({ ...pairNames, kind: z.literal("early"), ratio: z.number(), rounds }),
  /** No round has both. */
  z.object({ ...pairNames, kind: z.literal("absent") }),
]);

const causeSide = z.object({ contender: z.string(), value: z.number() });

/** What explains, as far as it was measured, why the leader is so many times better than another. */
export const causeSchema = z.object({
  /** The measure that tells it; the values are in its unit. */
  kind: z.enum([
    "messages-per-segment",
    "cpu-per-delivery.collector",
    "cpu-per-delivery.system",
    "cpu-per-delivery.user",
    "context-switches.voluntary",
  ]),
  /** How many times better the leader is by the judgement's measure. */
  factor: z.number(),
  best: causeSide,
  other: causeSide,
});

export const judgementSchema = z.object({
  /** A measure of the catalogue (src/measures). */
  measure: z.string(),
  /** As in `--phases`: `burst-echo`; and its place in the plan, from 0. */
  phase: z.string(),
  phaseIndex: z.int().nonnegative(),
  league: z.enum(leagues),
  /** CPUs that each server had: what the conclusion is true for. Null where it was not pinned. */
  serverCpus: z.int().positive().nullable(),
  /** Whether the generator ran on them too, or may have. */
  sharesCpus: z.boolean(),
  outcome: z.enum(outcomes),
  /** Rounds that every compared pair shares at least. */
  rounds: z.int().nonnegative(),
  /** Best first; then those that are not ranked. */
  places: z.array(placeSchema),
  /** Each pair of those that are ranked. */
  pairs: z.array(pairSchema),
  /** Names of those that nobody leads; empty where nobody is ranked. */
  best: z.array(z.string()),
  /** Censored: what stopped them; null where they did all that was asked. */
  limit: limitSchema.nullable(),
  /** At most one for each contender that the best one leads clearly. */
  causes: z.array(causeSchema).default([]),
});

export type Judgement = z.infer<typeof judgementSchema>;
export type Cause = z.infer<typeof causeSchema>;
export type JudgedPair = z.infer<typeof pairSchema>;
export type League = Judgement["league"];
export type Place = z.infer<typeof placeSchema>;
export type Outcome = Judgement["outcome"];
