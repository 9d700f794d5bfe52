import { createRandom } from "../../plan/random.ts";
import { sliceOrder } from "../../plan/slice-order.ts";
import type { LiveRound } from "../live-round.ts";
import { stopped } from "../phases/context.ts";
import { settle } from "../phases/settling.ts";
import { longestSliceMs, type SlicedLoad } from "./slice.ts";
import { findSliceWork } from "./slice-work.ts";
import { SlicedPart } from "./sliced-part.ts";

/**
 * A contender that has used more than so many slices' time for each block up to the next one sits that out, and more
 * than so many times what the quickest has: one that is slow has fewer slices, of the same work, and nobody waits for it
 * longer. Where the machine is slow, all have as many.
 */
const patience = 1.5;
/** Where slices are left out, or turn out shorter than the probe said, there are more of them, up to so many times. */
const mostExtension = 3;
/** A few slices that don't count, or end a little early, are no reason to go on. */
const leastShare = 0.85;
/** As many as a result keeps of one phase. */
const mostBlocks = 1000;

/** Messages of a slice by the phase's place in the plan: found once in a run, and the same for everyone in all rounds. */
export type SliceWork = Map<number, number>;

/** One phase in slices, between which those who are alive take turns in a balanced random order. */
export async function runSlicedPhase(
  lives: readonly LiveRound[],
  index: number,
  of: SlicedLoad,
  work: SliceWork,
): Promise<void> {
  const parts: SlicedPart[] = [];
  for (const live of lives) {
    const context = await live.begin(index);
    if (context !== null) parts.push(await SlicedPart.open(live, context, of));
  }
  const phase = new SlicedPhase(parts, lives, index);
  try {
    if (of.kind === "steady") await phase.run(null);
    else await phase.run(await phase.findWork(work));
  } finally {
    for (const part of parts) await phase.finish(part);
  }
}

class SlicedPhase {
  readonly #parts: readonly SlicedPart[];
  /** Also those that have no part in it. */
  readonly #lives: readonly LiveRound[];
  readonly #index: number;
  readonly #finished = new Set<SlicedPart>();

  constructor(parts: readonly SlicedPart[], lives: readonly LiveRound[], index: number) {
    this.#parts = parts;
    this.#lives = lives;
    this.#index = index;
  }

  /** Messages of a slice; null where nobody delivered any. */
  async findWork(work: SliceWork): Promise<number | null> {
    const known = work.get(this.#index);
    if (known !== undefined) return known;
    const found = await findSliceWork(
      this.#parts,
      (part) => this.#othersOf(part),
      (part) => this.dismiss(part),
    );
    if (found !== null) work.set(this.#index, found);
    return found;
  }

  /** @param sends of a slice; null where a rate says how many */
  async run(sends: number | null): Promise<void> {
    const parts = this.#parts;
    const [first] = parts;
    if (first === undefined) return;
    const { plan, signal } = first.context;
    const blocks = this.#countBlocks(sends);
    const most = Math.min(mostBlocks, blocks * mostExtension);
    const random = createRandom(plan.seed + 1000 * first.live.options.round + this.#index);
    let number = 0;
    for (const [block, order] of sliceOrder(parts.length, most, random).entries()) {
      if (block >= blocks && this.#isEnough(blocks)) return;
      for (const [place, at] of order.entries()) {
        number += 1;
        const part = parts[at] as SlicedPart;
        if (part.ending !== null || this.#isSatOut(part, block)) continue;
        if (signal.aborted) {
          for (const one of parts) one.end(stopped);
          return;
        }
        const progress = { number, count: blocks * parts.length };
        await part.take({ block, place, sends, progress }, this.#othersOf(part));
        if (part.ending !== null) await this.dismiss(part);
      }
      if (parts.every(({ ending }) => ending !== null)) return;
    }
  }

  /** What it left behind must not be in its neighbours' slices: a server that does not come to rest is ended. */
  async dismiss(part: SlicedPart): Promise<void> {
    const { ending, live, context } = part;
    const longestMs = longestSliceMs(context.plan);
    const isAtRest = ending?.status === "aborted" && (await settle(context, true, longestMs)) === null;
    await this.finish(part);
    if (!isAtRest) await live.close();
  }

  /** Tells what came of it, once. */
  async finish(part: SlicedPart): Promise<void> {
    if (this.#finished.has(part)) return;
    this.#finished.add(part);
    await part.live.finish(this.#index, await part.close());
  }

  #othersOf({ live }: SlicedPart): LiveRound[] {
    return this.#lives.filter((other) => other !== live);
  }

  #isSatOut({ spentMs, context }: SlicedPart, block: number): boolean {
    const running = this.#parts.filter(({ ending }) => ending === null);
    const leastMs = Math.min(...running.map((part) => part.spentMs));
    return spentMs > patience * Math.max(leastMs, context.plan.sliceMs * (block + 1));
  }

  /** For as long as the plan asks by the probe, and for as many messages. */
  #countBlocks(sends: number | null): number {
    const byMessages = this.#parts.map((part) => {
      const { plan, connections } = part.context;
      const deliveries = plan.messagesPerConnection * connections.alive.length;
      return sends === null ? 0 : deliveries / (sends * part.deliveriesPerSend);
    });
    const { slicedSeconds = 0, sliceMs = 1 } = this.#parts[0]?.context.plan ?? {};
    return Math.min(mostBlocks, Math.ceil(Math.max((slicedSeconds * 1000) / sliceMs, ...byMessages)));
  }

  /** Whether the fastest has worked for as long as the plan asks, in slices that count, which is enough for everyone. */
  #isEnough(blocks: number): boolean {
    const [fastest] = this.#parts
      .filter(({ ending }) => ending === null)
      .toSorted((a, b) => b.ratePerSecond - a.ratePerSecond);
    if (fastest === undefined) return true;
    // Past hope, and more slices would say nothing either.
    if (fastest.isDoubtful) return true;
    const { slicedSeconds } = fastest.context.plan;
    return fastest.slices >= blocks * leastShare && fastest.workMs >= slicedSeconds * 1000 * leastShare;
  }
}
