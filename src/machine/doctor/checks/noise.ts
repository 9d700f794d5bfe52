import { formatLatency, formatShare } from "../../../text/format.ts";
import type { NoiseReading } from "../facts.ts";
import type { Check, Finding } from "../finding.ts";
import { noRemedy } from "../remedy.ts";

/** More than a timer's interrupt takes, and less than what anybody would call an answer of a server. */
const quietGapUs = 100;
/** A lost hundredth is a hundredth of error in every figure of CPU and throughput. */
const quietLostShare = 0.01;

/** A process that only looks at the clock misses the time that others took from its CPU: host, interrupts, programs. */
export const checkNoise: Check = (machine) => (machine.noise ?? []).map(judge);

function judge({ role, cpu, durationMs, p99GapUs, maxGapUs, lostShare }: NoiseReading): Finding {
  const noisy = lostShare > quietLostShare || p99GapUs > quietGapUs;
  const place = cpu === null ? "any CPU" : `CPU ${cpu}`;
  return {
    ...noRemedy,
    id: role === "any" ? "noise" : `noise-${role}`,
    title: role === "any" ? "Time lost" : `Time lost, ${role}'s CPU`,
    current: `${formatShare(lostShare)}, p99 ${formatLatency(p99GapUs)}, max ${formatLatency(maxGapUs)}`,
    needed: `${formatShare(quietLostShare)}, p99 ${formatLatency(quietGapUs)} at most`,
    verdict: noisy ? "tight" : "ok",
    explanation: `For ${Math.round(durationMs)} ms a process on ${place} did nothing but look at the clock: so much of the time, and at worst so long at once, somebody else had the CPU: another program, an interrupt, or the host of a virtual machine. ${noisy ? "End other programs; on a shared host, choose another one or run at another time. Latencies shorter than these gaps are not the server's." : "That is quiet."}`,
    holds: null,
  };
}
