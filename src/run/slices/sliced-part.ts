import { addCpuUsage } from "../../machine/cpu-usage.ts";
import { roomGroup } from "../../plan/plan.ts";
import type { ServerStats } from "../../process/counters.ts";
import type { BurstPhase, Ending, SteadyPhase } from "../../result/phase.ts";
import type { InvalidReason } from "../../result/reasons.ts";
import { mergeHistograms } from "../../stats/histogram.ts";
import { addUsage, describeGenerator } from "../../trust/generator-usage.ts";
import { describeServer, type OwnFigures } from "../../trust/server-usage.ts";
import { findGeneratorLimit, invalidIfAny } from "../../trust/validity.ts";
import type { SliceView } from "../events.ts";
import type { LiveRound } from "../live-round.ts";
import { describeNeighbours } from "../neighbours.ts";
import { ok, type RoundContext, sumOf } from "../phases/context.ts";
import { describeLoad, describeRate } from "../phases/load-figures.ts";
import { keepWhole, viewLoad } from "../phases/message-phase.ts";
import { deliveriesPerSend, orderSends, orderSteady } from "../phases/orders.ts";
import { describeCollector, growthSince } from "../phases/server-counters.ts";
import { describeTimes, roundMs, type Times } from "../phases/server-watch.ts";
import { describeSlice, type MeasuredSlice, measureSlice, type SlicedLoad } from "./slice.ts";

/** Past this share of slices that are left out, the rest is no longer what the machine does in general. */
const mostInvalidShare = 0.5;

/** What one slice is: its place in the order of all, and how much. */
export interface SliceTurn {
  readonly block: number;
  readonly place: number;
  /** Burst: messages over all connections; null where a rate says how many. */
  readonly sends: number | null;
  readonly progress: SliceView;
}

/** One contender's part of a phase in slices, from its first to the account of all. */
export class SlicedPart {
  readonly live: LiveRound;
  readonly #context: RoundContext;
  readonly #of: SlicedLoad;
  readonly #open: number;
  readonly #startedAt = new Date().toISOString();
  readonly #startUs: number;
  readonly #slices: MeasuredSlice[] = [];
  #countersBefore: ServerStats | null = null;
  #ending: Ending | null = null;
  /** In all of its slices, with the waiting for what never came. */
  spentMs = 0;

  private constructor(live: LiveRound, context: RoundContext, of: SlicedLoad) {
    this.live = live;
    this.#context = context;
    this.#of = of;
    this.#open = context.connections.alive.length;
    this.#startUs = context.clockUs();
  }

  static async open(live: LiveRound, context: RoundContext, of: SlicedLoad): Promise<SlicedPart> {
    const part = new SlicedPart(live, context, of);
    await context.watch.begin();
    part.#countersBefore = (await context.target.counters?.read()) ?? null;
    return part;
  }

  /** Not null: it takes no further slice. */
  get ending(): Ending | null {
    return this.#ending;
  }

  get context(): RoundContext {
    return this.#context;
  }

