import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import type { OpenLink } from "../engine/worker-link.ts";
import { nowUs } from "../machine/clock.ts";
import { describeMachine, readDescriptorLimit } from "../machine/environment.ts";
import { readPlace } from "../machine/place.ts";
import { AgentRun, offerParts } from "./agent-run.ts";
import type { Bus } from "./bus.ts";
import type { KeptResults } from "./kept-results.ts";
import { type Message, type MessageOf, type Received, type Start, say, subjects } from "./messages.ts";

interface AgentOptions {
  readonly bus: Bus;
  readonly kept: KeptResults;
  readonly tell: (line: string) => void;
  /** Ends with its first attack. */
  readonly once: boolean;
  readonly signal: AbortSignal;
  /** How a worker is started and reached; a child process where nothing is said. */
  readonly openLink?: OpenLink;
}

/** Takes part in attacks, one after another, until it is told to end. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { bus, kept, tell, once, signal, openLink } = options;
  const id = randomUUID().replaceAll("-", "");
  // Several may run on one machine.
  const name = `${hostname()}/${process.pid}`;
  const place = readPlace();
  const machine = await describeMachine();
  const runs = new Map<string, AgentRun>();
  const ended = Promise.withResolvers<void>();

  const busy = () => [...runs.values()].find((run) => !run.isFree) ?? null;
  const offer = (start: Start): Message =>
    say(start, {
      ...{ kind: "offer", id, name, place, machine },
      descriptors: readDescriptorLimit().soft,
      busyWith: busy()?.start.run ?? null,
    });

  const onCall = async (received: Received): Promise<void> => {
    // Also to one of another version, so that it can tell whom it can't use.
    const start = received.kind === "foreign" ? received.start : startOf(received.message);
    if (received.kind === "foreign" ? received.said !== "call" : received.message.kind !== "call") return;
    bus.say(subjects.offers(start), offer(start));
    if (received.kind === "foreign" || received.message.kind !== "call" || !received.message.resume) return;
    for (const { agent, parts } of await kept.find(start)) await offerParts(bus, start, agent, parts);
  };

  const claim = (message: MessageOf<"claim">): string | null => {
    const other = busy();
    if (signal.aborted) return "it is ending";
    if (other !== null) return `it is busy with ${other.start.run}`;
    const start = startOf(message);
    const run = new AgentRun({ bus, kept, id, start, tell, ...(openLink === undefined ? {} : { openLink }) });
    runs.set(start.epoch, run);
    void run.left.then(() => {
      runs.delete(start.epoch);
      if ((once && run.hasPart) || (signal.aborted && runs.size === 0)) ended.resolve();
    });
    return null;
  };

  const onMessage = async (message: Message): Promise<string | null> => {
    const run = runs.get(message.epoch);
    switch (message.kind) {
      case "claim":
        return run === undefined ? claim(message) : await run.obey(message);
      case "acknowledge":
        // It may be of another process of this machine, whose file it found.
        if (run === undefined) return null;
        return await run.obey(message);
      case "clock":
      case "assign":
      case "start":
      case "work":
      case "hold":
      case "stop":
        return run === undefined ? "it is not in this attack" : await run.obey(message);
      default:
        return `it takes no ${message.kind}`;
    }
  };

  bus.listen(subjects.call, (received) => void onCall(received));
  bus.listen(subjects.agent(id), (received, answer) => {
    if (received.kind === "foreign") return;
    const { message } = received;
    // Of the moment in which it came.
    const clockUs = nowUs();
    void onMessage(message).then((problem) =>
      answer(say(startOf(message), { kind: "answer", problem, clockUs })),
    );
  });
  signal.addEventListener("abort", () => {
    if (runs.size === 0) ended.resolve();
    for (const run of runs.values()) run.leave();
  });
  if (signal.aborted) return;
  await ended.promise;
}

function startOf({ run, epoch }: Message): Start {
  return { run, epoch };
}
