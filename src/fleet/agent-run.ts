import type { AttackEvent } from "../attack/events.ts";
import {
  countMembers,
  type Start as LoadStart,
  type Measured,
  measureShare,
} from "../attack/start-attack.ts";
import type { OpenReport } from "../engine/attack/attack-orders.ts";
import type { OpenLink } from "../engine/worker-link.ts";
import { nowUs } from "../machine/clock.ts";
import { preferAllThreads } from "../machine/priority.ts";
import { EventQueue } from "../run/event-queue.ts";
import { ProgressBoard } from "../run/phases/progress-board.ts";
import { Histogram } from "../stats/histogram.ts";
import { packFinal, toFinal } from "./attack/final-result.ts";
import type { Bus } from "./bus.ts";
import type { KeptResults } from "./kept-results.ts";
import { type MessageOf, type Start, say, subjects } from "./messages.ts";
import { keepParts } from "./parts.ts";
import { WorkerHost } from "./run/worker-host.ts";
import { beatMs, silenceOf, silenceSince } from "./silence.ts";

/** Before the load: so long without a word, and there is no coordinator any more. */
const leaseMs = 6000;
/** Offered again so often until a coordinator has it … */
const offerMs = 2000;
const retryMs = 250;
/** … and so long; then only when one asks. */
const longestOfferMs = 600_000;
/** For a coordinator to take what an agent has that is told to end. */
const leaveMs = 3000;

interface AgentRunOptions {
  readonly bus: Bus;
  readonly kept: KeptResults;
  readonly id: string;
  readonly start: Start;
  /** For whoever watches the agent. */
  readonly tell: (line: string) => void;
  /** How a worker is started and reached; a child process where nothing is said. */
  readonly openLink?: OpenLink;
}

/** One attack, as an agent of it goes through it: between the start and its own end it obeys nobody, but for an end. */
export class AgentRun {
  readonly start: Start;
  /** Its result is acknowledged, or there will be none. */
  readonly left: Promise<void>;
  #state: MessageOf<"beat">["state"] | "hosting" = "claimed";
  readonly #options: AgentRunOptions;
  readonly #abort = new AbortController();
  readonly #begin = Promise.withResolvers<LoadStart | null>();
  readonly #leave: () => void;
  readonly #timer: Timer;
  readonly #ended = { seconds: 0, sent: 0, delivered: 0, latency: new Histogram() };
  #agent: number | null = null;
  #board = new ProgressBoard(1);
  #hasStarted = false;
  #hasLeft = false;
  /** Its workers do, under load. */
  #spins = false;
  #members: readonly number[] | null = null;
  #problem: string | null = null;
  /** Of a run: its workers. */
  #host: WorkerHost | null = null;
  #awayMs = 0;
  #whyEnded: string | null = null;
  #heardMs = performance.now();
  #number = 0;
  #leavesAtMs = Number.POSITIVE_INFINITY;

  constructor(options: AgentRunOptions) {
    this.#options = options;
    this.start = options.start;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.left = promise;
    this.#leave = resolve;
    this.#timer = setInterval(() => this.#tick(), beatMs);
  }

  /** Whether the agent may take part in another attack. */
  get isFree(): boolean {
    return this.#state === "done" || this.#hasLeft;
  }

  /** It had a part in it: it was not let go before. */
  get hasPart(): boolean {
    return this.#agent !== null;
  }

