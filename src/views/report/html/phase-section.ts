import type { Plan } from "../../../plan/plan.ts";
import type { Phase } from "../../../result/schema.ts";
import * as format from "../../../text/format.ts";
import type { Column, Table } from "../../../text/table.ts";
import { driftColumns } from "../drift-columns.ts";
import { buildFaultTables } from "../fault-table.ts";
import { type MeasureName, measures } from "../measure.ts";
import { isGeneratorLate, listNotes } from "../note.ts";
import { measuredColumn, type PhaseColumn } from "../phase-column.ts";
import { buildPhaseTable } from "../phase-table.ts";
import { okPhases, type Participant, ranPhases, type Section, titleOf } from "../section.ts";
import { buildAccount } from "./account.ts";
import { laneOf, renderBars } from "./bars.ts";
import { buildSteps } from "./capacity.ts";
import type { ChartModel } from "./chart-model.ts";
import { buildCharts, listCharts, type PhaseCharts } from "./charts.ts";
import { type Colors, entrantName } from "./color.ts";
import { renderFigure } from "./figure.ts";
import type { Meanings } from "./glossary.ts";
import { html, type Markup } from "./markup.ts";
import { pickGroups, renderTable } from "./table-markup.ts";
import { describeWork } from "./work.ts";

export interface SectionMarkup {
  readonly markup: Markup;
  /** To be embedded for the script. */
  readonly charts: readonly ChartModel[];
}

/** What is the same all over the page. */
export interface PageContext {
  readonly plan: Plan;
  readonly colors: Colors;
  readonly meanings: Meanings;
}

/** Everything of one phase: what it does, what to be wary of, and its figures by question. */
export function renderSection(
  section: Section,
  sections: readonly Section[],
  { plan, colors, meanings }: PageContext,
): SectionMarkup {
  const page = new SectionPage(section, { plan, colors, meanings });
  const charts = buildCharts(section, plan, colors);
  const markup = html`<section class="phase" id="phase-${section.index}" aria-labelledby="phase-${section.index}-title">
<h2 id="phase-${section.index}-title">${titleOf(section)}</h2>
<p class="lead">${describeWork(section, plan)}</p>
${page.notes()}
${page.main(sections)}
${page.search(charts)}
${page.faults()}
${page.latency(charts)}
${page.course(charts)}
${page.account()}
${page.server()}
${page.generator()}
</section>`;
  return { markup, charts: listCharts(charts) };
}

class SectionPage {
  readonly #section: Section;
  readonly #plan: Plan;
  readonly #colors: Colors;
  readonly #meanings: Meanings;

  constructor(section: Section, { plan, colors, meanings }: PageContext) {
    this.#section = section;
    this.#plan = plan;
    this.#colors = colors;
    this.#meanings = meanings;
  }

