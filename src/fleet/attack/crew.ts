import type { AttackPart, AttackReason } from "../../result/attack.ts";
import { ProgressBoard } from "../../run/phases/progress-board.ts";
import { type ClockEstimate, readClocks } from "../agent-clock.ts";
import type { Bus } from "../bus.ts";
import type { Member } from "../gather.ts";
import { type Message, type MessageOf, type Said, type Start, say, subjects } from "../messages.ts";
import { findParts } from "../parts.ts";
import { lostMs, silenceOf } from "../silence.ts";
import { type FinalResult, unpackFinal } from "./final-result.ts";
import { LiveFigures } from "./live-figures.ts";
import type { AgentEnd } from "./merge.ts";

const askMs = 1000;

interface Mate {
  readonly agent: number;
  readonly member: Member;
  beat: MessageOf<"beat"> | null;
  heardMs: number;
  final: FinalResult | null;
  /** Why it is out, for good: it may come back, and then has missed something. */
  loss: Extract<AttackReason, { kind: "agent-lost" | "agent-failed" | "bus-lost" }> | null;
}

/** The agents of one attack, seen from the coordinator: what each last said, who is lost, whose result is here. */
export class Crew {
  readonly board: ProgressBoard;
  readonly start: Start;
  readonly #bus: Bus;
  readonly #mates: readonly Mate[];
  readonly #live: LiveFigures;

