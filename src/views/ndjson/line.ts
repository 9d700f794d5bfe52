import { z } from "zod";
import { attackReasonSchema, attackResultSchema } from "../../result/attack.ts";
import { judgementSchema } from "../../result/judgement.ts";
import { faultSchema, notRunSchema, reasonSchema, warningSchema } from "../../result/reasons.ts";
import { scenarioSchema } from "../../result/scenario.ts";

/** The version of the lines; raised when a reader of the old ones would misread the new ones. */
export const lineVersion = 1;

const count = z.int().nonnegative();
const us = z.number().nonnegative().nullable();
const at = z.iso.datetime().describe("when the line was written");
const ofRound = {
  at,
  contender: z.string(),
  variant: z.string(),
  round: z.int().positive(),
};

/** Latencies in microseconds; null where too few came to support one. */
const latencyUs = z.object({ p50: us, p90: us, p99: us, p999: us, max: us });

/** One line of `--ndjson` while a run goes on. */
export const runLineSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("run"),
    at,
    schema: z.literal(lineVersion),
    id: z.string(),
    contenders: z.array(z.string()),
    phases: z.array(z.string()),
  }),
  z.object({
    kind: z.literal("not-run"),
    at,
    contender: z.string(),
    variant: z.string(),
    reason: notRunSchema,
  }),
  z.object({ kind: z.literal("round-started"), ...ofRound }),
  /** Of the phase that runs: its first, and then one a second and contender. */
  z.object({
    kind: z.literal("progress"),
    ...ofRound,
    phase: z.string(),
    elapsedMs: z.number().nonnegative(),
    done: count.describe("connections opened, or deliveries"),
    total: count,
    ratePerSecond: z
      .number()
      .nonnegative()
      .nullable()
      .describe("of the last whole second; null before there is one, as in short slices"),
    p50Us: us,
    p99Us: us,
    errors: count,
    stepRatePerSecond: z.number().optional().describe("capacity: the rate that is tried"),
    fault: z
      .object({ name: faultSchema, window: z.enum(["before", "under", "after"]) })
      .optional()
      .describe("chaos: the fault under way"),
  }),
  z.object({
    kind: z.literal("phase-ended"),
    ...ofRound,
    phase: z.string(),
    status: z.enum(["ok", "aborted", "failed", "invalid", "not-run"]),
    reason: reasonSchema.nullable(),
    measures: z
      .record(z.string(), z.number().nullable())
      .describe("by the names of the CSV's columns, each with its unit; null where there is none"),
  }),
  z.object({
    kind: z.literal("round-ended"),
    ...ofRound,
    status: z.enum(["ok", "aborted", "failed"]),
    reason: reasonSchema.nullable(),
  }),
  z.object({ kind: z.literal("warning"), at, warning: warningSchema }),
  z.object({ kind: z.literal("judgement"), at, ...judgementSchema.shape }),
  z.object({ kind: z.literal("run-ended"), at, id: z.string(), status: z.enum(["finished", "aborted"]) }),
]);
export type RunLine = z.input<typeof runLineSchema>;

const { status, connections, connectionStages, messages, rate } = attackResultSchema.shape;
const { iterations } = scenarioSchema.shape;
const checks = z.record(z.string(), z.object({ passed: count, failed: count })).describe("by name");
const measures = z.record(z.string(), latencyUs.extend({ count })).describe("by name, in microseconds");

/** One line of `--ndjson` while an attack goes on. */
export const attackLineSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("attack"),
    at,
    schema: z.literal(lineVersion),
    id: z.string(),
    url: z.string(),
    seconds: z.number().positive().describe("how long the load is to last"),
  }),
  /** While connections are opened, one a second, and one at the end of that. */
  z.object({
    kind: z.literal("connections"),
    at,
    requested: count,
    opened: count,
    failed: count,
  }),
  /** One for each second of the load, in order, without a gap. All of them add up to the account of the end. */
  z.object({
    kind: z.literal("second"),
    at,
    second: count.describe("from 0, since the load's start"),
    sent: count,
    answered: count,
    errors: count,
    open: count.describe("connections, as the line is told"),
    unanswered: count.describe("replies owed for what was sent so far, as the line is told"),
    latencyUs,
    scenario: z
      .object({ iterations, checks, measures })
      .optional()
      .describe("what its users did since the second before"),
  }),
  z.object({ kind: z.literal("warning"), at, warning: warningSchema }),
  z.object({
    kind: z.literal("attack-ended"),
    at,
    id: z.string(),
    status,
    reason: attackReasonSchema.nullable(),
    connections: connections.pick({
      requested: true,
      opened: true,
      failed: true,
      died: true,
      released: true,
    }),
    connectionStages: connectionStages.describe("null where all connections were opened before the load"),
    messages,
    rate,
    latencyUs,
    scenario: z
      .object({ iterations, checks, measures })
      .optional()
      .describe("of the whole load; absent where messages were sent without one"),
  }),
]);
export type AttackLine = z.input<typeof attackLineSchema>;
