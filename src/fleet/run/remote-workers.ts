import type { LinkListener, OpenLink, WorkerLink } from "../../engine/worker-link.ts";
import type { Command, PhaseProgress, Report, SecondReport } from "../../engine/worker-protocol.ts";
import { nowUs } from "../../machine/clock.ts";
import { readPlace } from "../../machine/place.ts";
import type { InvalidReason } from "../../result/reasons.ts";
import type { Bus } from "../bus.ts";
import type { Member } from "../gather.ts";
import { type MessageOf, type Start, say, subjects } from "../messages.ts";
import { findParts } from "../parts.ts";
import { beatMs, lostMs, silenceOf } from "../silence.ts";
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

const askMs = 1000;
/** For a worker's process to end. */
const endMs = 5000;
/** A start so far ahead has to be kept by everybody. */
const commonLeadUs = 500_000;

interface RemoteOptions {
  readonly bus: Bus;
  readonly start: Start;
  readonly members: readonly Member[];
  /** How long a bus that went away is waited for. */
  readonly awayMs: number;
}

/** One worker of one pool, seen from here. */
interface Linked {
  readonly listener: LinkListener;
  readonly ended: PromiseWithResolvers<void>;
  /** Seconds of it that were taken. */
  taken: number;
  /** What goes on in it may be told: a load under way, or connections that open. */
  isTelling: "connecting" | "progress" | null;
}

/**
 * The workers of a run on the machines of its agents: each is reached as one of this machine is. Worker w is of agent w
 * modulo their count.
 */
export class RemoteWorkers {
  readonly agents: readonly RemoteAgent[];
  readonly #timer: Timer;
  #pools = 0;

