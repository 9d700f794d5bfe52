import { openProcessLink, type ProcessLink } from "../../engine/process-link.ts";
import type { Command, Report, SecondReport } from "../../engine/worker-protocol.ts";
import { nowUs } from "../../machine/clock.ts";
import { type CpuUsage, watchCpuUsage } from "../../machine/cpu-usage.ts";
import { readTopology } from "../../machine/cpus.ts";
import { pinProcess } from "../../machine/pin.ts";
import { preferAllThreads } from "../../machine/priority.ts";
import type { Bus } from "../bus.ts";
import { type MessageOf, type Start, say, subjects } from "../messages.ts";
import { keepParts } from "../parts.ts";
import {
  type Bundle,
  keyOf,
  type Live,
  type Order,
  packWork,
  type Said,
  unpackWork,
  type WorkerId,
} from "./work.ts";

/** Often enough that nobody is taken for silent. */
export const pulseMs = 400;
/** Offered again so often until they are acknowledged. */
const offerMs = 1000;

interface WorkerHostOptions {
  readonly bus: Bus;
  /** Of the agent's process. */
  readonly id: string;
  readonly start: Start;
  readonly agent: number;
}

/** A worker of this machine, as its coordinator is to see it. */
interface Hosted extends WorkerId {
  readonly link: ProcessLink;
  /** The run's epoch on this machine's clock. */
  epochUs: number;
  connect: Live["connect"];
  phase: Live["phase"];
  /** Those that are not acknowledged, and the number of the first of them. */
  seconds: SecondReport[];
  from: number;
}

/**
 * An agent's workers of a run: hands them what they are told, and tells of them. What counts is kept, and said until it
 * is acknowledged, so that neither the bus nor its server can lose it. In no file: a run ends with its coordinator, whose
 * servers end with it.
 */
export class WorkerHost {
  readonly #options: WorkerHostOptions;
  readonly #hosted = new Map<string, Hosted>();
  readonly #timer: Timer;
  /** By number; those that are acknowledged are gone. */
  readonly #kept = new Map<number, readonly string[]>();
  #bundles = 0;
  #pulses = 0;
  #done = -1;
  #waiting: Said[] = [];
  #usage: Bundle["usage"] = null;
  #endUsage: (() => CpuUsage | null) | null = null;
  #ownBefore: NodeJS.CpuUsage | null = null;
  #startTimer: Timer | undefined;
  #problem: string | null = null;
  #isOffering = false;
  /** Its workers do, under a steady load. */
  #spins = false;
  /** Of this process; null where it still has them. */
  #cpusBefore: readonly number[] | null = null;

  constructor(options: WorkerHostOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#pulse(), pulseMs);
    // It is waited for from now on.
    this.#pulse();
  }

