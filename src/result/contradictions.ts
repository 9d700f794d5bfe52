import type { Phase } from "./phase.ts";
import type { Result } from "./schema.ts";

/**
 * Values that are fine by themselves and can't all be true, one a line: what every reader relies on beyond the schema.
 * Empty for all that showdown writes.
 */
export function listContradictions({ rounds, contenders, plan }: Result): string[] {
  return rounds.flatMap((round, at) => {
    const where = `rounds[${at}]`;
    const isKnown = contenders.some(
      ({ name, variant }) => name === round.contender && variant === round.variant,
    );
    return [
      ...(isKnown ? [] : [`${where}: contender "${round.contender}" is not among the contenders`]),
      ...checkReason(where, round),
      ...(round.phases.length <= plan.phases.length
        ? []
        : [`${where}.phases: ${round.phases.length} phases; the plan has ${plan.phases.length}`]),
      ...round.phases.flatMap((phase, index) => {
        const place = `${where}.phases[${index}]`;
        const planned = plan.phases[index];
        const isPlanned =
          planned === undefined ||
          (planned.kind === phase.kind && (planned.workload ?? null) === phase.workload);
        return [
          ...(isPlanned ? [] : [`${place}: ${phase.kind}; the plan has ${planned.kind} there`]),
          ...checkReason(place, phase),
          ...checkMessages(place, phase),
        ];
      }),
    ];
  });
}

function checkReason(where: string, { status, reason }: { status: string; reason: unknown }): string[] {
  if ((status === "ok") === (reason === null)) return [];
  return [`${where}.reason: ${reason === null ? "null" : "given"}, and the status is "${status}"`];
}

function checkMessages(where: string, phase: Phase): string[] {
  if (phase.status === "not-run" || !("messages" in phase)) return [];
  const { expected, delivered, lost, planned, sent, unsent } = phase.messages;
  return [
    ...(expected === delivered + lost
      ? []
      : [`${where}.messages: ${expected} expected is not ${delivered} delivered and ${lost} lost`]),
    ...(planned === sent + unsent
      ? []
      : [`${where}.messages: ${planned} planned is not ${sent} sent and ${unsent} unsent`]),
  ];
}
