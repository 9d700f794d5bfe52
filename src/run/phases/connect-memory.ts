import { readKernelMemory } from "../../machine/kernel-sockets.ts";
import type { ConnectMemory, MemorySlope } from "../../result/phase.ts";
import { type MemoryPoint, slopeInterval } from "../../stats/slope.ts";
import type { RoundContext } from "./context.ts";

/** As many as a slope takes in some ten milliseconds, however many connections there are. */
const mostPoints = 200;
/** As many the warm-up had open: what it gave back is used again, so that the first ones cost next to nothing. */
export const warmedUpConnections = 100;
/**
 * What one start of a server differs from the next by when the same connections have opened: half of an arena, and the
 * kernel's count of resident pages, which it keeps per CPU. For the kernel the slabs that others left half empty.
 */
const grainBytes = { rss: 512 * 1024, kernel: 1024 * 1024 } as const;

/** Reads the server's memory and the kernel's while connections open, to tell what each of them adds. */
export class ConnectMemoryWatch {
  readonly #board: RoundContext["board"];
  readonly #readRss: () => number | null;
  readonly #baselineRssBytes: number | null;
  readonly #step: number;
  #next = 0;
  readonly #rss: MemoryPoint[] = [];
  readonly #kernel: MemoryPoint[] = [];

  /** Begins at once: the phase's first sample of the server has been taken, and no connection is open. */
  constructor({
    board,
    watch,
    plan,
  }: Pick<RoundContext, "board" | "plan"> & {
    readonly watch: Pick<RoundContext["watch"], "followRss" | "latest">;
  }) {
    this.#board = board;
    this.#readRss = watch.followRss();
    this.#baselineRssBytes = watch.latest()?.rssBytes ?? null;
    this.#step = plan.connections / mostPoints;
    this.#next = warmedUpConnections;
    board.onConnect = () => this.#look();
  }

  /** Ends it. */
  describe(): ConnectMemory {
    this.#board.onConnect = () => {};
    return {
      baselineRssBytes: this.#baselineRssBytes,
      rss: describeSlope(this.#rss, grainBytes.rss),
      kernel: describeSlope(this.#kernel, grainBytes.kernel),
    };
  }

  #look(): void {
    const { opened: connections } = this.#board.connectTotals();
    if (connections < this.#next) return;
    this.#next = connections + this.#step;
    const [rss, kernel] = [this.#readRss(), readKernelMemory()];
    if (rss !== null) this.#rss.push({ connections, bytes: rss });
    if (kernel !== null) this.#kernel.push({ connections, bytes: kernel });
  }
}

function describeSlope(points: readonly MemoryPoint[], grain: number): MemorySlope {
  const slope =
    points.length === 0 ? ({ kind: "unresolved", reason: "unknown" } as const) : slopeInterval(points, grain);
  const limit = (value: number) => (Number.isFinite(value) ? Math.round(value) : null);
  const [low, high] = "low" in slope ? [limit(slope.low), limit(slope.high)] : [null, null];
  if (slope.kind === "unresolved" || low === null || high === null) {
    const reason = slope.kind === "unresolved" ? slope.reason : "wide";
    const halves = "halves" in slope ? { halves: slope.halves.map(Math.round) as [number, number] } : {};
    return { kind: "unresolved", reason, low, high, ...halves };
  }
  return { kind: "resolved", bytesPerConnection: Math.round(slope.slope), low, high };
}
