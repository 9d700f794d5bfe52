import { type ChaosSeconds, type Fault, faultNames } from "./faults.ts";
import type { PhasePlan } from "./plan.ts";

/** The parameters a preset sets, and an option can set otherwise. */
export interface Parameters {
  readonly phases: readonly PhasePlan[];
  readonly rounds: number;
  readonly connections: number;
  readonly connectBatch: number;
  readonly messagesPerConnection: number;
  readonly messageBatch: number;
  readonly messageBytes: number;
  readonly enduranceSeconds: number;
  readonly enduranceRatePerSecond: number;
  readonly capacityStepSeconds: number;
  readonly capacityStartRatePerSecond: number;
  readonly p99LimitMs: number;
  readonly faults: readonly Fault[];
  readonly chaosSeconds: ChaosSeconds;
  readonly roomSize: number;
  readonly sendersPerRoom: number;
  readonly errorThreshold: number;
  readonly warmupSeconds: number;
  readonly quietMs: number;
}

const articlePhases: readonly PhasePlan[] = [
  { kind: "connect" },
  { kind: "burst", workload: "echo" },
  { kind: "burst", workload: "broadcast" },
  { kind: "endurance", workload: "echo" },
];

/**
 * The parameters of "The Ultimate WebSocket Battle: Elixir vs Go Performance Showdown" (onemoredev.io, 2025).
 * Its endurance pace is not stated; 15,000 messages/s is what its better side sustained.
 */
const article: Parameters = {
  phases: articlePhases,
  rounds: 1,
  connections: 25_000,
  connectBatch: 100,
  messagesPerConnection: 15,
  messageBatch: 1000,
  // "Standard JSON, not inflated": the contract's keys, and a few words of text.
  messageBytes: 120,
  enduranceSeconds: 60,
  enduranceRatePerSecond: 15_000,
  // Not of the article, whose phases have neither capacity nor chaos.
  capacityStepSeconds: 5,
  capacityStartRatePerSecond: 2000,
  p99LimitMs: 100,
  faults: faultNames,
  chaosSeconds: { before: 3, strike: 10, after: 5 },
  roomSize: 50,
  sendersPerRoom: 15,
  errorThreshold: 5000,
  warmupSeconds: 2,
  quietMs: 5000,
};

export const presets = {
  article,
  /** About a minute for four contenders. */
  quick: {
    ...article,
    connections: 1000,
    // 15 to a thousand connections are over in a tenth of a second, too short to tell 10 % apart.
    messagesPerConnection: 100,
    enduranceSeconds: 6,
    enduranceRatePerSecond: 10_000,
    errorThreshold: 500,
    warmupSeconds: 1,
    quietMs: 3000,
  },
  /** Seconds: whether everything works, not how fast. */
  smoke: {
    ...article,
    connections: 50,
    connectBatch: 10,
    messagesPerConnection: 10,
    messageBatch: 100,
    enduranceSeconds: 1,
    enduranceRatePerSecond: 1000,
    capacityStepSeconds: 1,
    capacityStartRatePerSecond: 1000,
    chaosSeconds: { before: 1, strike: 1, after: 1 },
    errorThreshold: 50,
    warmupSeconds: 0,
    quietMs: 2000,
  },
  /** Enough rounds for intervals, and every phase there is. */
  full: {
    ...article,
    phases: [
      ...articlePhases,
      { kind: "burst", workload: "rooms" },
      { kind: "endurance", workload: "rooms" },
      { kind: "capacity", workload: "echo" },
      { kind: "capacity", workload: "rooms" },
      { kind: "chaos", workload: "rooms" },
    ],
    rounds: 5,
    connections: 10_000,
    enduranceSeconds: 30,
    warmupSeconds: 2,
  },
} as const satisfies Record<string, Parameters>;

export type Preset = keyof typeof presets;
