import { leagueOf } from "../../judgement/league.ts";
import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { formatMeasure } from "../../measures/measure.ts";
import { isRan, listPhases, nameOf, nameOfRound } from "../../measures/sections.ts";
import type { Phase } from "../../result/phase.ts";
import type { ContenderFacts, Result, Round } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import type { Column } from "../../text/table.ts";
import { describeReason } from "../text/reason-text.ts";
import { type Block, code, details, heading, list, paragraph, table } from "./block.ts";
import { listFacts } from "./facts.ts";

/** What the words in the table of contenders mean that no other table has. */
const contenderMeanings = [
  {
    lead: "routing:",
    text: "how a server finds out what a message is. prefix: by its first bytes; scan: by its whole shape, without a JSON parser; parse: with one.",
  },
  {
    lead: "toolchains:",
    text: "what each said of its version. Out of support is what its makers no longer mend by the day of the run, as far as was known in August 2026.",
  },
  {
    lead: "league:",
    text: "who is ranked against whom. It is the approach; raw counts as idiomatic, and as tuned in a variant tuned.",
  },
];

/** What each contender declares of itself: part of every figure. */
export function buildContenders({ contenders }: Result): Block[] {
  if (contenders.length === 0) return [];
  const rows: [string, (facts: ContenderFacts) => string][] = [
    ["title", ({ title }) => title],
    ["language", ({ language }) => language],
    ["library", ({ library }) => library],
    ["approach", ({ approach }) => approach],
    ["league", leagueOf],
    ["routing", ({ routing }) => routing],
    ["framing", ({ framing }) => framing],
    ["slow consumer", ({ slowConsumer }) => slowConsumer],
    ["contract", describeVerification],
    ["toolchains", ({ toolchains }) => listPairs(toolchains, ": ")],
    ["environment", ({ env }) => listPairs(env, "=")],
    ["command", ({ start, url }) => (url === undefined ? start.join(" ") : `ran already at ${url}`)],
    ["sources (SHA-256)", ({ sourceDigest }) => sourceDigest.slice(0, 12)],
    ["deployment", describeDeployment],
  ];
  const told = rows.filter(([, pick]) => contenders.some((facts) => pick(facts) !== ""));
  return [
    heading(2, "Contenders"),
    ...list(contenderMeanings),
    table({
      columns: ["", ...contenders.map(nameOf)].map((header) => ({ header, align: "left" })),
      rows: told.map(([header, pick]) => ({
        cells: [
          { text: header, style: "strong" },
          ...contenders.map((facts) => ({ text: pick(facts) || format.unknown })),
        ],
      })),
    }),
  ];
}

function describeVerification({ verified, protocol }: ContenderFacts): string {
  if (verified === null) return "not verified";
  if (verified.problem !== null) return verified.problem;
  const failed = verified.failed.map(({ id }) => id);
  const extent = protocol === "phoenix" ? ", RFC 6455 only: it speaks Phoenix Channels" : "";
  return (failed.length === 0 ? "kept" : `not kept: ${failed.join(", ")}`) + extent;
}

function describeDeployment({ deployment }: ContenderFacts): string {
  if (deployment === null) return "";
  const what = deployment.singleBinary ? "single binary" : "no single binary";
  return deployment.note === undefined ? what : `${what}: ${deployment.note}`;
}

function listPairs(record: Readonly<Record<string, string>>, between: string): string {
  return Object.entries(record)
    .map(([key, value]) => key + between + value)
    .join(", ");
}

/** Machine, plan, and how to do it again. */
export function buildConditions(result: Result): Block[] {
  const { environment, plan, command } = result;
  const settings = Object.entries(environment.sysctls).map(([name, value]) => `${name} = ${value}`);
  return [
    heading(2, "Machine and plan"),
    ...list(listFacts(result).map(({ label, text }) => ({ lead: `${label}:`, text }))),
    ...(settings.length === 0 ? [] : [details("Kernel settings", [code(settings.join("\n"))])]),
    details("The whole plan, the same for every contender", [code(JSON.stringify(plan, null, 2), "json")]),
    heading(2, "How to reproduce"),
    paragraph(
      `${environment.tool}${environment.commit === null ? "" : ` at commit ${environment.commit}`}, seed ${plan.seed}. The seed decides the order of the rounds, the senders and the masks.`,
    ),
    code(command.map(quote).join(" "), "sh"),
  ];
}

function quote(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`;
}

/** Every round as it was, in the order in which they ran: nothing is left out. */
export function buildRounds({ rounds, plan }: Result): Block[] {
  if (rounds.length === 0) return [];
  const phases = listPhases(plan.phases).map(({ name }) => name);
  const headers = [
    "order",
    "contender",
    "round",
    "ready",
    "warm-up",
    "idle memory",
    ...phases,
    "shutdown",
    "status",
  ];
  const columns = headers.map(
    (header): Column => ({ header, align: ["contender", "status"].includes(header) ? "left" : "right" }),
  );
  const rows = [...rounds]
    .sort((a, b) => a.position - b.position)
    .map((round) => ({
      cells: [
        String(round.position),
        nameOfRound(round),
        String(round.round),
        formatMs(round.readyMs),
        describeWarmUp(round.warmUp),
        format.formatBytes(round.idleRssBytes),
        ...plan.phases.map((_, index) => summarizePhase(round.phases[index])),
        describeShutdown(round),
        round.status + (round.reason === null ? "" : `: ${describeReason(round.reason, plan.phases)}`),
      ].map((text) => ({ text })),
    }));
  return [
    heading(2, "All rounds"),
    details("Every round, in the order in which they ran", [table({ columns, rows })]),
  ];
}

const warmUpEnds = { steady: "", time: ", not steady", failed: ", failed" } as const;

function describeWarmUp(warmUp: Round["warmUp"]): string {
  return warmUp === null ? format.unknown : formatMs(warmUp.durationMs) + warmUpEnds[warmUp.ended];
}

function summarizePhase(phase: Phase | undefined): string {
  if (phase === undefined) return format.unknown;
  if (!isRan(phase) || phase.status !== "ok") return phase.status.replace("-", " ");
  const [name = ""] = decidingMeasures[phase.kind];
  const headline = measureOf(name);
  const value = headline.pick(phase);
  if (phase.kind === "capacity" && value === null) {
    const { ratePerSecond } = phase.capacity;
    return ratePerSecond === null ? "none" : `≥ ${format.formatRate(ratePerSecond)}`;
  }
  const p99 = phase.kind === "burst" || phase.kind === "endurance" ? phase.latencyUs.p99 : null;
  return `${formatMeasure(headline, value)}${p99 === null ? "" : `, p99 ${format.formatLatency(p99)}`}`;
}

function describeShutdown({ shutdown }: Round): string {
  return `${shutdown?.graceful === false ? "killed, " : ""}${formatMs(shutdown?.exitMs ?? null)}`;
}

function formatMs(ms: number | null): string {
  return ms === null ? format.unknown : `${format.formatCount(Math.round(ms))} ms`;
}
