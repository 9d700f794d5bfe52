import { decidingMeasures, measureOf } from "../../../measures/catalogue.ts";
import { formatMeasure } from "../../../measures/measure.ts";
import { isRan, nameOfRound, titleOf } from "../../../measures/sections.ts";
import type { Phase, RanPhase } from "../../../result/phase.ts";
import type { Preparation, RunEvent } from "../../../run/events.ts";
import * as format from "../../../text/format.ts";
import { printable } from "../../../text/printable.ts";
import type { Painter, Style } from "../../../text/style.ts";
import { isDeath } from "../../text/fault-text.ts";
import { isBlameless } from "../../text/finding-text.ts";
import { describeReason } from "../../text/reason-text.ts";
import { describeNotRun, describeWarning } from "../../text/warning-text.ts";

/** What an event has to say for good, in one line; null when it only moves the status. */
export function describeEvent(event: RunEvent, paint: Painter): string | null {
  switch (event.kind) {
    case "preparing":
      return describePreparation(event);
    case "build-output":
      return paint(`  ${printable(event.contender)} | ${printable(event.line)}`, "dim");
    case "not-run": {
      const advice = event.advice === undefined ? "" : `; to get it: ${printable(event.advice)}`;
      return paint(`${nameOfRound(event)} is not run: ${describeNotRun(event.reason)}${advice}`, "warning");
    }
    case "round-started": {
      const { position, positions, round, rounds } = event;
      const which = rounds > 1 ? `, round ${round} of ${rounds}` : "";
      return `${paint(`[${position}/${positions}]`, "dim")} ${paint(nameOfRound(event), "strong")}${which}`;
    }
    case "server-ready":
      return `  ${printable(nameOfRound(event))} ready after ${format.formatCount(event.readyMs)} ms`;
    case "phase-started": {
      const { phaseKind, workload, index, count, expectedSeconds } = event;
      const lasts = expectedSeconds === null ? "" : `, ${format.formatDuration(expectedSeconds * 1000)}`;
      return `  ${titleOf({ kind: phaseKind, workload }).toLowerCase()} (${index + 1} of ${count}${lasts}): ${printable(nameOfRound(event))}`;
    }
    case "phase-progress":
    case "phase-second":
      return null;
    case "phase-ended":
      return describePhase(event, paint);
    case "round-ended": {
      const { status, reason, shutdown } = event.round;
      const name = printable(nameOfRound(event.round));
      if (reason !== null)
        return `  ${name} ${paint(`${status}: ${describeReason(reason)}`, styles[status])}`;
      return `  ${name} done${shutdown === null ? "" : `, stopped within ${format.formatCount(shutdown.exitMs)} ms`}`;
    }
    case "looked":
      return describeLook(event);
    case "warning":
      return paint(`warning: ${describeWarning(event.warning)}`, "warning");
  }
}

/** More open measures than this hide how many there are. */
const mostOpen = 3;

/** `after 4 rounds of at most 12: 16 of 18 pairs decided; open: burst-echo p99` */
function describeLook({ looks, open }: Extract<RunEvent, { kind: "looked" }>): string {
  const { planned, taken, pairs, decided } = looks;
  const names = open.map(({ measure, phase }) => `${phase} ${measureOf(measure).header}`);
  const more = names.length > mostOpen ? ` and ${names.length - mostOpen} more` : "";
  const still = names.length === 0 ? "" : `; open: ${names.slice(0, mostOpen).join(", ")}${more}`;
  return `after ${format.plural(taken.at(-1) ?? 0, "round")} of at most ${planned.at(-1)}: ${decided} of ${format.plural(pairs, "pair")} decided${still}`;
}

const preparations = {
  install: "installing toolchains",
  build: "building",
  verify: "checking against the contract",
  ceiling: "measuring the load generator against a null server",
} as const satisfies Record<Preparation, string>;

/** `building go-gorilla` */
export function describePreparation({ step, contender }: Extract<RunEvent, { kind: "preparing" }>): string {
  return contender === null ? preparations[step] : `${preparations[step]}: ${printable(contender)}`;
}

const styles = {
  ok: "good",
  invalid: "warning",
  aborted: "warning",
  failed: "bad",
  "not-run": "dim",
} as const satisfies Record<Phase["status"], Style>;

function describePhase(event: Extract<RunEvent, { kind: "phase-ended" }>, paint: Painter): string {
  const { phase } = event;
  const { status, reason } = phase;
  const figures = [
    ...(reason === null ? [] : [paint(`${status}: ${describeReason(reason)}`, styles[status])]),
    ...(isRan(phase) ? listFigures(phase) : []),
    ...(phase.status !== "not-run" && phase.kind === "chaos" ? phase.faults.filter(isDeath) : []).map(
      ({ fault }) => paint(`died of ${fault}`, "bad"),
    ),
    ...(isRan(phase) ? phase.findings : [])
      .filter((finding) => !isBlameless(finding))
      .map(({ kind, count }) => paint(`${format.formatCount(count)} ${kind}`, "warning")),
  ];
  const sign = paint(status === "ok" ? "✓" : "✗", styles[status]);
  return `  ${sign} ${titleOf(phase).toLowerCase().padEnd(18)} ${printable(nameOfRound(event))}: ${figures.join(", ")}`.trimEnd();
}

/** `throughput 40,000/s`, … of a phase that was done. */
function listFigures(phase: RanPhase): string[] {
  if (phase.status !== "ok") return [];
  if (phase.kind === "capacity" && phase.capacity.isLowerBound) {
    return [`capacity at least ${format.formatRate(phase.capacity.ratePerSecond)}`];
  }
  return decidingMeasures[phase.kind].flatMap((name) => {
    const measure = measureOf(name);
    const value = measure.pick(phase);
    return value === null ? [] : [`${measure.header} ${formatMeasure(measure, value, measure.step(phase))}`];
  });
}