  notes(): Markup | null {
    const notes = listNotes(this.#section);
    if (notes.length === 0) return null;
    return html`<ul class="notes">${notes.map(({ text, style }) => html`<li class="${style ?? "plain"}"><span class="unseen">${noteKinds[style ?? "plain"] ?? ""}</span>${text}</li>`)}</ul>`;
  }

  main(sections: readonly Section[]): Markup {
    return this.#table(
      pickGroups(buildPhaseTable(this.#section, { complete: true, sections }), [0]),
      `${titleOf(this.#section)}: result`,
    );
  }

  /** Capacity only. */
  search({ search }: PhaseCharts): Markup | null {
    const steps = buildSteps(this.#section);
    if (search === null || steps === null) return null;
    return this.#block("The search for the highest rate", [
      renderFigure(
        search,
        "Lower is better; a rate counts as held below the limit. The latency axis is logarithmic.",
      ),
      html`<details><summary>Every rate that was tried</summary>${this.#table(steps, `${titleOf(this.#section)}: steps`)}</details>`,
    ]);
  }

  /** Chaos only. */
  faults(): Markup | null {
    const tables = buildFaultTables(this.#section);
    if (tables.length === 0) return null;
    return this.#block("Fault by fault", [
      html`${tables.map(
        ({
          fault,
          table,
          texts,
        }) => html`<h4>${fault}</h4>${this.#table(table, `${titleOf(this.#section)}: ${fault}`)}
<details><summary>What came of it, in words</summary><ul>${texts.map(({ name, text }) => html`<li><b>${name}</b>: ${text}</li>`)}</ul></details>`,
      )}`,
    ]);
  }

  latency({ latency, upgrade, receivers }: PhaseCharts): Markup | null {
    if (this.#section.kind === "connect") {
      return this.#block("How long opening took", [
        upgrade === null ? null : renderFigure(upgrade, "Further left is better. Logarithmic axis."),
        this.#measured(["tcpP50", "tcpP99", "upgradeP50", "upgradeP99", "joinP99"], "Time to open"),
      ]);
    }
    return this.#block("Latency", [
      latency === null
        ? null
        : renderFigure(
            latency,
            `Lower is better; each step to the right is ten times rarer. Both axes are logarithmic. ${this.#bands()}`,
          ),
      this.#measured(["p50", "p90", "p99", "p999", "max", "uncorrectedP99"], "Latency"),
      receivers === null
        ? null
        : html`${renderFigure(receivers, "Half of the broadcasts had reached their first, their median and their last member by then. Further left is better.")}${this.#measured(["firstReceiver", "medianReceiver", "lastReceiver"], "Receivers of a broadcast")}`,
    ]);
  }

  course({ course }: PhaseCharts): Markup | null {
    if (course.length === 0) return null;
    return this.#block("Over time", [
      html`<div class="pair">${course.map((chart) =>
        renderFigure(
          chart,
          `${chart.scale === "log" ? "Logarithmic axis." : "Axis from zero."} ${this.#bands()}`,
        ),
      )}</div>`,
      this.#section.kind === "endurance" ? this.#columns(driftColumns(), "Drift") : null,
    ]);
  }

  account(): Markup | null {
    const account = buildAccount(this.#section);
    if (account === null) return null;
    const sums = this.#plan.rounds > 1 ? " Sums over all rounds." : "";
    return this.#block("Every delivery accounted for", [
      html`<p class="explain">Expected = delivered + lost, always; what is lost must have been declared by the server.${sums}</p>`,
      this.#table(account, `${titleOf(this.#section)}: account of deliveries`),
    ]);
  }

  server(): Markup | null {
    const isConnect = this.#section.kind === "connect";
    const cpu: MeasureName = isConnect ? "cpuPerConnection" : "cpuPerDelivery";
    return this.#block("What it cost the server", [
      html`<div class="pair">${([cpu, "memoryPerConnection"] as const).map((name) => this.#bars(name))}</div>`,
      this.#measured(
        [cpu, "peakMemory", "memoryPerConnection", ...(isConnect ? [] : (["messagesPerFrame"] as const))],
        "Server",
      ),
    ]);
  }

  generator(): Markup | null {
    const ran = this.#section.participants.flatMap(ranPhases).filter(({ generator }) => generator !== null);
    if (ran.length === 0) return null;
    const late = this.#section.participants.filter(isGeneratorLate).map(({ name }) => name);
    const lateness =
      late.length === 0
        ? ""
        : ` But it was late against ${format.joinNames(late)}, and those latencies contain its lateness: see send lag.`;
    const voided = this.#section.participants.flatMap(ranPhases).filter(({ status }) => status === "void");
    const statement =
      voided.length === 0
        ? "In no round was the load generator found to be the bottleneck."
        : `In ${format.plural(voided.length, "round")} the load generator was the bottleneck: void, and in none of the figures.`;
    return this.#block("The generator's innocence", [
      html`<p class="explain">${statement}${lateness} ${measures.generatorShare.meaning}</p>`,
      this.#columns(
        [
          measuredColumn("generatorShare", 0),
          ...(this.#section.kind === "connect" ? [] : [measuredColumn("sendLagP99", 0)]),
          loopDelayColumn,
          othersColumn,
          ...(this.#section.kind === "connect" ? [] : [othersOnServerColumn, headroomColumn]),
        ],
        "Load generator",
      ),
    ]);
  }

  #bars(name: MeasureName): Markup {
    const measure = measures[name];
    const title = barTitles[name] ?? measure.header;
    return html`<div class="small-bars"><h4>${title}</h4><p class="question">${measure.better === "lower" ? "less is better" : "more is better"}</p>${renderBars(
      this.#section.participants.map(laneOf),
      {
        caption: `${titleOf(this.#section)}: ${title}`,
        measure,
        connections: this.#plan.connections,
        colors: this.#colors,
      },
    )}</div>`;
  }

  #measured(names: readonly MeasureName[], label: string): Markup {
    return this.#columns(
      names.map((name) => measuredColumn(name, 0)),
      label,
    );
  }

  #columns(columns: readonly PhaseColumn[], label: string): Markup {
    const table: Table = {
      columns: [
        { header: "contender", align: "left" },
        ...columns.map(({ header, align }): Column => ({ header, align: align ?? "right" })),
      ],
      rows: this.#section.participants.map((participant) => ({
        cells: [{ text: participant.name }, ...columns.map(({ cell }) => cell(participant))],
      })),
    };
    return this.#table(table, `${titleOf(this.#section)}: ${label}`);
  }

  #table(table: Table, label: string): Markup {
    return renderTable(table, {
      label,
      meanings: this.#meanings,
      firstCell: (name) => entrantName(name, this.#colors),
    });
  }

  #block(title: string, content: readonly (Markup | null)[]): Markup {
    return html`<div class="block"><h3>${title}</h3>${content}</div>`;
  }

  #bands(): string {
    return this.#plan.rounds > 1 ? "Line: the middle round; band: from the lowest to the highest." : "";
  }
}

