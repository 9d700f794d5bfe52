import type { BurstPhase, ConnectPhase, Phase, SteadyPhase } from "../../src/result/phase.ts";
import type { ContenderFacts, Result } from "../../src/result/schema.ts";
import {
  bunNative,
  elixirGenserver,
  fixturePlan,
  fixtureResult,
  fixtureRounds,
  goGorilla,
  nodeWs,
} from "./fixture-result.ts";

const bun: ContenderFacts = { ...bunNative, toolchains: { bun: "1.4.5" } };
const go: ContenderFacts = { ...goGorilla, routing: "scan", framing: "single" };
const tuned: ContenderFacts = { ...go, variant: "tuned", approach: "tuned" };
const node: ContenderFacts = { ...nodeWs, toolchains: {}, library: "ws 8.23.0 on Node 26.10.0" };
const idleMsPerSecond: Readonly<Record<string, number>> = { "elixir-genserver": 31, "node-ws": 0.4 };
const slices = 24;

/** A default run: contenders alive together, bursts and a steady load in slices, and all that is known of them. */
export function slicedCase(): Result {
  const contenders = [bun, elixirGenserver, go, tuned, node];
  const plan = fixturePlan({
    preset: "quick",
    rounds: 3,
    untilPercent: 5,
    connections: 1000,
    messagesPerConnection: 100,
    phases: [
      { kind: "connect" },
      { kind: "burst", workload: "echo" },
      { kind: "burst", workload: "broadcast" },
      { kind: "steady", workload: "echo" },
    ],
  });
  const names = contenders.map(({ name, variant }) => (variant === "default" ? name : `${name}:${variant}`));
  const rounds = fixtureRounds(contenders, plan).map((round) => {
    const self = round.variant === "default" ? round.contender : `${round.contender}:${round.variant}`;
    const each = names
      .filter((name) => name !== self)
      .map((contender) => ({ contender, cpuMsPerSecond: idleMsPerSecond[contender] ?? 0 }));
    const cpuMsPerSecond = each.reduce((sum, one) => sum + one.cpuMsPerSecond, 0);
    const neighbours = { servers: each.length, cpuMsPerSecond, each };
    const alter = (phase: Phase): Phase => {
      if (phase.status === "not-run") return phase;
      if (phase.kind === "connect") return { ...phase, neighbours, memory: memoryOf(self, phase) };
      if (phase.kind !== "burst" && phase.kind !== "steady") return phase;
      return { ...slice(phase, self), neighbours };
    };
    return { ...round, phases: round.phases.map(alter) };
  });
  const looks = { planned: [3, 4], taken: [3], pairs: 30, decided: 27, ended: "time" as const };
  return fixtureResult({ contenders, plan, rounds, looks });
}

/** At 1,000 connections memory is often not resolved. */
function memoryOf(self: string, { memory }: ConnectPhase): ConnectPhase["memory"] {
  if (self === "node-ws") {
    return { ...memory, rss: { kind: "unresolved", reason: "wide", low: 1200, high: 9000 } };
  }
  if (self !== "bun-native") return memory;
  const halves: [number, number] = [12_100, 3900];
  return { ...memory, rss: { kind: "unresolved", reason: "bent", low: 2600, high: 13_000, halves } };
}

/** Everyone puts one message into a segment; in a broadcast go-gorilla puts 31, and is so much quicker, and its variant 64. */
function slice<P extends BurstPhase | SteadyPhase>(phase: P, self: string): P {
  const joins = phase.workload === "broadcast" && self === "go-gorilla";
  const speed = joins ? 12 : 1;
  const perSegment = phase.workload !== "broadcast" ? 1 : joins ? 31 : self === "go-gorilla:tuned" ? 64 : 1;
  const { throughput, messages, server } = phase;
  const deliveriesPerSecond = (throughput?.deliveriesPerSecond ?? 0) * speed;
  const one = {
    place: 0,
    deliveriesPerSecond,
    spanMs: 60,
    cpuUsPerDelivery: (server.cpuUsPerDelivery ?? 0) / speed,
    p50Us: phase.latencyUs.p50,
    p99Us: phase.latencyUs.p99,
    delivered: Math.round(messages.delivered / slices),
    expected: Math.round(messages.expected / slices),
  };
  return {
    ...phase,
    throughput: throughput && { ...throughput, deliveriesPerSecond },
    messages: {
      ...messages,
      planned: phase.workload === "broadcast" ? messages.planned / 1000 : messages.planned,
    },
    server: { ...server, cpuUsPerDelivery: one.cpuUsPerDelivery },
    segments: { connections: 64, segments: Math.round(6400 / perSegment), deliveries: 6400 },
    slices: Array.from({ length: slices }, (_, block) => ({ ...one, block })),
  };
}
