import { readKernelSockets } from "../../machine/kernel-sockets.ts";
import type { Probe, ProbeSample } from "../../process/probe.ts";
import type { Phase } from "../../result/schema.ts";

const sampleIntervalMs = 250;

interface TimedSample extends ProbeSample {
  readonly kernelSocketBytes: number | null;
  /** Since the run's epoch. */
  readonly atUs: number;
}

/** Figures of one second of a phase. */
export interface ServerSecond {
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** Samples the server's process tree all through a phase. */
export class ServerWatch {
  #probe: Probe;
  readonly #clockUs: () => number;
  #samples: TimedSample[] = [];
  #timer: Timer | null = null;
  /** Of processes watched before this one. */
  #cpuMsBefore = 0;

  constructor(probe: Probe, clockUs: () => number) {
    this.#probe = probe;
    this.#clockUs = clockUs;
  }

  /** The server was started anew: from now on it is this process. */
  follow(probe: Probe): void {
    this.#cpuMsBefore =
      this.#samples.findLast(({ cpuMs, processes }) => cpuMs !== null && processes !== 0)?.cpuMs ?? 0;
    this.#probe = probe;
  }

  /** Resident memory between two moments: the most, and the last; null where there is no sample. */
  memory(fromUs: number, toUs: number): { readonly peak: number; readonly last: number } | null {
    const values = this.#samples
      .filter(({ atUs, processes }) => atUs >= fromUs && atUs <= toUs && processes !== 0)
      .flatMap(({ rssBytes }) => rssBytes ?? []);
    const last = values.at(-1);
    return last === undefined ? null : { peak: Math.max(...values), last };
  }

  async begin(): Promise<void> {
    this.#samples = [];
    await this.take();
    this.#timer = setInterval(() => void this.take(), sampleIntervalMs);
  }

  async end(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.take();
  }

  /** The last sample taken. */
  latest(): ProbeSample | null {
    return this.#samples.at(-1) ?? null;
  }

  async take(): Promise<ProbeSample> {
    const sample = await this.#probe.sample();
    const { tcpMemoryBytes } = readKernelSockets();
    const cpuMs = sample.cpuMs === null ? null : sample.cpuMs + this.#cpuMsBefore;
    this.#samples.push({ ...sample, cpuMs, kernelSocketBytes: tcpMemoryBytes, atUs: this.#clockUs() });
    return sample;
  }

  /** @param connections open at the phase's end. @param delivered in the phase */
  figures(
    connections: number,
    delivered: number,
    idleRssBytes: number | null,
  ): Omit<Phase["server"], "othersCpuShare" | "idleCpuShare"> {
    // A server that has exited has no processes and no figures; what it used before counts.
    const alive = this.#samples.filter(({ processes }) => processes !== 0);
    const peak = (pick: (sample: TimedSample) => number | null): number | null => {
      const values = alive.map(pick).filter((value) => value !== null);
      return values.length === 0 ? null : Math.max(...values);
    };
    const first = alive[0]?.cpuMs ?? null;
    const last = alive.at(-1)?.cpuMs ?? null;
    const cpuMs = first === null || last === null ? null : Math.round((last - first) * 1000) / 1000;
    const peakRssBytes = peak(({ rssBytes }) => rssBytes);
    return {
      cpuMs,
      peakRssBytes,
      rssBytesPerConnection:
        peakRssBytes === null || idleRssBytes === null || connections === 0
          ? null
          : Math.round((peakRssBytes - idleRssBytes) / connections),
      cpuUsPerDelivery:
        cpuMs === null || delivered === 0 ? null : Math.round((cpuMs * 1e5) / delivered) / 100,
      kernelSocketBytes: peak(({ kernelSocketBytes }) => kernelSocketBytes),
      openDescriptors: peak(({ openDescriptors }) => openDescriptors),
      descriptorLimit: alive.at(-1)?.descriptorLimit ?? null,
      processes: peak(({ processes }) => processes),
    };
  }

  /** CPU time and memory per second of the phase; seconds without two samples are absent. */
  seconds(startUs: number): Map<number, ServerSecond> {
    const seconds = new Map<number, ServerSecond>();
    for (const [index, sample] of this.#samples.entries()) {
      const before = this.#samples[index - 1];
      const { cpuMs, rssBytes } = sample;
      if (before === undefined || cpuMs === null || before.cpuMs === null || rssBytes === null) continue;
      const middleUs = (before.atUs + sample.atUs) / 2;
      const second = Math.floor((middleUs - startUs) / 1e6);
      if (second < 0) continue;
      const so = seconds.get(second) ?? { cpuMs: 0, rssBytes: 0 };
      seconds.set(second, {
        cpuMs: so.cpuMs + (cpuMs - before.cpuMs),
        rssBytes: Math.max(so.rssBytes, rssBytes),
      });
    }
    return seconds;
  }
}
