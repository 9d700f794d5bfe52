import { readKernelSockets } from "../../machine/kernel-sockets.ts";
import { countSwitches, type Probe, type ProbeSample, type ThreadSwitches } from "../../process/probe.ts";
import type { OwnFigures } from "../../trust/server-usage.ts";
import type { TimelineBuilder } from "./timeline.ts";

const sampleIntervalMs = 250;
/** Four minutes: all of a fault. Older samples are in the sums. */
const keptSamples = 1000;

interface TimedSample extends ProbeSample {
  /** Since the run's epoch. */
  readonly atUs: number;
}

/** The most that was seen; null before the first sample. */
interface Peaks {
  rssBytes: number | null;
  kernelSocketBytes: number | null;
  openDescriptors: number | null;
  processes: number | null;
}

/** CPU time and its two parts. */
export type Times = Pick<ProbeSample, "cpuMs" | "userMs" | "systemMs">;

const noTimes: Times = { cpuMs: null, userMs: null, systemMs: null };
const noPeaks: Peaks = { rssBytes: null, kernelSocketBytes: null, openDescriptors: null, processes: null };

/** Samples a server's process tree all through a phase; without a process it samples nothing and knows nothing. */
export class ServerWatch {
  #probe: Probe | null;
  readonly #clockUs: () => number;
  #recent: TimedSample[] = [];
  #timer: Timer | null = null;
  #peaks: Peaks = { ...noPeaks };
  #first: Times | null = null;
  #last: Times | null = null;
  /** At the phase's start and end; null where nobody says, or the server was started anew in between. */
  #switchesBefore: ThreadSwitches | null = null;
  #switchesAfter: ThreadSwitches | null = null;
  #descriptorLimit: number | null = null;
  /** Of processes watched before this one. */
  #before: Times = noTimes;
  /** Where the phase's seconds go; null where they are not wanted. */
  #timeline: { readonly startUs: number; readonly builder: TimelineBuilder } | null = null;

  constructor(probe: Probe | null, clockUs: () => number) {
    this.#probe = probe;
    this.#clockUs = clockUs;
  }

  /** The server was started anew: from now on it is this process. */
  follow(probe: Probe): void {
    this.#before = this.#last ?? noTimes;
    this.#probe = probe;
    this.#switchesBefore = null;
  }

  /** Resident memory between two moments of the last minutes: the most, and the last; null where there is no sample. */
  memory(fromUs: number, toUs: number): { readonly peak: number; readonly last: number } | null {
    const values = this.#recent
      .filter(({ atUs, processes }) => atUs >= fromUs && atUs <= toUs && processes !== 0)
      .flatMap(({ rssBytes }) => rssBytes ?? []);
    const last = values.at(-1);
    return last === undefined ? null : { peak: Math.max(...values), last };
  }

  async begin(): Promise<void> {
    this.#recent = [];
    this.#peaks = { ...noPeaks };
    this.#first = null;
    this.#last = null;
    this.#timeline = null;
    await this.take();
    this.#switchesAfter = null;
    this.#switchesBefore = this.switches();
    this.#timer = setInterval(() => void this.take(), sampleIntervalMs);
  }