  constructor(options: RemoteOptions) {
    const { bus, start, members } = options;
    this.agents = members.map((member, agent) => new RemoteAgent(options, member, agent));
    bus.listen(subjects.beats(start), (received) => {
      if (received.kind !== "message" || received.message.kind !== "pulse") return;
      const { message } = received;
      this.agents[message.agent]?.hear(message);
    });
    this.#timer = setInterval(() => {
      for (const agent of this.agents) void agent.look();
    }, beatMs);
  }

  /** Of the first that is out; null while all are there. */
  get loss(): InvalidReason | null {
    return this.agents.find(({ loss }) => loss !== null)?.loss ?? null;
  }

  /** Of a new pool of workers. */
  openLinks(): OpenLink {
    const pool = this.#pools;
    this.#pools += 1;
    return (worker, listener) => {
      const agent = this.agents[worker % this.agents.length] as RemoteAgent;
      return agent.open({ pool, worker }, listener);
    };
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** One agent, and the way to its workers: orders reach it once and in order, and so do its reports. */
class RemoteAgent {
  readonly name: string;
  /** Of its machine, in the load before. */
  usage: Bundle["usage"] = null;
  readonly #options: RemoteOptions;
  readonly #member: Member;
  readonly #agent: number;
  readonly #links = new Map<string, Linked>();
  /** Not yet said. */
  #orders: Order[] = [];
  #said = 0;
  /** Of the run, on this machine's clock. */
  #epochUs = 0;
  /** By which its workers' epoch was set. */
  #offsetUs = 0;
  /** When a start that everybody has to keep was to be heard of; null where none is under way. */
  #latestUs: number | null = null;
  #isSaying = false;
  /** Reports that are here. */
  #bundles = 0;
  #known = 0;
  #isTaking = false;
  #pulse = -1;
  #heardMs = performance.now();
  #awaySinceMs: number | null = null;
  /** It is out, and its workers with it. */
  #loss: InvalidReason | null = null;

  constructor(options: RemoteOptions, member: Member, agent: number) {
    this.#options = options;
    this.#member = member;
    this.#agent = agent;
    this.name = member.name;
    // It tells of itself from then on, though contenders may yet have to be built and verified for minutes.
    this.#sayAll().catch((error: Error) => this.#fail(error.message));
  }

  get loss(): InvalidReason | null {
    return this.#loss;
  }

  /** How far its workers' clock may be off this machine's by now, in microseconds. */
  get clockErrorUs(): number {
    const known = this.#member.clock.at(nowUs());
    return known === null
      ? Number.POSITIVE_INFINITY
      : Math.abs(known.offsetUs - this.#offsetUs) + known.errorUs;
  }

  open(id: WorkerId, listener: LinkListener): WorkerLink {
    const key = keyOf(id);
    const ended = Promise.withResolvers<void>();
    this.#links.set(key, { listener, ended, taken: 0, isTelling: null });
    this.#say({ ...id, order: { kind: "open-link" } });
    const loss = this.#loss;
    if (loss !== null) queueMicrotask(() => listener.onLost(loss));
    return {
      send: (command) => this.#say({ ...id, order: this.#translate(key, command) }),
      end: async () => {
        this.#say({ ...id, order: { kind: "end-link" } });
        if (this.#loss === null) await Promise.race([ended.promise, Bun.sleep(endMs)]);
        this.#links.delete(key);
      },
    };
  }

  hear({ id, number, bundles, data, problem }: MessageOf<"pulse">): void {
    // A stranger, or what was overtaken.
    if (id !== this.#member.id || number <= this.#pulse) return;
    this.#pulse = number;
    this.#heardMs = performance.now();
    if (this.#loss !== null) {
      if (this.#loss.kind === "agent-lost") this.#loss = { ...this.#loss, cameBack: true };
      return;
    }
    if (problem !== null) {
      this.#fail(problem);
      return;
    }
    this.#known = bundles;
    // What was told before a report that is not here yet, or is, is of another load.
    if (bundles === this.#bundles) for (const live of unpackWork<readonly Live[]>([data])) this.#show(live);
    void this.#take();
  }

  /** From time to time: tells it that it is still wanted, and notices that it is gone. */
  async look(): Promise<void> {
    if (this.#loss !== null) return;
    const { bus } = this.#options;
    this.#hold();
    void this.#take();
    const nowMs = performance.now();
    this.#awaySinceMs = bus.connectedMs === null ? (this.#awaySinceMs ?? nowMs) : null;
    const awayMs = this.#awaySinceMs === null ? 0 : nowMs - this.#awaySinceMs;
    if (awayMs > this.#options.awayMs) this.#lose({ kind: "bus-lost", silentMs: Math.round(awayMs) });
    if (silenceOf(bus, this.#heardMs) < lostMs) return;
    // It may be this machine that is cut off: that the bus is away is noticed much later.
    const isHeard = await bus.catchUp(askMs);
    const silentMs = silenceOf(bus, this.#heardMs);
    if (isHeard && silentMs >= lostMs) this.#loseSilent(silentMs);
  }

  /** A moment of the run is another one on its clock; CPUs are named as on its own machine. */
  #translate(key: string, command: Command): Command {
    const link = this.#links.get(key);
    if (link !== undefined && command.kind === "connect") link.isTelling = "connecting";
    if (command.kind === "start") {
      if (link !== undefined) link.isTelling = "progress";
      const atUs = this.#epochUs + command.startUs;
      if (atUs - nowUs() >= commonLeadUs) this.#latestUs = atUs;
    }
    if (command.kind !== "setup") return command;
    const { setup } = command;
    this.#epochUs = setup.epochUs;
    const { place, clock } = this.#member;
    this.#offsetUs = clock.at(nowUs())?.offsetUs ?? 0;
    const cpus = place.machine === readPlace().machine ? setup.cpus : null;
    return { kind: "setup", setup: { ...setup, epochUs: setup.epochUs + this.#offsetUs, cpus } };
  }

  /** What is said at once goes in one message. */
  #say(order: Order): void {
    this.#orders.push(order);
    if (this.#isSaying) return;
    queueMicrotask(() => void this.#sayAll().catch((error: Error) => this.#fail(error.message)));
  }

  async #sayAll(): Promise<void> {
    if (this.#isSaying) return;
    this.#isSaying = true;
    const { bus, start, members, awayMs } = this.#options;
    while ((this.#said === 0 || this.#orders.length > 0) && this.#loss === null) {
      const orders = this.#orders.splice(0);
      const [data, ...rest] = packWork(orders);
      if (rest.length > 0) {
        this.#fail("its orders are larger than what the bus takes");
        break;
      }
      const { id } = this.#member;
      const number = this.#said;
      this.#said += 1;
      const message = say(start, {
        ...{ kind: "work", agent: this.#agent, agents: members.length, number, awayMs, data },
      });
      const latestUs = this.#latestUs;
      this.#latestUs = null;
      for (;;) {
        const answer = await bus.ask(subjects.agent(id), message, askMs);
        if (this.#loss !== null) break;
        if (answer?.kind !== "answer") {
          await Bun.sleep(50);
          continue;
        }
        if (answer.problem !== null) this.#fail(answer.problem);
        break;
      }
      if (latestUs !== null && nowUs() > latestUs) {
        this.#fail(`its start came ${Math.ceil((nowUs() - latestUs) / 1000)} ms late`);
      }
    }
    this.#isSaying = false;
  }

  #show({ pool, worker, connect, phase, from, seconds }: Live): void {
    const link = this.#links.get(keyOf({ pool, worker }));
    if (link === undefined) return;
    if (connect !== null && link.isTelling === "connecting") {
      link.listener.onReport({ kind: "connecting", progress: connect });
    }
    if (phase === null || link.isTelling !== "progress") return;
    const progress: PhaseProgress = { ...phase, seconds: takeSeconds(link, from, seconds) };
    link.listener.onReport({ kind: "progress", progress });
  }

  async #take(): Promise<void> {
    if (this.#isTaking) return;
    this.#isTaking = true;
    while (this.#bundles < this.#known && this.#loss === null) {
      const bundle = await this.#find(this.#bundles);
      // Not there yet, or lost with the server's disk: it is offered again.
      if (bundle === null) break;
      this.#bundles += 1;
      this.#heardMs = performance.now();
      if (bundle.usage !== null) this.usage = bundle.usage;
      for (const said of bundle.reports) this.#report(said);
      this.#hold();
    }
    this.#isTaking = false;
  }

  #report({ pool, worker, said, from }: Said): void {
    const link = this.#links.get(keyOf({ pool, worker }));
    if (link === undefined) return;
    link.isTelling = null;
    if (said.kind === "exit") {
      link.listener.onExit(said.exit);
      link.ended.resolve();
      return;
    }
    const report: Report =
      said.kind === "settled"
        ? { ...said, report: { ...said.report, seconds: takeSeconds(link, from, said.report.seconds) } }
        : said;
    link.listener.onReport(report);
  }

  #hold(): void {
    const { bus, start } = this.#options;
    const seconds = [...this.#links].map(([key, { taken }]) => {
      const [pool = 0, worker = 0] = key.split("/").map(Number);
      return { pool, worker, taken };
    });
    bus.say(subjects.agent(this.#member.id), say(start, { kind: "hold", bundles: this.#bundles, seconds }));
  }

  async #find(number: number): Promise<Bundle | null> {
    const { bus, start } = this.#options;
    const parts = await findParts(bus, "bundle", (part) => subjects.bundle(start, this.#agent, number, part));
    return parts === null ? null : unpackWork<Bundle>(parts);
  }

  #fail(problem: string): void {
    this.#lose({ kind: "agent-failed", agent: this.#agent, name: this.name, problem });
  }

  #loseSilent(silentMs: number): void {
    const { name } = this;
    this.#lose({
      ...{ kind: "agent-lost", agent: this.#agent, name },
      ...{ silentMs: Math.round(silentMs), cameBack: false },
    });
  }

  /** For good: it may come back, and then has missed something. */
  #lose(loss: InvalidReason): void {
    if (this.#loss !== null) return;
    this.#loss = loss;
    for (const { listener, ended } of this.#links.values()) {
      listener.onLost(loss);
      ended.resolve();
    }
  }
}

/** Those that are new. They come again until they are acknowledged. */
function takeSeconds(link: Linked, from: number, seconds: readonly SecondReport[]): readonly SecondReport[] {
  // One before them is on its way.
  if (from > link.taken) return [];
  const fresh = seconds.slice(link.taken - from);
  link.taken = Math.max(link.taken, from + seconds.length);
  return fresh;
}