  /** Once, however often it is said. */
  obey({ number, data }: MessageOf<"work">): void {
    if (number <= this.#done) return;
    this.#done = number;
    for (const order of unpackWork<readonly Order[]>([data])) this.#obey(order);
  }

  /** The run goes on: what it has need not be kept. */
  hold({ bundles, seconds }: MessageOf<"hold">): void {
    for (const number of this.#kept.keys()) if (number < bundles) this.#kept.delete(number);
    for (const { pool, worker, taken } of seconds) {
      const hosted = this.#hosted.get(keyOf({ pool, worker }));
      if (hosted === undefined || taken <= hosted.from) continue;
      hosted.seconds = hosted.seconds.slice(taken - hosted.from);
      hosted.from = taken;
    }
  }

  /** Ends all workers. @param problem told to the coordinator, where that is not its own wish */
  async end(problem: string | null): Promise<void> {
    clearInterval(this.#timer);
    clearTimeout(this.#startTimer);
    if (problem !== null) {
      this.#problem = problem;
      this.#pulse();
    }
    if (this.#spins) preferAllThreads(false);
    await Promise.all([...this.#hosted.values()].map(({ link }) => link.end()));
    if (this.#cpusBefore !== null) pinProcess(this.#cpusBefore);
  }

  #obey({ pool, worker, order }: Order): void {
    if (order.kind === "open-link") {
      this.#open({ pool, worker });
      return;
    }
    const hosted = this.#hosted.get(keyOf({ pool, worker }));
    // It ended by itself, which is told.
    if (hosted === undefined) return;
    if (order.kind === "end-link") void hosted.link.end();
    else this.#tell(hosted, order);
  }

  #tell(hosted: Hosted, command: Command): void {
    if (command.kind === "setup") {
      hosted.epochUs = command.setup.epochUs;
      hosted.connect = null;
      this.#spins = command.setup.pacing === "spin";
      this.#keepTo(command.setup.cpus);
    }
    if (command.kind === "prepare") {
      hosted.phase = null;
      if (this.#spins) preferAllThreads(command.order.pattern.kind === "steady");
    }
    if (command.kind === "start") this.#watch(hosted.epochUs + command.startUs);
    if (command.kind === "settle") this.#endWatch();
    hosted.link.send(command);
  }

  /** Where its workers are told which CPUs to use, others are the server's: what this process does for them is theirs, too. */
  #keepTo(cpus: readonly number[] | null): void {
    if (cpus === null || this.#cpusBefore !== null) return;
    const { cpus: all } = readTopology();
    if (pinProcess(cpus) === null) this.#cpusBefore = all.map(({ id }) => id);
  }

  #open(id: WorkerId): void {
    const key = keyOf(id);
    const link = openProcessLink(id.worker, {
      onReport: (report) => this.#onReport(key, report),
      onExit: (exit) => {
        this.#hosted.delete(key);
        this.#tellAbout({ ...id, said: { kind: "exit", exit }, from: 0 });
      },
    });
    this.#hosted.set(key, { ...id, link, epochUs: 0, connect: null, phase: null, seconds: [], from: 0 });
  }

  #onReport(key: string, report: Report): void {
    const hosted = this.#hosted.get(key);
    if (hosted === undefined) return;
    const { pool, worker } = hosted;
    if (report.kind === "connecting") {
      hosted.connect = report.progress;
    } else if (report.kind === "progress") {
      const { seconds, ...phase } = report.progress;
      const isNews = phase.finishedSending && hosted.phase?.finishedSending !== true;
      hosted.phase = phase;
      hosted.seconds.push(...seconds);
      if (isNews) this.#pulse();
    } else if (report.kind === "settled") {
      hosted.seconds.push(...report.report.seconds);
      const { from } = hosted;
      hosted.phase = null;
      const settled = { ...report, report: { ...report.report, seconds: [...hosted.seconds] } };
      this.#tellAbout({ pool, worker, said: settled, from });
    } else {
      this.#tellAbout({ pool, worker, said: report, from: 0 });
    }
  }

  /** All workers answer within moments: one bundle has what comes at once. */
  #tellAbout(said: Said): void {
    this.#waiting.push(said);
    if (this.#waiting.length > 1) return;
    queueMicrotask(() => {
      const bundle: Bundle = { reports: this.#waiting, usage: this.#usage };
      this.#waiting = [];
      this.#kept.set(this.#bundles, packWork(bundle));
      this.#bundles += 1;
      this.#offer().catch((error: Error) => {
        this.#problem = error.message;
      });
    });
  }

  /** Whether it is there is known to the coordinator alone: a server may have lost what it acknowledged. */
  async #offer(): Promise<void> {
    if (this.#isOffering) return;
    this.#isOffering = true;
    const { bus, start, agent } = this.#options;
    const offered = new Set<number>();
    let againMs = performance.now() + offerMs;
    while (this.#kept.size > 0 && this.#problem === null) {
      if (performance.now() >= againMs) {
        offered.clear();
        againMs = performance.now() + offerMs;
      }
      const next = [...this.#kept].find(([number]) => !offered.has(number));
      if (next === undefined) {
        await Bun.sleep(5);
        continue;
      }
      const [number, parts] = next;
      const of = parts.length;
      const isThere = await keepParts(bus, parts, (part, data) => ({
        subject: subjects.bundle(start, agent, number, part),
        message: say(start, { kind: "bundle", agent, number, part, parts: of, data }),
      }));
      if (!isThere) {
        await Bun.sleep(50);
        continue;
      }
      offered.add(number);
      this.#pulse();
    }
    this.#isOffering = false;
  }

  #pulse(): void {
    const { bus, start, agent, id } = this.#options;
    const live = [...this.#hosted.values()].map(({ link: _, epochUs: __, ...one }): Live => one);
    const [whole, ...rest] = packWork(live);
    // Of many workers the seconds may be too much for one message: they come with the end of the load.
    const data = rest.length === 0 ? whole : packWork(live.map((one) => ({ ...one, seconds: [] })))[0];
    const bundles = this.#bundles;
    this.#pulses += 1;
    bus.say(
      subjects.beat(start, agent),
      say(start, {
        ...{ kind: "pulse", agent, id, number: this.#pulses, bundles, data },
        problem: this.#problem,
      }),
    );
  }

  /** From the start of a load, which is yet to come. */
  #watch(startUs: number): void {
    if (this.#startTimer !== undefined) return;
    this.#usage = null;
    this.#startTimer = setTimeout(
      () => {
        this.#endUsage = watchCpuUsage(null);
        this.#ownBefore = process.cpuUsage();
      },
      Math.max(0, (startUs - nowUs()) / 1000),
    );
  }

  #endWatch(): void {
    clearTimeout(this.#startTimer);
    this.#startTimer = undefined;
    if (this.#endUsage === null || this.#ownBefore === null) return;
    const usage = this.#endUsage();
    const { user, system } = process.cpuUsage(this.#ownBefore);
    this.#usage = usage === null ? null : { ...usage, ownMs: (user + system) / 1000 };
    this.#endUsage = null;
    this.#ownBefore = null;
  }
}