  /** @returns why it can't be done; null where it was */
  async obey(
    message: MessageOf<"claim" | "clock" | "assign" | "start" | "work" | "hold" | "stop" | "acknowledge">,
  ): Promise<string | null> {
    this.#heardMs = performance.now();
    switch (message.kind) {
      case "claim":
      case "clock":
        return null;
      case "assign":
        // Said twice, where the answer was lost.
        if (this.#agent === null) void this.#carryOut(message);
        return this.#agent === message.agent ? null : `it is agent ${this.#agent}`;
      case "start":
        return this.#take(message);
      case "work":
        this.#hostFor(message).obey(message);
        return null;
      case "hold":
        this.#host?.hold(message);
        return null;
      case "stop":
        this.stop();
        return null;
      case "acknowledge":
        if (this.#agent !== null) await this.#options.kept.drop(this.start, this.#agent);
        this.#end();
        return null;
    }
  }

  /** Ends its part; what was measured is offered. */
  stop(): void {
    this.#abort.abort();
    this.#begin.resolve(null);
    if (this.#state === "claimed" || this.#state === "hosting") this.#end();
  }

  /** As `stop`, since the agent ends: what is not taken shortly stays in its file. */
  leave(): void {
    this.#leavesAtMs = performance.now() + leaveMs;
    this.#whyEnded = "it was told to end";
    this.stop();
  }

  #hostFor({ agent, agents, awayMs }: MessageOf<"work">): WorkerHost {
    this.#awayMs = awayMs;
    if (this.#host !== null) return this.#host;
    const { bus, id, tell } = this.#options;
    this.#agent = agent;
    this.#state = "hosting";
    tell(`${this.start.run}: agent ${agent} of ${agents}`);
    this.#host = new WorkerHost({ bus, id, start: this.start, agent });
    return this.#host;
  }

  #take({ startUs, members }: MessageOf<"start">): string | null {
    // Said twice, since the answer was lost.
    if (this.#hasStarted) return null;
    if (this.#state !== "ready") return `it is ${this.#state}`;
    const lateUs = nowUs() - startUs;
    if (lateUs > 0) return `the start came ${Math.ceil(lateUs / 1000)} ms late`;
    this.#hasStarted = true;
    this.#turn("loading");
    this.#begin.resolve({ startUs, members });
    return null;
  }

  async #carryOut({ agent, agents, plan, access, rows, awaitsOthers }: MessageOf<"assign">): Promise<void> {
    const { tell, openLink } = this.#options;
    this.#agent = agent;
    this.#spins = plan.pacing === "spin" && plan.load.kind === "open";
    tell(`${this.start.run}: agent ${agent} of ${agents}, ${plan.target.url}`);
    this.#turn("opening");
    const table: string[][] = [];
    for (const [index, row] of rows) table[index] = row;
    const events = new EventQueue<AttackEvent>();
    void this.#gather(events);
    try {
      const measured = await measureShare(
        plan,
        {
          ...{ access, rows: table, awaitsOthers },
          share: { worker: agent, workers: agents },
          signal: this.#abort.signal,
          begin: (opens) => this.#ready(opens),
          onBoard: (board) => {
            this.#board = board;
          },
          ...(openLink === undefined ? {} : { openLink }),
        },
        events,
      );
      await this.#offer(agent, measured);
    } catch (error) {
      // Told with each beat, for the coordinator to name it.
      this.#problem = error instanceof Error ? error.message : String(error);
      tell(`${this.start.run}: ${this.#problem}`);
      this.#turn("done");
    }
  }

  async #ready(opens: readonly OpenReport[]): Promise<LoadStart | null> {
    this.#members = countMembers(opens);
    this.#turn("ready");
    return await this.#begin.promise;
  }

  async #gather(events: EventQueue<AttackEvent>): Promise<void> {
    for await (const event of events) {
      if (event.kind !== "second") continue;
      this.#ended.seconds = event.second + 1;
      this.#ended.sent += event.sent;
      this.#ended.delivered += event.answered;
      this.#ended.latency.add(event.latency);
    }
  }

  async #offer(agent: number, measured: Measured): Promise<void> {
    const { bus, kept, tell } = this.#options;
    const { start } = this;
    // Its coordinator was gone before there was anything to measure.
    if (this.#hasLeft) return;
    const parts = packFinal(toFinal(measured));
    // First the file: then nothing that the bus or the coordinator does can lose it.
    await kept.keep({ ...start, agent, parts });
    this.#turn("done");
    tell(`${start.run}: done, ${measured.ending.status}`);
    const untilMs = performance.now() + longestOfferMs;
    // Whether it is still there is known to the coordinator alone: a broker may have lost what it acknowledged.
    while (!this.#hasLeft && performance.now() < Math.min(untilMs, this.#leavesAtMs)) {
      const isThere = await offerParts(bus, start, agent, parts);
      await Promise.race([this.left, Bun.sleep(isThere ? offerMs : retryMs)]);
    }
    this.#end();
  }

  #tick(): void {
    this.#beat();
    const isWaiting = this.#state !== "loading" && this.#state !== "done";
    if (!isWaiting || this.#silentMs() < leaseMs) return;
    this.#options.tell(
      `${this.start.run}: nothing was heard of its coordinator for ${leaseMs / 1000} s, left`,
    );
    this.stop();
    // Nothing was loaded, and nobody asks for it.
    this.#end();
  }

  /** Of the coordinator. While the bus is away a run goes on, for as long as its coordinator waits for it. */
  #silentMs(): number {
    const silentMs = silenceSince(this.#heardMs);
    if (this.#host === null || silentMs >= this.#awayMs + leaseMs) return silentMs;
    return silenceOf(this.#options.bus, this.#heardMs);
  }

  #turn(state: MessageOf<"beat">["state"]): void {
    this.#state = state;
    if (this.#spins) preferAllThreads(state === "loading");
    this.#beat();
  }

  #beat(): void {
    const { bus, id } = this.#options;
    const agent = this.#agent;
    const state = this.#state;
    // Workers of a run are told of by their host.
    if (agent === null || state === "hosting") return;
    const { latency, ...ended } = this.#ended;
    const { failing: _, ...connect } = this.#board.connectTotals();
    this.#number += 1;
    bus.say(
      subjects.beat(this.start, agent),
      say(this.start, {
        kind: "beat",
        ...{ agent, id, number: this.#number, clockUs: nowUs(), state },
        ...{ members: this.#members === null ? null : [...this.#members], connect, problem: this.#problem },
        live: this.#hasStarted
          ? { ...this.#board.phaseTotals(), ended: { ...ended, latency: copyOf(latency) } }
          : null,
      }),
    );
  }

  #end(): void {
    if (this.#hasLeft) return;
    this.#hasLeft = true;
    clearInterval(this.#timer);
    if (this.#host === null) this.#leave();
    else void this.#host.end(this.#whyEnded).then(this.#leave);
  }
}

function copyOf(histogram: Histogram) {
  const { buckets, ...rest } = histogram.toSparse();
  return { ...rest, buckets: [...buckets] };
}

/** @returns whether all of it is on the bus now */
export async function offerParts(
  bus: Bus,
  start: Start,
  agent: number,
  parts: readonly string[],
): Promise<boolean> {
  return await keepParts(bus, parts, (part, data) => ({
    subject: subjects.final(start, agent, part),
    message: say(start, { kind: "final", agent, part, parts: parts.length, data }),
  }));
}
