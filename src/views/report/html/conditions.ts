import type { ContenderFacts, Result } from "../../../result/schema.ts";
import * as format from "../../../text/format.ts";
import type { Table } from "../../../text/table.ts";
import { listFacts } from "../facts.ts";
import { headlineOf } from "../headline-columns.ts";
import { measures } from "../measure.ts";
import { nameOf, nameOfRound, titleOf } from "../section.ts";
import { type Colors, entrantName } from "./color.ts";
import { html, type Markup } from "./markup.ts";
import { renderTable } from "./table-markup.ts";

/** What each contender declares of itself: part of every figure. */
export function renderContenders({ contenders }: Result, colors: Colors): Markup {
  return html`<div class="cards">${contenders.map(
    (facts) => html`<article class="card">
<h3>${entrantName(nameOf(facts), colors)}</h3>
<p class="title">${facts.title}</p>
${facts.notRun === null ? null : html`<p class="trouble not-reached"><b>not run</b> ${facts.notRun}</p>`}
<dl>${factsOf(facts).map(([label, text]) => (text === "" ? null : html`<div><dt>${label}</dt><dd>${text}</dd></div>`))}</dl>
</article>`,
  )}</div>`;
}

function factsOf(facts: ContenderFacts): [label: string, text: string][] {
  const { deployment } = facts;
  return [
    ["language", facts.language],
    ["library", facts.library === "none" ? "none: RFC 6455 by hand" : facts.library],
    ["approach", facts.approach],
    [
      "routing",
      facts.routing === "parse"
        ? "parses the JSON of each message"
        : "reads the leading bytes of each message",
    ],
    [
      "framing",
      facts.framing === "single" ? "one message per frame" : "may put several messages into a frame",
    ],
    ["slow consumer", slowConsumers[facts.slowConsumer]],
    ["contract", describeVerification(facts)],
    ["toolchains", listPairs(facts.toolchains, " ")],
    ["environment", listPairs(facts.env, "=")],
    ["command", facts.start.join(" ")],
    ["sources", `SHA-256 ${facts.sourceDigest.slice(0, 12)}`],
    [
      "deployment",
      deployment === null
        ? ""
        : `${deployment.singleBinary ? "single binary" : "no single binary"}${deployment.note === undefined ? "" : `: ${deployment.note}`}`,
    ],
  ];
}

const slowConsumers = {
  block: "waits for it",
  "drop-message": "drops messages, and counts them",
  "drop-connection": "drops the connection",
} as const satisfies Record<ContenderFacts["slowConsumer"], string>;

function describeVerification({ verified }: ContenderFacts): string {
  if (verified === null) return "not verified";
  if (verified.reason !== null) return verified.reason;
  const failed = verified.failed.map(({ id }) => id);
  return failed.length === 0 ? "kept, as verified before the run" : `not kept: ${failed.join(", ")}`;
}

function listPairs(pairs: Readonly<Record<string, string>>, between: string): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name}${between}${value}`)
    .join(", ");
}

/** Machine, plan and how to do it again. */
export function renderConditions(result: Result): Markup {
  const { environment, plan, command } = result;
  return html`<dl class="facts">${listFacts(result).map(({ label, text }) => html`<div><dt>${label}</dt><dd>${text}</dd></div>`)}
<div><dt>command</dt><dd><code>${command.join(" ")}</code></dd></div></dl>
<details><summary>Kernel settings</summary><pre tabindex="0">${Object.entries(environment.sysctls)
    .map(([name, value]) => `${name} = ${value}`)
    .join("\n")}</pre></details>
<details><summary>The whole plan, the same for every contender</summary><pre tabindex="0">${JSON.stringify(plan, null, 2)}</pre></details>`;
}

/** Every round as it was, in the order in which they ran: nothing is left out. */
export function renderRounds({ rounds, plan }: Result, colors: Colors): Markup {
  const right = "right" as const;
  const table: Table = {
    columns: [
      { header: "contender", align: "left" },
      { header: "order", align: right },
      { header: "round", align: right },
      { header: "ready", align: right },
      { header: "idle memory", align: right },
      ...plan.phases.map(({ kind, workload = null }) => ({
        header: titleOf({ kind, workload }),
        align: right,
      })),
      { header: "status", align: "left" },
    ],
    rows: [...rounds]
      .sort((a, b) => a.position - b.position)
      .map((round) => ({
        cells: [
          { text: nameOfRound(round) },
          { text: String(round.position) },
          { text: String(round.round) },
          { text: round.readyMs === null ? format.unknown : `${format.formatCount(round.readyMs)} ms` },
          { text: format.formatBytes(round.idleRssBytes) },
          ...plan.phases.map((_, index) => {
            const phase = round.phases[index];
            if (phase === undefined) return { text: format.unknown };
            if (phase.status !== "ok") return { text: phase.status, style: "bad" as const };
            const headline = measures[headlineOf(phase)];
            return { text: headline.format(headline.pick(phase)) };
          }),
          {
            text: round.reason === null ? round.status : `${round.status}: ${round.reason}`,
            style: round.status === "ok" ? null : ("bad" as const),
          },
        ],
      })),
  };
  return renderTable(table, { label: "All rounds", firstCell: (name) => entrantName(name, colors) });
}
