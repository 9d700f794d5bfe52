/** The library: everything the commands do, without printing or ending the process. */

export { type AttackRequest, attack } from "./attack/attack.ts";
export type { AttackEvent } from "./attack/events.ts";
export { mergeResults } from "./attack/merge-results.ts";
export { type Config, type ConfigOptions, defineConfig } from "./cli/config.ts";
export { discoverContenders } from "./contenders/discover.ts";
export { type ResolvedEntrant, resolveEntrants } from "./contenders/entrants.ts";
export type { Adapter, AdapterOptions, Answers, Client, Session } from "./engine/adapters/adapter.ts";
export {
  type ConnectOptions,
  type Expected,
  type ExpectOptions,
  type Message,
  type Room,
  type Scenario,
  scenario,
  type User,
  type UserConnection,
} from "./engine/scenario/scenario.ts";
export { isShowdownError, ShowdownError } from "./errors.ts";
export { judge } from "./judgement/judge.ts";
export { describeEnvironment } from "./machine/environment.ts";
export type { AttackPlan } from "./plan/attack/plan.ts";
export type { Plan } from "./plan/plan.ts";
export { resolvePlan } from "./plan/resolve.ts";
export type { AttackResult } from "./result/attack.ts";
export type { Judgement, Outcome } from "./result/judgement.ts";
export {
  readAttackFile as readAttack,
  readResultFile as readResult,
  type StoredAttack,
  type StoredResult,
} from "./result/read.ts";
export type { Result, Round } from "./result/schema.ts";
export type { RunEvent } from "./run/events.ts";
export { type RunHandle, type RunOptions, startRun } from "./run/start-run.ts";
export { renderHtml } from "./views/render/html.ts";
export { renderMarkdown } from "./views/render/markdown.ts";
