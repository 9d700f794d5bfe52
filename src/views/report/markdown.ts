import type { ContenderFacts, Phase, Result, Round } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { type Column, escapeMarkdown, renderMarkdown as renderTable, type Table } from "../../text/table.ts";
import { article } from "./article/article.ts";
import { retestArticle } from "./article/claims.ts";
import { unfairLead } from "./article/unfair-count.ts";
import { describeCapacity } from "./capacity.ts";
import { describeStatus, listFacts } from "./facts.ts";
import { buildFaultTables } from "./fault-table.ts";
import { headlineOf } from "./headline-columns.ts";
import { measures } from "./measure.ts";
import { listNotes } from "./note.ts";
import { buildPhaseTable, listMeanings } from "./phase-table.ts";
import { listSections, nameOf, nameOfRound, type Section, titleOf } from "./section.ts";
import { listTroubles } from "./trouble.ts";
import { type Demand, defaultDemand, sizeUp } from "./verdict/sizing.ts";
import { judge } from "./verdict/verdict.ts";

/** `report.md`: the whole run in one page, the verdict first. */
export function renderMarkdown(result: Result, demand: Demand = defaultDemand): string {
  const sections = listSections(result);
  const blocks = [
    [`# ${escapeMarkdown(result.id)}`],
    [`A WebSocket showdown, ${describeStatus(result)}, started ${result.startedAt}.`],
    ...writeVerdict(result),
    ...writeTroubles(result),
    ...sections.flatMap((section) => writeSection(section, sections)),
    ...writeSizing(result, demand),
    ...writeClaims(result),
    ...writeContenders(result),
    ...writeConditions(result),
    ...writeRounds(result),
    ...writeMeanings(sections),
  ];
  return `${blocks.map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

/** Lines that belong together; blocks are parted by an empty line. */
type Block = readonly string[];

function writeVerdict(result: Result): Block[] {
  const { items, declared, remarks } = judge(result);
  const advice = items.map(({ choice, text }) =>
    choice === null ? bullet(text) : `- **${escapeMarkdown(choice)}** ${escapeMarkdown(text)}`,
  );
  return [
    ["## Verdict"],
    ...(items.length === 0 ? [] : [[...advice, ...declared.map(bullet)]]),
    ...remarks.map((text) => [escapeMarkdown(text)]),
  ];
}

function writeSizing(result: Result, demand: Demand): Block[] {
  const sizing = sizeUp(result, demand);
  if (sizing === null) return [];
  return [
    [`## ${sizing.title}`],
    [sizing.lead],
    sizing.assumptions.map(bullet),
    ...sizing.tables.flatMap(({ title, table }) => [[`### ${title}`], renderTable(table)]),
  ];
}

function writeClaims(result: Result): Block[] {
  const retest = retestArticle(result);
  if (retest === null) return [];
  const header = ["claim", "article", "measured", "", "why"];
  const table: Table = {
    columns: header.map((text) => ({ header: text, align: "left" })),
    rows: retest.claims.map(({ claim, article: figures, measured, finding, why }) => ({
      cells: [
        { text: claim },
        { text: figures },
        { text: measured },
        { text: finding, style: "strong" },
        { text: why },
      ],
    })),
  };
  return [
    ["## The article's claims, re-tested"],
    [`"${article.title}" (${article.source}), ${retest.lead}`],
    renderTable(table),
    ...(retest.unfair === null
      ? []
      : [["### The same servers, counted unfairly"], [unfairLead], renderTable(retest.unfair)]),
  ];
}

function writeTroubles(result: Result): Block[] {
  return listTroubles(result).flatMap(({ title, entries }) => [
    [`## ${title}`],
    ...entries.flatMap(({ text, output }) => [
      [bullet(text)],
      ...(output.length === 0 ? [] : [codeBlock(output)]),
    ]),
  ]);
}

function writeSection(section: Section, sections: readonly Section[]): Block[] {
  const notes = listNotes(section).map(({ text }) => bullet(text));
  return [
    [`## ${titleOf(section)}`],
    section.participants.length === 0
      ? ["Nobody took part."]
      : renderTable(buildPhaseTable(section, { complete: true, sections })),
    ...(notes.length === 0 ? [] : [notes]),
    ...buildFaultTables(section).flatMap(({ fault, table, texts }) => [
      [`### ${escapeMarkdown(fault)}`],
      renderTable(table),
      texts.map(({ name, text }) => bullet(`${name}: ${text}`)),
    ]),
  ];
}

/** What each contender declares of itself: part of every figure above. */
function writeContenders({ contenders }: Result): Block[] {
  const rows: [string, (facts: ContenderFacts) => string][] = [
    ["title", ({ title }) => title],
    ["language", ({ language }) => language],
    ["library", ({ library }) => library],
    ["approach", ({ approach }) => approach],
    ["routing", ({ routing }) => routing],
    ["framing", ({ framing }) => framing],
    ["slow consumer", ({ slowConsumer }) => slowConsumer],
    ["contract", describeVerification],
    ["toolchains", ({ toolchains }) => listPairs(toolchains, ": ")],
    ["environment", ({ env }) => listPairs(env, "=")],
    ["command", ({ start }) => start.join(" ")],
    ["sources (SHA-256)", ({ sourceDigest }) => sourceDigest.slice(0, 12)],
    ["deployment", ({ deployment }) => describeDeployment(deployment)],
  ];
  const table: Table = {
    columns: [
      { header: "", align: "left" },
      ...contenders.map((facts): Column => ({ header: nameOf(facts), align: "left" })),
    ],
    rows: rows.map(([label, pick]) => ({
      cells: [{ text: label }, ...contenders.map((facts) => ({ text: pick(facts) || format.unknown }))],
    })),
  };
  return [["## Contenders"], contenders.length === 0 ? ["None."] : renderTable(table)];
}

