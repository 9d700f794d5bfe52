import { basename } from "node:path";
import { findAttackMeasure } from "../../measures/attack-measures.ts";
import { formatMeasure } from "../../measures/measure.ts";
import type { AttackPlan } from "../../plan/attack/plan.ts";
import { loadSeconds } from "../../plan/attack/rate.ts";
import { writeReply } from "../../plan/attack/reply.ts";
import type { AttackReason, AttackResult } from "../../result/attack.ts";
import * as format from "../../text/format.ts";
import type { Sentence } from "../document/block.ts";
import { describeReason } from "../text/reason-text.ts";

/** `ws://127.0.0.1:9001/: 50 connections, 1,000 messages per second for 10 s, replies by echo.` */
export function describeLoad(result: AttackResult): Sentence {
  const { plan } = result;
  const { target, connections, adapter, reply, scenario } = plan;
  const where =
    target.address === target.host
      ? ""
      : ` at ${target.address}${target.addresses.length > 1 ? ` (of ${target.addresses.length} addresses)` : ""}`;
  if (scenario !== null) {
    return {
      lead: `${target.url}${where}:`,
      text: `${format.plural(connections, "user")} of ${basename(scenario)}, ${describeIterations(plan)}.`,
    };
  }
  const how = adapter === null ? describeReplies(reply) : `by the adapter ${adapter.name}`;
  return {
    lead: `${target.url}${where}:`,
    text: `${describeConnections(plan)}, ${describeRate(plan)}, ${how}${describeMachines(result)}.`,
  };
}

function describeConnections({ connections, connectionStages }: AttackPlan): string {
  if (connectionStages === null) return format.plural(connections, "connection");
  return `stages to ${connectionStages.map(({ to }) => format.formatCount(to)).join(", ")} connections`;
}

function describeMachines(result: AttackResult): string {
  const { parts } = result;
  if (parts.length === 0) return "";
  const how = parts[0]?.share === null ? "by each of" : "shared by";
  return `, ${how} ${format.plural(parts.length, nounOfPart(result))}`;
}

/** Several agents may be on one machine. */
export function nounOfPart({ fleet }: AttackResult): "agent" | "machine" {
  return fleet === undefined ? "machine" : "agent";
}

function describeReplies(reply: AttackPlan["reply"]): string {
  switch (reply.kind) {
    case "none":
      return "no replies awaited";
    case "ping":
      return "pings";
    case "order":
      return "replies taken in order";
    case "scenario":
      return "by a scenario";
    default:
      return `replies known by ${writeReply(reply)}`;
  }
}

function describeIterations(plan: AttackPlan): string {
  return plan.load.kind === "open"
    ? describeRate(plan).replaceAll("messages", "iterations")
    : `each beginning again when it was through, for ${format.formatDuration(loadSeconds(plan.load) * 1000)}`;
}

function describeRate({ load }: AttackPlan): string {
  const lasts = `for ${format.formatDuration(loadSeconds(load) * 1000)}`;
  if (load.kind === "closed") return `${format.plural(load.inFlight, "message")} in flight on each ${lasts}`;
  const [first] = load.segments;
  const isFlat = load.segments.length === 1 && first?.fromPerSecond === first?.toPerSecond;
  if (isFlat) return `${format.formatCount(first?.toPerSecond ?? 0)} messages per second ${lasts}`;
  const rates = load.segments.map(({ toPerSecond }) => format.formatCount(toPerSecond));
  return `stages to ${rates.join(", ")} messages per second ${lasts}`;
}

/** Whether the figures count, and by what that is known. */
export function describeVerdict(result: AttackResult): Sentence {
  const { plan, status, reason, sendLagUs, generator, progress, parts } = result;
  if (progress === "running") {
    return { lead: "Unfinished:", text: "it is still running, or was cut off.", style: "warning" };
  }
  switch (status) {
    case "ok":
      return {
        lead: "The figures count:",
        text: `${plan.load.kind === "open" && plan.scenario === null ? `the generator's send lag was ${format.formatLatency(sendLagUs.p99 ?? sendLagUs.max)} at p99, it` : "the generator"} ${describeUse(generator)}.`,
        style: "good",
      };
    case "partial": {
      const there = parts.filter(({ figures }) => figures !== null).length;
      const { of = parts.length } = parts[0]?.share ?? {};
      return {
        lead: "Partial:",
        text: `${describeAttackReason(reason)}. The figures are those of ${format.formatCount(there)} of ${format.plural(of, nounOfPart(result))}.`,
        style: "bad",
      };
    }
    case "invalid":
      return { lead: "The figures do not count:", text: `${describeAttackReason(reason)}.`, style: "bad" };
    case "failed":
      return { lead: "Failed:", text: `${describeAttackReason(reason)}.`, style: "bad" };
    case "aborted":
      return { lead: "Stopped early:", text: `${describeAttackReason(reason)}.`, style: "warning" };
  }
}

/** Why an attack, or a part of it, did not end well, as the end of a sentence. */
export function describeAttackReason(reason: AttackReason | null): string {
  if (reason === null) return "for a reason that is not known";
  switch (reason.kind) {
    case "abort-on": {
      const unit = findAttackMeasure(reason.measure)?.unit ?? "count";
      return `"${reason.expression}" came true after ${format.formatDuration(reason.afterMs)}: ${reason.measure} was ${formatMeasure({ unit }, reason.value)}`;
    }
    case "bus-lost":
      return `${describeReason(reason)}; --resume collects what its agents kept`;
    case "part":
      return `${reason.part}: ${describeAttackReason(reason.reason)}`;
    case "parts-missing": {
      const { missing, of } = reason;
      return `${format.plural(missing.length, "share")} of ${of} missing: ${bound(missing.map((index) => index + 1))}`;
    }
    case "no-iteration-finished":
      return "no iteration of the scenario came to its end";
    default:
      return describeReason(reason);
  }
}

/** Of a hundred that are missing nobody reads all. */
const mostNamed = 8;

function bound(numbers: readonly number[]): string {
  const named = numbers.slice(0, mostNamed).join(", ");
  return numbers.length > mostNamed ? `${named}, …` : named;
}

function describeUse(generator: AttackResult["generator"]): string {
  if (generator === null) return "used an unknown share of its CPU";
  const { cpuShare, eventLoopDelayUs } = generator;
  return `used ${format.formatShare(cpuShare)} of its CPU, and its loop was late by ${format.formatLatency(eventLoopDelayUs.p99 ?? eventLoopDelayUs.max)} at p99`;
}