  constructor(bus: Bus, start: Start, members: readonly Member[]) {
    this.#bus = bus;
    this.start = start;
    this.board = new ProgressBoard(members.length);
    this.#live = new LiveFigures(this.board);
    const heardMs = performance.now();
    this.#mates = members.map((member, agent) => ({
      ...{ agent, member, heardMs },
      ...{ beat: null, final: null, loss: null },
    }));
    bus.listen(subjects.beats(start), (received) => {
      if (received.kind === "message" && received.message.kind === "beat") this.#hear(received.message);
    });
  }

  /** The first that is lost or has failed; null while all are there. */
  get loss(): Mate["loss"] {
    return this.#mates.find(({ loss }) => loss !== null)?.loss ?? null;
  }

  get areReady(): boolean {
    return this.#mates.every(({ beat }) => beat?.state === "ready");
  }

  /** One has come to its end before it was ready: its result says why. */
  get hasEndedEarly(): boolean {
    return this.#mates.some(({ beat }) => beat?.state === "done");
  }

  /** Every result is here, or won't come. */
  get isSettled(): boolean {
    return this.#mates.every(({ final, loss }) => final !== null || loss !== null);
  }

  /** Ready connections of each room. */
  members(): readonly (readonly number[])[] {
    return this.#mates.map(({ beat }) => beat?.members ?? []);
  }

  /** Of those that should be ready, the first that is not. */
  slowest(): AttackReason {
    const mate = this.#mates.find(({ beat }) => beat?.state !== "ready") ?? (this.#mates[0] as Mate);
    const problem = `it is ${mate.beat?.state ?? "silent"}, and was to be ready`;
    return { kind: "agent-failed", agent: mate.agent, name: mate.member.name, problem };
  }

  /** Asks each the same or something of its own; those that said no, or nothing, are out. */
  async askAll(what: (agent: number, member: Member) => Said, untilMs: number): Promise<void> {
    await Promise.all(
      this.#mates.map(async (mate) => {
        const said = say(this.start, what(mate.agent, mate.member));
        const answer = await this.#ask(mate.member.id, said, untilMs);
        if (mate.loss !== null || answer?.problem === null) return;
        const { agent, heardMs, member } = mate;
        mate.loss =
          answer === null
            ? this.#lose(agent, member, performance.now() - heardMs)
            : { kind: "agent-failed", agent, name: member.name, problem: answer.problem };
      }),
    );
  }

  /** Tells all to end; those that don't hear it leave by themselves, or are lost. */
  async stop(): Promise<void> {
    await Promise.all(
      this.#mates.map(({ member: { id } }) =>
        this.#bus.ask(subjects.agent(id), say(this.start, { kind: "stop" }), askMs),
      ),
    );
  }

  /** Who was not heard of for too long. While the bus is away, that says nothing of anybody. */
  async findLost(patienceMs = lostMs): Promise<void> {
    const here = this.#mates.filter(({ loss, final }) => loss === null && final === null);
    for (const mate of here) {
      const { agent, member, beat } = mate;
      if (beat === null || beat.problem === null) continue;
      mate.loss = { kind: "agent-failed", agent, name: member.name, problem: beat.problem };
    }
    const isSilent = (mate: Mate) => mate.loss === null && silenceOf(this.#bus, mate.heardMs) >= patienceMs;
    if (!here.some(isSilent)) return;
    // It may be the coordinator that is cut off: that the bus is away is noticed much later.
    if (!(await this.#bus.catchUp(askMs))) return;
    for (const mate of here.filter(isSilent)) {
      mate.loss = this.#lose(mate.agent, mate.member, silenceOf(this.#bus, mate.heardMs));
    }
  }

  /** The bus was away for too long: what is not here stays with its agents. */
  loseBus(silentMs: number): void {
    for (const mate of this.#mates) {
      if (mate.final === null) mate.loss ??= { kind: "bus-lost", silentMs };
    }
  }

  /** Takes results that are on the bus, and tells their agents that they are here. @param all also of who did not say that it is done */
  async collect(all: boolean): Promise<void> {
    const waiting = this.#mates.filter(
      ({ final, loss, beat }) => final === null && loss === null && (all || beat?.state === "done"),
    );
    await Promise.all(
      waiting.map(async (mate) => {
        mate.final = await this.#find(mate.agent);
      }),
    );
  }

  /** What is here stays here: their files may go. Also of those that are out, whose results nobody will ask for. */
  async acknowledge(): Promise<void> {
    const message = say(this.start, { kind: "acknowledge" });
    await Promise.all(
      this.#mates.map(async ({ member: { id }, loss }) => {
        if (loss?.kind === "agent-lost" && !loss.cameBack) this.#bus.say(subjects.agent(id), message);
        else await this.#ask(id, message, performance.now() + 3 * askMs);
      }),
    );
  }

  /** Each one's clock once more. */
  async readClocks(): Promise<void> {
    const there = this.#mates.filter(({ loss }) => loss === null).map(({ member }) => member);
    await readClocks(this.#bus, this.start, there);
  }

  /** What is known of each one's clock at a moment of the coordinator's. */
  clocksAt(momentUs: number): readonly (ClockEstimate | null)[] {
    return this.#mates.map(({ member }) => member.clock.at(momentUs));
  }

  ends(): AgentEnd[] {
    return this.parts().map((part, agent) => {
      const { final = null, loss = null } = this.#mates[agent] ?? {};
      return { part, final, loss };
    });
  }

  /** As long as there is nothing more to be said of them. */
  parts(): AttackPart[] {
    return this.#mates.map(({ agent, member: { id, name, machine, clock } }) => ({
      ...{ id, name, machine },
      share: { index: agent, of: this.#mates.length },
      clock: clock.best,
      ...{ status: null, reason: null, figures: null },
    }));
  }

  #lose(agent: number, { name }: Member, silentMs: number): Mate["loss"] {
    return { kind: "agent-lost", agent, name, silentMs: Math.round(silentMs), cameBack: false };
  }

  #hear(beat: MessageOf<"beat">): void {
    const mate = this.#mates[beat.agent];
    // A stranger, or what was overtaken.
    if (mate === undefined || mate.member.id !== beat.id) return;
    if (mate.beat !== null && beat.number <= mate.beat.number) return;
    if (mate.loss !== null) {
      if (mate.loss.kind === "agent-lost") mate.loss = { ...mate.loss, cameBack: true };
      return;
    }
    mate.beat = beat;
    mate.heardMs = performance.now();
    this.#live.note(beat);
  }

  async #find(agent: number): Promise<FinalResult | null> {
    const parts = await findParts(this.#bus, "final", (part) => subjects.final(this.start, agent, part));
    return parts === null ? null : unpackFinal(parts);
  }

  /** Until it answers; null where it is too late. */
  async #ask(id: string, message: Message, untilMs: number): Promise<MessageOf<"answer"> | null> {
    for (;;) {
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return null;
      const answer = await this.#bus.ask(subjects.agent(id), message, Math.min(askMs, leftMs));
      if (answer?.kind === "answer") return answer;
      await Bun.sleep(Math.min(50, leftMs));
    }
  }
}