function describeVerification({ verified }: ContenderFacts): string {
  if (verified === null) return "not verified";
  if (verified.reason !== null) return verified.reason;
  const failed = verified.failed.map(({ id }) => id);
  return failed.length === 0 ? "kept" : `not kept: ${failed.join(", ")}`;
}

function describeDeployment(deployment: ContenderFacts["deployment"]): string {
  if (deployment === null) return "";
  const what = deployment.singleBinary ? "single binary" : "no single binary";
  return deployment.note === undefined ? what : `${what}: ${deployment.note}`;
}

function writeConditions(result: Result): Block[] {
  const { environment, plan, command } = result;
  return [
    ["## Machine and plan"],
    listFacts(result).map(({ label, text }) => `- **${label}**: ${escapeMarkdown(text)}`),
    ["<details><summary>Kernel settings</summary>"],
    codeBlock(Object.entries(environment.sysctls).map(([name, value]) => `${name} = ${value}`)),
    ["</details>"],
    ["<details><summary>The whole plan, the same for every contender</summary>"],
    ["```json", JSON.stringify(plan, null, 2), "```"],
    ["</details>"],
    ["## How to reproduce"],
    [
      environment.commit === null
        ? `With ${environment.tool}:`
        : `With ${environment.tool} at commit ${escapeMarkdown(environment.commit)}:`,
    ],
    ["```sh", writeCommand(command), "```"],
    [
      `The seed of this run was ${plan.seed}: it decides the order of the rounds, the senders and the masks. Other machines give other numbers.`,
    ],
  ];
}

/** Every round as it was, in the order in which they ran: nothing is left out. */
function writeRounds({ rounds, plan }: Result): Block[] {
  const columns: Column[] = [
    { header: "order", align: "right" },
    { header: "contender", align: "left" },
    { header: "round", align: "right" },
    { header: "ready", align: "right" },
    { header: "idle memory", align: "right" },
    ...plan.phases.map(
      ({ kind, workload = null }): Column => ({ header: titleOf({ kind, workload }), align: "right" }),
    ),
    { header: "ended", align: "right" },
    { header: "status", align: "left" },
  ];
  const table: Table = {
    columns,
    rows: [...rounds]
      .sort((a, b) => a.position - b.position)
      .map((round) => ({
        cells: [
          String(round.position),
          nameOfRound(round),
          String(round.round),
          round.readyMs === null ? format.unknown : `${format.formatCount(round.readyMs)} ms`,
          format.formatBytes(round.idleRssBytes),
          ...plan.phases.map((_, index) => summarizePhase(round.phases[index])),
          describeShutdown(round),
          round.reason === null ? round.status : `${round.status}: ${round.reason}`,
        ].map((text) => ({ text })),
      })),
  };
  return [["## All rounds"], rounds.length === 0 ? ["None."] : renderTable(table)];
}

function summarizePhase(phase: Phase | undefined): string {
  if (phase === undefined) return format.unknown;
  if (phase.status !== "ok") return phase.status;
  const headline = measures[headlineOf(phase)];
  const { capacity } = phase;
  const text = capacity === null ? headline.format(headline.pick(phase)) : describeCapacity(capacity);
  return phase.latencyUs === null ? text : `${text}, p99 ${format.formatLatency(phase.latencyUs.p99)}`;
}

function describeShutdown({ shutdown }: Round): string {
  if (shutdown === null) return format.unknown;
  return `${shutdown.graceful ? "" : "killed, "}${format.formatCount(shutdown.exitMs)} ms`;
}

function writeMeanings(sections: readonly Section[]): Block[] {
  return [
    ["## What the figures mean"],
    [
      "Figures are medians over the rounds that ended well, never the best of several. A phase that was aborted, failed or void has no throughput. Counts of lost and other bad deliveries are sums over all rounds.",
    ],
    [...listMeanings(sections)].map(
      ([header, meaning]) => `- **${escapeMarkdown(header)}**: ${escapeMarkdown(meaning)}`,
    ),
    [
      `Rows in italics are the figures of "${article.title}" (${article.source}), measured on another machine by another method; they are shown for orientation and compared with nothing.`,
    ],
  ];
}

function listPairs(pairs: Readonly<Record<string, string>>, between: string): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}${between}${value}`)
    .join(", ");
}

function bullet(text: string): string {
  return `- ${escapeMarkdown(text)}`;
}

/** A fence longer than any inside. */
function codeBlock(lines: Block): Block {
  const longest = Math.max(
    2,
    ...lines.flatMap((line) => (line.match(/`+/g) ?? []).map(({ length }) => length)),
  );
  const fence = "`".repeat(longest + 1);
  return [`${fence}text`, ...lines, fence];
}

/** In a clone the program is started by npm. */
function writeCommand([program = "", ...args]: readonly string[]): string {
  const words =
    program === "showdown" && args[0] === "run"
      ? ["npm", "start", "--", ...args.slice(1)]
      : [program, ...args];
  return (words.at(-1) === "--" ? words.slice(0, -1) : words).map(quote).join(" ");
}

/** For a POSIX shell. */
function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
