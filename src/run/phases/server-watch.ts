import { readKernelSockets } from "../../machine/kernel-sockets.ts";
import type { Probe, ProbeSample } from "../../process/probe.ts";
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

const noPeaks: Peaks = { rssBytes: null, kernelSocketBytes: null, openDescriptors: null, processes: null };

/** Samples a server's process tree all through a phase; without a process it samples nothing and knows nothing. */
export class ServerWatch {
  #probe: Probe | null;
  readonly #clockUs: () => number;
  #recent: TimedSample[] = [];
  #timer: Timer | null = null;
  #peaks: Peaks = { ...noPeaks };
  #firstCpuMs: number | null = null;
  #lastCpuMs: number | null = null;
  #descriptorLimit: number | null = null;
  /** Of processes watched before this one. */
  #cpuMsBefore = 0;
  /** Where the phase's seconds go; null where they are not wanted. */
  #timeline: { readonly startUs: number; readonly builder: TimelineBuilder } | null = null;

  constructor(probe: Probe | null, clockUs: () => number) {
    this.#probe = probe;
    this.#clockUs = clockUs;
  }

  /** The server was started anew: from now on it is this process. */
  follow(probe: Probe): void {
    this.#cpuMsBefore = this.#lastCpuMs ?? 0;
    this.#probe = probe;
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
    this.#firstCpuMs = null;
    this.#lastCpuMs = null;
    this.#timeline = null;
    await this.take();
    this.#timer = setInterval(() => void this.take(), sampleIntervalMs);
  }

  /** From now on samples go into the phase's seconds, which are counted from `startUs` on. */
  drawInto(builder: TimelineBuilder, startUs: number): void {
    this.#timeline = { builder, startUs };
  }

  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.take();
  }

  /** The last sample taken. */
  latest(): ProbeSample | null {
    return this.#recent.at(-1) ?? null;
  }

  /** Null where there is no process to look at. */
  async take(): Promise<ProbeSample | null> {
    if (this.#probe === null) return null;
    const raw = await this.#probe.sample();
    const cpuMs = raw.cpuMs === null ? null : raw.cpuMs + this.#cpuMsBefore;
    const sample: TimedSample = { ...raw, cpuMs, atUs: this.#clockUs() };
    this.#draw(this.#recent.at(-1), sample);
    this.#recent.push(sample);
    if (this.#recent.length > keptSamples) this.#recent.shift();
    // A server that has exited has no processes and no figures; what it used before counts.
    if (sample.processes !== 0) this.#sumUp(sample);
    return sample;
  }

  /** @param connections open at the phase's end. @param delivered in the phase */
  figures(connections: number, delivered: number, idleRssBytes: number | null): OwnFigures {
    const first = this.#firstCpuMs;
    const last = this.#lastCpuMs;
    const cpuMs = first === null || last === null ? null : Math.round((last - first) * 1000) / 1000;
    const { rssBytes: peakRssBytes, ...peaks } = this.#peaks;
    return {
      cpuMs,
      peakRssBytes,
      rssBytesPerConnection:
        peakRssBytes === null || idleRssBytes === null || connections === 0
          ? null
          : Math.round((peakRssBytes - idleRssBytes) / connections),
      cpuUsPerDelivery:
        cpuMs === null || delivered === 0 ? null : Math.round((cpuMs * 1e5) / delivered) / 100,
      ...peaks,
      descriptorLimit: this.#descriptorLimit,
    };
  }

  #sumUp(sample: TimedSample): void {
    const { tcpMemoryBytes: kernelSocketBytes } = readKernelSockets();
    for (const [name, value] of Object.entries({ ...sample, kernelSocketBytes })) {
      const peak = name as keyof Peaks;
      if (!(name in this.#peaks) || typeof value !== "number") continue;
      this.#peaks[peak] = Math.max(this.#peaks[peak] ?? value, value);
    }
    this.#firstCpuMs ??= sample.cpuMs;
    this.#lastCpuMs = sample.cpuMs ?? this.#lastCpuMs;
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
