import { expect, test } from "bun:test";
import { fixtureAttack } from "../../test/support/fixture-attack.ts";
import { type AttackPart, attackPartSchema } from "../result/attack.ts";
import { judgeParts } from "./ending.ts";

const late = { kind: "generator-late", sendLagP99Us: 9000, allowedUs: 2000 } as const;
const closed = { kind: "all-connections-closed" } as const;
const stopped = { kind: "stopped-by-user" } as const;
const of = 4;

/** Agents, each as it ended; what is lost has no figures. */
function partsOf(
  ...ends: readonly (Pick<AttackPart, "reason"> & { readonly status: AttackPart["status"] })[]
) {
  const { environment: machine, ...figures } = fixtureAttack();
  return ends.map(({ status, reason }, index) =>
    attackPartSchema.parse({
      ...{ id: `${index}`, name: `host/${index}`, share: { index, of }, machine, clock: null },
      ...{ status, reason, figures: status === "lost" ? null : figures },
    }),
  );
}

const well = { status: "ok", reason: null } as const;
const isLate = { status: "invalid", reason: late } as const;
const isClosed = { status: "failed", reason: closed } as const;
const isStopped = { status: "aborted", reason: stopped } as const;
const lost = (agent: number) =>
  ({
    status: "lost",
    reason: { kind: "agent-lost", agent, name: `host/${agent}`, silentMs: 3600, cameBack: false },
  }) as const;
const partWas = (agent: number, end: typeof isLate | typeof isStopped) => ({
  status: end.status,
  reason: { kind: "part", part: `agent ${agent} (host/${agent})`, ...end },
});

test.each([
  ["all well", [well, well], well],
  ["one lost", [well, lost(1), well], { status: "partial", reason: lost(1).reason }],
  [
    "one lost, and another one's connections closed",
    [well, lost(1), isClosed],
    { status: "partial", reason: lost(1).reason },
  ],
  ["all lost", [lost(0), lost(1)], { status: "invalid", reason: lost(0).reason }],
  ["one lost, one not to be trusted", [well, lost(1), isLate], partWas(2, isLate)],
  ["one not to be trusted, one stopped", [isStopped, isLate], partWas(1, isLate)],
  ["one stopped", [well, isStopped], partWas(1, isStopped)],
  ["all stopped", [isStopped, isStopped], isStopped],
  ["one closed", [isClosed, well], well],
  ["all closed", [isClosed, isClosed], isClosed],
] as const)("%s", (_name, ends, expected) => {
  expect(judgeParts(partsOf(...ends))).toEqual(expected as ReturnType<typeof judgeParts>);
});

test("a share that nobody gave is missing as one that was lost", () => {
  const missing = { kind: "parts-missing" as const, missing: [2], of };
  expect(judgeParts(partsOf(well, well), missing)).toEqual({ status: "partial", reason: missing });
  expect(judgeParts(partsOf(well, isLate), missing)).toEqual(
    partWas(1, isLate) as ReturnType<typeof judgeParts>,
  );
});
