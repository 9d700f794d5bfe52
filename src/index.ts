/** The library: everything the commands do, without printing or ending the process. */

export type { AttackEvent } from "./attack/events.ts";
export { type AttackHandle, type AttackOptions, startAttack as attack } from "./attack/start-attack.ts";
export { findAddress } from "./attack/target.ts";
export { discoverContenders } from "./contenders/discover.ts";
export { type ResolvedEntrant, resolveEntrants } from "./contenders/entrants.ts";
export { isShowdownError, ShowdownError } from "./errors.ts";
export { judge } from "./judgement/judge.ts";
export { describeEnvironment } from "./machine/environment.ts";
export { type AttackPlan, resolveAttack } from "./plan/attack/plan.ts";
export type { Plan } from "./plan/plan.ts";
export { resolvePlan } from "./plan/resolve.ts";
export type { AttackResult } from "./result/attack.ts";
export type { Judgement, Outcome } from "./result/judgement.ts";
export { readResultFile } from "./result/read.ts";
export type { Result, Round } from "./result/schema.ts";
export type { RunEvent } from "./run/events.ts";
export { type RunHandle, type RunOptions, startRun } from "./run/start-run.ts";