const noteKinds: Readonly<Record<string, string>> = {
  good: "Good: ",
  warning: "Warning: ",
  bad: "Fault: ",
  dim: "",
  strong: "",
  plain: "",
};

const barTitles: Readonly<Partial<Record<MeasureName, string>>> = {
  cpuPerDelivery: "CPU time per delivery",
  cpuPerConnection: "CPU time per connection",
  memoryPerConnection: "Memory per connection",
};

/** A figure that speaks for or against the measurement, the worst of the rounds. */
function worstColumn(
  header: string,
  meaning: string,
  worst: (...values: number[]) => number,
  pick: (phase: Phase) => number | null | undefined,
  write: (value: number | null) => string,
): PhaseColumn {
  const cell = (participant: Participant) => {
    const known = okPhases(participant).flatMap((phase) => pick(phase) ?? []);
    return { text: write(known.length === 0 ? null : worst(...known)) };
  };
  return { header, meaning, group: 0, cell };
}

const loopDelayColumn = worstColumn(
  "loop delay max",
  "The longest time for which the generator's own event loop was held up, over all rounds.",
  Math.max,
  ({ generator }) => generator?.eventLoopDelayUs.max,
  format.formatLatency,
);

const othersOnServerColumn = worstColumn(
  "others at the server's",
  "Share of the server's processors that other processes took while the phase went on; the most of the rounds.",
  Math.max,
  ({ server }) => server.othersCpuShare,
  format.formatShare,
);

const othersColumn = worstColumn(
  "others",
  "Share of the generator's processors that other processes took while the phase went on; the most of the rounds.",
  Math.max,
  ({ generator }) => generator?.othersCpuShare,
  format.formatShare,
);

const headroomColumn = worstColumn(
  "headroom",
  "How many times this many deliveries the generator could have received, by what each cost it against a null server. 1 is its ceiling; the least of the rounds.",
  Math.min,
  ({ generator }) => generator?.headroom,
  format.formatRatio,
);
