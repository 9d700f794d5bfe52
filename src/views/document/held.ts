import { mergeFailures } from "../../engine/failure-tally.ts";
import { type Participant, ranPhases, type Section } from "../../measures/sections.ts";
import { type Plan, processesOf } from "../../plan/plan.ts";
import * as format from "../../text/format.ts";
import { describeFailures } from "../text/failure-text.ts";
import type { Sentence } from "./block.ts";

/** What it took to hold the connections of a plan, and how many of them were proven alive. */
export function listHeld(section: Section, plan: Plan): Sentence[] {
  if (section.kind !== "connect") return [];
  return section.participants.flatMap((participant) => [
    ...noteProcesses(participant, plan),
    ...noteHold(participant),
  ]);
}

/** One process has not as many descriptors as the plan has connections. */
function noteProcesses({ name, facts }: Participant, plan: Plan): Sentence[] {
  const processes = processesOf(plan, { contender: facts.name, variant: facts.variant });
  if (processes === 1) return [];
  return [{ text: `${name} ran as ${format.formatCount(processes)} processes, which shared its port.` }];
}

/** How many connections were proven alive by an echo, before and after the time in which they were held: the worst round. */
function noteHold(participant: Participant): Sentence[] {
  const held = ranPhases(participant).flatMap((phase) =>
    phase.kind === "connect" ? (phase.hold ?? []) : [],
  );
  const proven = ({ sweeps }: (typeof held)[number]) => sweeps[1]?.answered ?? -1;
  const [worst] = held.toSorted((a, b) => proven(a) - proven(b));
  const [before, after] = worst?.sweeps ?? [];
  if (worst === undefined || before === undefined) return [];
  const isWhole = after !== undefined && after.answered === before.open;
  const time = format.formatDuration(worst.seconds * 1000);
  const end =
    after === undefined ? "" : `, ${format.formatCount(after.answered)} after ${time} without messages`;
  const died = before.died + (after?.died ?? 0);
  const failures = mergeFailures([before.deaths, after?.deaths ?? []]);
  const deaths =
    died === 0 ? "" : ` ${format.plural(died, "connection")} died: ${describeFailures(failures)}.`;
  const memory =
    worst.machineBytes === null
      ? ""
      : ` The machine's memory in use grew by ${format.formatBytes(worst.machineBytes)} in all.`;
  return [
    {
      text: `${participant.name}: ${format.formatCount(before.answered)} of ${format.plural(before.open, "connection")} answered an echo of their own${end}.${deaths}${memory}`,
      style: isWhole ? null : "bad",
    },
  ];
}
