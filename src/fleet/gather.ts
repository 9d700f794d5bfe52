import { randomBytes } from "node:crypto";
import { ShowdownError } from "../errors.ts";
import { type Place, readPlace } from "../machine/place.ts";
import { throwIfAborted } from "../process/abort.ts";
import { nameRun } from "../result/run-name.ts";
import type { Machine } from "../result/schema.ts";
import { boundLines } from "../text/bound-lines.ts";
import { plural } from "../text/format.ts";
import { printable } from "../text/printable.ts";
import { AgentClock, readClocks } from "./agent-clock.ts";
import type { Bus } from "./bus.ts";
import { type MessageOf, type Start, say, subjects } from "./messages.ts";

/** An agent that is in this attack. */
export interface Member {
  /** Of its process. */
  readonly id: string;
  readonly name: string;
  readonly place: Place;
  readonly machine: Machine;
  readonly descriptors: number | null;
  readonly clock: AgentClock;
}

export interface Gathered {
  readonly start: Start;
  readonly startedAt: string;
  readonly members: readonly Member[];
  /** Of each, where those of one machine share its CPUs. */
  readonly cpus: number;
  readonly descriptors: number | null;
  /** They are needed no longer, or nobody has to be told that they are. */
  letGo(): void;
  /** They are free for others. */
  release(): Promise<void>;
}

interface GatherOptions {
  readonly bus: Bus;
  /** As it is shown. */
  readonly busName: string;
  /** The end of the name of what they are gathered for. */
  readonly label: string;
  /** Null: those that are there. */
  readonly agents: number | null;
  readonly joinMs: number;
  readonly signal: AbortSignal;
}

const callMs = 300;
/** Nobody knows how many there are: whoever is there answers within it. */
const rollCallMs = 1500;
const claimMs = 1000;
/** Of those that can't be had. */
const mostNamed = 8;
/** Shorter than an agent waits for a word. */
const keepMs = 1500;

/**
 * Calls agents, and makes them this attack's own.
 *
 * @throws {ShowdownError} `fleet` where there are not enough, saying who is busy and who is of another version; `aborted`
 */
export async function gatherAgents(options: GatherOptions): Promise<Gathered> {
  const { bus, label, agents, joinMs, signal } = options;
  const startedAt = new Date().toISOString();
  const start: Start = { run: nameRun(startedAt, label), epoch: randomBytes(8).toString("hex") };
  const offers = new Map<string, MessageOf<"offer">>();
  const foreign = new Map<string, string>();
  bus.listen(subjects.offers(start), (received) => {
    if (received.kind === "foreign") {
      foreign.set(received.id, `${printable(received.name)} is ${printable(received.version)}`);
    } else if (received.message.kind === "offer") {
      offers.set(received.message.id, received.message);
    }
  });
  const members: Member[] = [];
  const release = async () => {
    await Promise.all(
      members.map(({ id }) => bus.ask(subjects.agent(id), say(start, { kind: "stop" }), claimMs)),
    );
  };
  const begunMs = performance.now();
  const timer = setInterval(() => {
    // It tells them that they are still wanted.
    void readClocks(bus, start, members, 1);
  }, keepMs);
  try {
    for (;;) {
      bus.say(subjects.call, say(start, { kind: "call", resume: false }));
      await Bun.sleep(callMs);
      throwIfAborted(signal);
      const sinceMs = performance.now() - begunMs;
      // Also whoever was claimed, and answered too late.
      const free = [...offers.values()].filter(
        ({ id, busyWith }) =>
          (busyWith === null || busyWith === start.run) && members.every((member) => member.id !== id),
      );
      const isTime = agents === null ? sinceMs >= rollCallMs : members.length + free.length >= agents;
      if (isTime) {
        const wanted = free.slice(0, agents === null ? free.length : agents - members.length);
        members.push(...(await claimAll(bus, start, wanted)));
        // Whoever was taken by another coordinator meanwhile says so with its next offer.
        for (const { id } of wanted) offers.delete(id);
        if (agents === null ? members.length > 0 : members.length === agents) break;
      }
      if (sinceMs >= joinMs) throw refuse(options, members, [...offers.values()], [...foreign.values()]);
    }
    await readClocks(bus, start, members);
  } catch (error) {
    clearInterval(timer);
    await release();
    throw error;
  }
  const limits = members.flatMap(({ descriptors }) => descriptors ?? []);
  return {
    ...{ start, startedAt, members },
    cpus: Math.min(
      ...members.map(
        ({ place, machine }) =>
          machine.cpuCount / members.filter((one) => one.place.machine === place.machine).length,
      ),
    ),
    descriptors: limits.length === 0 ? null : Math.min(...limits),
    letGo: () => clearInterval(timer),
    release: async () => {
      clearInterval(timer);
      await release();
    },
  };
}

async function claimAll(
  bus: Bus,
  start: Start,
  offers: readonly MessageOf<"offer">[],
): Promise<readonly Member[]> {
  const claimed = await Promise.all(
    offers.map(async ({ id, name, place, machine, descriptors }): Promise<Member | null> => {
      const answer = await bus.ask(subjects.agent(id), say(start, { kind: "claim" }), claimMs);
      if (answer?.kind !== "answer" || answer.problem !== null) return null;
      const clock = new AgentClock(place.clock === readPlace().clock);
      return { id, name: printable(name), place, machine, descriptors, clock };
    }),
  );
  return claimed.filter((member) => member !== null);
}

function refuse(
  { agents, joinMs, busName }: GatherOptions,
  members: readonly Member[],
  offers: readonly MessageOf<"offer">[],
  foreign: readonly string[],
): ShowdownError {
  const free = offers.filter(
    ({ id, busyWith }) => busyWith === null && members.every((member) => member.id !== id),
  );
  const there = members.length + free.length;
  const found = agents === null ? "no agent is" : `${there} of ${plural(agents, "agent")} are`;
  const busy = offers.flatMap(({ id, name, busyWith }) =>
    busyWith === null || members.some((member) => member.id === id)
      ? []
      : [`${printable(name)} is busy with ${printable(busyWith)}`],
  );
  const others = boundLines([...busy, ...foreign], mostNamed);
  return new ShowdownError(
    "fleet",
    `${found} there after ${Math.round(joinMs / 1000)} s${others.length === 0 ? "" : `; ${others.join("; ")}`}`,
    { hint: `start one on each machine, of this version: showdown agent --bus ${busName}` },
  );
}
