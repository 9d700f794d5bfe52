import type { Result } from "../../result/schema.ts";
import type { Style } from "../../text/style.ts";
import { nameOf, nameOfRound } from "./section.ts";

/** What went wrong beside the measuring: who did not run, whose round failed, what to be wary of. */
export interface Troubles {
  readonly title: string;
  readonly style: Style;
  /** Of the machine and the run as a whole, and not of a contender that is missing or marked. */
  readonly isAside: boolean;
  readonly entries: readonly Trouble[];
}

export interface Trouble {
  readonly text: string;
  /** The end of what a server printed, by line. */
  readonly output: readonly string[];
}

/** Only kinds that there are any of. */
export function listTroubles({ contenders, rounds, plan, warnings }: Result): Troubles[] {
  const notRun = contenders.flatMap((facts) =>
    facts.notRun === null ? [] : [{ text: `${nameOf(facts)}: ${facts.notRun}`, output: [] }],
  );
  const unkept = contenders
    .filter(({ notRun }) => notRun === null)
    .flatMap((facts) =>
      (facts.verified?.failed ?? []).map(({ rule, reference, grade }) => ({
        text: `${nameOf(facts)}: ${rule.replace(/\.$/, "")} (${reference}, ${grade})`,
        output: [],
      })),
    );
  const unverified = contenders
    .filter(({ notRun, verified }) => notRun === null && verified === null)
    .map((facts) => ({ text: `${nameOf(facts)} was measured without being verified`, output: [] }));
  const notOk = rounds
    .filter(({ status }) => status !== "ok")
    .map((round) => {
      const which = plan.rounds > 1 ? `, round ${round.round}` : "";
      return {
        text: `${nameOfRound(round)}${which}: ${round.status}: ${round.reason ?? "no reason given"}`,
        output: (round.output ?? "").split("\n").filter((line) => line.trim() !== ""),
      };
    });
  const unclean = rounds
    .filter(({ shutdown }) => shutdown !== null && !shutdown.graceful)
    .map((round) => ({
      text: `${nameOfRound(round)}, round ${round.round}: the server did not end on SIGTERM and was killed`,
      output: [],
    }));
  const all: Troubles[] = [
    { title: "Not run", style: "warning", isAside: false, entries: notRun },
    { title: "Rules of the contract that are not kept", style: "warning", isAside: false, entries: unkept },
    { title: "Rounds that did not end well", style: "bad", isAside: false, entries: notOk },
    {
      title: "Warnings",
      style: "warning",
      isAside: true,
      entries: [...warnings.map(({ text }) => ({ text, output: [] })), ...unverified, ...unclean],
    },
  ];
  return all.filter(({ entries }) => entries.length > 0);
}