  /** From now on samples go into the phase's seconds, which are counted from `startUs` on. */
  drawInto(builder: TimelineBuilder, startUs: number): void {
    this.#timeline = { builder, startUs };
  }

  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#switchesAfter = this.switches();
    await this.take();
  }

  /** See `Probe`; of the process that is watched now. */
  followRss(): () => number | null {
    return this.#probe?.followRss() ?? (() => null);
  }

  /** The last sample taken. */
  latest(): ProbeSample | null {
    return this.#recent.at(-1) ?? null;
  }

  /** Null where there is no process to look at. */
  async take(): Promise<ProbeSample | null> {
    if (this.#probe === null) return null;
    const raw = await this.#probe.sample();
    const sample: TimedSample = { ...raw, ...addTimes(raw, this.#before), atUs: this.#clockUs() };
    this.#draw(this.#recent.at(-1), sample);
    this.#recent.push(sample);
    if (this.#recent.length > keptSamples) this.#recent.shift();
    // A server that has exited has no processes and no figures; what it used before counts.
    if (sample.processes !== 0) this.#sumUp(sample);
    return sample;
  }

  /** See `Probe`; of the process that is watched now. */
  switches(): ThreadSwitches | null {
    return this.#probe?.switches() ?? null;
  }

  /** @param delivered in the phase */
  figures(delivered: number): OwnFigures {
    const cpuMs = this.#spent("cpuMs");
    const [userMs, systemMs] = [this.#spent("userMs"), this.#spent("systemMs")];
    const { rssBytes: peakRssBytes, ...peaks } = this.#peaks;
    return {
      ...describeTimes({ cpuMs, userMs, systemMs }, delivered),
      contextSwitches: switchesBetween(this.#switchesBefore, this.#switchesAfter),
      peakRssBytes,
      ...peaks,
      descriptorLimit: this.#descriptorLimit,
    };
  }

  #spent(which: keyof Times): number | null {
    const [first, last] = [this.#first?.[which] ?? null, this.#last?.[which] ?? null];
    return first === null || last === null ? null : roundMs(last - first);
  }

  #sumUp(sample: TimedSample): void {
    const { tcpMemoryBytes: kernelSocketBytes } = readKernelSockets();
    for (const [name, value] of Object.entries({ ...sample, kernelSocketBytes })) {
      const peak = name as keyof Peaks;
      if (!(name in this.#peaks) || typeof value !== "number") continue;
      this.#peaks[peak] = Math.max(this.#peaks[peak] ?? value, value);
    }
    this.#first ??= sample;
    this.#last = sample;
    this.#descriptorLimit = sample.descriptorLimit;
  }

  #draw(before: TimedSample | undefined, { cpuMs, rssBytes, atUs }: TimedSample): void {
    if (this.#timeline === null || before === undefined || cpuMs === null) return;
    if (before.cpuMs === null || rssBytes === null) return;
    const { startUs, builder } = this.#timeline;
    const second = Math.floor(((before.atUs + atUs) / 2 - startUs) / 1e6);
    if (second >= 0) builder.addServer(second, cpuMs - before.cpuMs, rssBytes);
  }
}

function addTimes(sample: Times, before: Times): Times {
  const add = (which: keyof Times) => (sample[which] === null ? null : sample[which] + (before[which] ?? 0));
  return { cpuMs: add("cpuMs"), userMs: add("userMs"), systemMs: add("systemMs") };
}

/** What was spent between two samples of a server; null where either does not know. */
export function timesBetween(before: Times | null, after: Times | null): Times {
  const grown = (which: keyof Times) => {
    const [first, last] = [before?.[which] ?? null, after?.[which] ?? null];
    return first === null || last === null ? null : Math.max(0, last - first);
  };
  return { cpuMs: grown("cpuMs"), userMs: grown("userMs"), systemMs: grown("systemMs") };
}

/** As `countSwitches`; null where either is unknown. */
export function switchesBetween(
  before: ThreadSwitches | null,
  after: ThreadSwitches | null,
): OwnFigures["contextSwitches"] {
  return before === null || after === null ? null : countSwitches(before, after);
}

/**
 * The parts come in steps of 10 ms, the whole is exact: the parts are those shares of it. Null where not even a step was
 * seen.
 *
 * @param delivered in the same time
 */
export function describeTimes(
  { cpuMs, userMs, systemMs }: Times,
  delivered: number,
): Pick<OwnFigures, "cpuMs" | "cpuUserMs" | "cpuSystemMs" | "cpuUsPerDelivery"> {
  const cpuUsPerDelivery =
    cpuMs === null || delivered === 0 ? null : Math.round((cpuMs * 1e5) / delivered) / 100;
  if (cpuMs === null || userMs === null || systemMs === null || userMs + systemMs <= 0) {
    return { cpuMs, cpuUserMs: null, cpuSystemMs: null, cpuUsPerDelivery };
  }
  const cpuUserMs = roundMs((cpuMs * userMs) / (userMs + systemMs));
  return { cpuMs, cpuUserMs, cpuSystemMs: roundMs(cpuMs - cpuUserMs), cpuUsPerDelivery };
}

/** To whole microseconds. */
export function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