  /** Slices count in multiples of this many messages: one for each room. */
  get unit(): number {
    return roomGroup(this.#context.plan, this.#of.workload)?.count ?? 1;
  }

  get deliveriesPerSend(): number {
    const { plan, connections } = this.#context;
    return deliveriesPerSend(plan, connections.alive, this.#of.workload);
  }

  /** Whether too many of its slices don't count. */
  get isDoubtful(): boolean {
    return this.#doubts.length > this.#slices.length * mostInvalidShare;
  }

  /** That count. */
  get slices(): number {
    return this.#valid().length;
  }

  /** From first sends to last deliveries, of the slices that count. */
  get workMs(): number {
    return sumOf(this.#valid(), ({ spanMs }) => spanMs);
  }

  /** Deliveries per second of work so far. */
  get ratePerSecond(): number {
    const delivered = sumOf(
      this.#valid().flatMap(({ reports }) => reports),
      (one) => one.delivered,
    );
    return this.workMs === 0 ? 0 : (delivered * 1000) / this.workMs;
  }

  /** @param neighbours the others, who have no load meanwhile */
  async take(turn: SliceTurn, neighbours: readonly LiveRound[]): Promise<MeasuredSlice> {
    const slice = await this.#measure(turn, neighbours);
    this.#slices.push(slice);
    this.spentMs += slice.elapsedMs;
    return slice;
  }

  /** A slice that is not counted, nor what the server counts of it, but for the one it ends with. */
  async probe(sends: number, neighbours: readonly LiveRound[]): Promise<MeasuredSlice> {
    const progress = { number: 0, count: 1 };
    const slice = await this.#measure({ block: 0, place: 0, sends, progress }, neighbours);
    if (this.#ending !== null) this.#slices.push(slice);
    else this.#countersBefore = (await this.#context.target.counters?.read()) ?? null;
    return slice;
  }

  async #measure(turn: SliceTurn, neighbours: readonly LiveRound[]): Promise<MeasuredSlice> {
    const { kind, workload } = this.#of;
    const { plan, connections, clockUs } = this.#context;
    const scene = { plan, alive: connections.alive, phase: connections.nextPhase() };
    const load =
      turn.sends === null
        ? orderSteady(scene, workload, {
            ratePerSecond: plan.steadyRatePerSecond,
            seconds: plan.sliceMs / 1000,
          })
        : orderSends(scene, workload, turn.sends);
    const before = {
      deliveries: sumOf(this.#reports(), (one) => one.delivered),
      errors: sumOf(this.#reports(), (one) => one.errors),
    };
    const slice = await this.live.whileLoaded(() =>
      measureSlice(this.#context, {
        ...this.#of,
        ...turn,
        load,
        neighbours,
        errorsBefore: before.errors,
        view: (state, startUs) => {
          const view = viewLoad(this.#context, load, startUs, state);
          return {
            kind,
            workload,
            ...view,
            elapsedMs: (clockUs() - this.#startUs) / 1000,
            done: before.deliveries + view.done,
            total: before.deliveries + view.total,
            slice: turn.progress,
          };
        },
      }),
    );
    if (slice.ending.status !== "ok") this.#ending = slice.ending;
    return slice;
  }

  /** Ends it before its time. */
  end(ending: Ending): void {
    this.#ending ??= ending;
  }

  async close(): Promise<BurstPhase | SteadyPhase> {
    const { watch, target, plan, handicapShare } = this.#context;
    const { kind, workload } = this.#of;
    await watch.end();
    const counters = target.counters === null ? null : await growthSince(this.#context, this.#countersBefore);
    const valid = this.#valid();
    // Of a phase that is invalid or failed there are figures too, for whoever asks why.
    const used = valid.length > 0 ? valid : this.#slices;
    const timed = used.map(({ reports }) => reports);
    const figures = describeLoad({
      open: this.#open,
      parts: this.#slices.map(({ reports }) => reports),
      timed,
      latency: mergeHistograms(used.map(({ latency }) => latency)),
      timeline: { bucketSeconds: 1, buckets: [] },
      rate: kind === "steady" ? this.#rateOf(used) : null,
      counters,
    });
    const delivered = sumOf(timed.flat(), (one) => one.delivered);
    const own = sumOwnFigures(watch.figures(delivered), used, delivered);
    const spent = this.#slices.map(({ serverTimes }) => serverTimes.cpuMs);
    const server = {
      ...describeServer(own, addCpuUsage(used.map(({ usage }) => usage.server)), handicapShare),
      // The counters have grown in all of them.
      ...describeCollector(counters, spent.includes(null) ? null : sumOf(spent, (ms) => ms ?? 0)),
    };
    const elapsedMs = sumOf(used, (slice) => slice.elapsedMs);
    const generator = describeGenerator(addUsage(timed.flat(), plan.workers), elapsedMs, plan, {
      usage: addCpuUsage(used.map(({ usage }) => usage.workers)),
      serverCpuMs: server.cpuMs,
    });
    const spanMs = sumOf(used, (slice) => slice.spanMs);
    const ending = invalidIfAny(
      this.#ending ?? ok,
      this.isDoubtful ? (this.#doubts[0] ?? null) : null,
      findGeneratorLimit(kind, { plan, generator, server, spanMs, ...figures }),
    );
    const { receiversUs, rate, ...rest } = keepWhole(figures, ending);
    const phase = {
      workload,
      ...ending,
      startedAt: this.#startedAt,
      durationMs: Math.round(sumOf(this.#slices, (slice) => slice.elapsedMs)),
      server,
      generator,
      ...rest,
      ...describeNeighbours(this.#slices.map(({ idling }) => idling)),
      slices: valid.map(describeSlice),
      invalidSlices: this.#doubts.length,
    };
    return kind === "burst" ? { kind, ...phase, receiversUs } : { kind, ...phase, rate };
  }

  #valid(): MeasuredSlice[] {
    return this.#slices.filter(({ doubt, ending }) => doubt === null && ending.status === "ok");
  }

  get #doubts(): InvalidReason[] {
    return this.#slices.flatMap(({ doubt }) => doubt ?? []);
  }

  #reports() {
    return this.#slices.flatMap(({ reports }) => reports);
  }

  /** What is under way at a slice's end may take as long as a rate's p99 may: a slice that took longer fell behind. */
  #rateOf(slices: readonly MeasuredSlice[]) {
    const { sliceMs, p99LimitMs } = this.#context.plan;
    const planned = sumOf(slices, (slice) => slice.plannedDeliveries);
    const sustained = sumOf(slices, ({ spanMs, reports }) => {
      const delivered = sumOf(reports, (one) => one.delivered);
      return spanMs <= sliceMs + p99LimitMs ? delivered : (delivered * sliceMs) / spanMs;
    });
    return describeRate(planned, sustained, (slices.length * sliceMs) / 1000);
  }
}

/** What a server spent is summed over the same slices as its deliveries; what it held is of the whole phase. */
export function sumOwnFigures(
  all: OwnFigures,
  slices: readonly Pick<MeasuredSlice, "serverTimes" | "switches">[],
  delivered: number,
): OwnFigures {
  const spent = (which: keyof Times) => {
    const times = slices.map(({ serverTimes }) => serverTimes[which]);
    return times.includes(null) ? null : roundMs(sumOf(times, (ms) => ms ?? 0));
  };
  const times = { cpuMs: spent("cpuMs"), userMs: spent("userMs"), systemMs: spent("systemMs") };
  const switches = slices.flatMap((slice) => slice.switches ?? []);
  const contextSwitches = {
    voluntary: sumOf(switches, ({ voluntary }) => voluntary),
    involuntary: sumOf(switches, ({ involuntary }) => involuntary),
  };
  return {
    ...all,
    ...describeTimes(times, delivered),
    contextSwitches: switches.length < slices.length ? null : contextSwitches,
  };
}
