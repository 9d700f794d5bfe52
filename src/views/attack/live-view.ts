import type { AttackEvent } from "../../attack/events.ts";
import type { AttackPlan } from "../../plan/attack/plan.ts";
import type { AttackResult } from "../../result/attack.ts";
import { mergeHistograms } from "../../stats/histogram.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";
import { renderPart } from "../render/html.ts";
import { html, type Markup } from "../render/markup.ts";
import { describeWarning } from "../text/warning-text.ts";
import type { LiveUpdate, LiveView } from "../watch/live/live-page.ts";
import { addPoint, renderCourse, renderNumberList, renderWarnings } from "../watch/live/parts.ts";
import { buildAttackReport } from "./report.ts";

type Of<Kind extends AttackEvent["kind"]> = Extract<AttackEvent, { kind: Kind }>;

/** A second of the load. */
interface Point {
  readonly second: number;
  readonly sent: number;
  readonly answered: number;
  readonly unanswered: number;
  readonly open: number;
  readonly p50Us: number | null;
  readonly p99Us: number | null;
}

const mostWarnings = 20;

/** An attack: whoever looks sees its whole course, and its report at the end. */
export function showAttack(plan: AttackPlan): LiveView<AttackEvent> {
  const state = new AttackState(plan);
  return {
    sections: html`<div id="report"></div>
<section id="charts" class="charts" aria-label="The load, second by second"></section>`,
    note: (event) => state.note(event),
    end: (ending) => {
      state.ended = ending;
    },
    look: () => viewOf(state),
  };
}

/** What an attack has come to. */
class AttackState {
  readonly plan: AttackPlan;
  /** The end in words; null while it goes on. */
  ended: string | null = null;
  command: Of<"command"> | null = null;
  connections: Of<"connecting" | "connected"> | null = null;
  load: Of<"load"> | null = null;
  result: AttackResult | null = null;
  course: readonly Point[] = [];
  readonly warnings: string[] = [];

  constructor(plan: AttackPlan) {
    this.plan = plan;
  }

  note(event: AttackEvent): void {
    switch (event.kind) {
      case "command":
        this.command = event;
        break;
      case "connecting":
      case "connected":
        this.connections = event;
        break;
      case "load":
        this.load = event;
        break;
      case "second": {
        const latency = mergeHistograms([event.latency]);
        // As on a terminal: a second at a low rate has too few answers for the report's rule, and is for eyes alone.
        const quantiles = { p50Us: latency.valueAt(0.5), p99Us: latency.valueAt(0.99) };
        this.course = addPoint(this.course, { ...event, ...quantiles });
        break;
      }
      case "warning":
        if (this.warnings.length < mostWarnings) this.warnings.push(describeWarning(event.warning));
        break;
      case "ended":
        this.result = event.result;
        break;
    }
  }
}

function viewOf(state: AttackState): LiveUpdate {
  return {
    regions: {
      headline: renderHeadline(state).markup,
      now: renderNow(state).markup,
      warnings: renderWarnings(state.warnings).markup,
      report: renderReport(state.result).markup,
      charts: renderCharts(state).markup,
    },
    isOver: state.ended !== null,
  };
}

/** What is going on, said anew only when that changes, since it is read aloud. */
function renderHeadline({ plan, ended, command, connections, load, result }: AttackState): Markup {
  if (ended !== null) return html`${ended}`;
  const where = printable(plan.target.url);
  if (result !== null) return html`${where}: ended`;
  if (load !== null) {
    return html`${where}: ${load.elapsedMs < load.totalMs ? "under load" : "waiting for the last replies"}`;
  }
  if (connections !== null) return html`${where}: opening connections`;
  return html`${where}: ${command === null ? "getting ready" : `running ${printable(command.command)}`}`;
}

function renderNow({ connections, load, result }: AttackState): Markup {
  const count = format.formatCount;
  if (result !== null) {
    const { messages, latencyUs, connections: all } = result;
    return renderNumberList([
      { label: "sent", value: count(messages.sent) },
      { label: "answered", value: count(messages.answered) },
      { label: "lost", value: count(messages.lost), isBad: messages.lost > 0 },
      { label: "not opened", value: count(all.failed), isBad: all.failed > 0 },
      { label: "closed by the server", value: count(all.died), isBad: all.died > 0 },
      { label: "p50", value: format.formatLatency(latencyUs.p50) },
      { label: "p99", value: format.formatLatency(latencyUs.p99) },
    ]);
  }
  if (load !== null) {
    const { elapsedMs, totalMs, sent, answered, answeredPerSecond, unanswered, open, p50Us, p99Us, errors } =
      load;
    const leftMs = Math.max(0, totalMs - elapsedMs);
    return html`${renderNumberList([
      { label: "open connections", value: count(open) },
      { label: "sent", value: count(sent) },
      { label: "answered", value: `${count(answered)} (${format.formatRate(answeredPerSecond)})` },
      { label: "without an answer", value: count(unanswered) },
      { label: "p50", value: format.formatLatency(p50Us) },
      { label: "p99", value: format.formatLatency(p99Us) },
      { label: "errors", value: count(errors), isBad: errors > 0 },
      { label: "time left", value: format.formatDuration(Math.ceil(leftMs / 1000) * 1000) },
    ])}
<progress max="100" value="${Math.round((1 - leftMs / totalMs) * 100)}" aria-label="Progress of the load"></progress>`;
  }
  if (connections === null) return html``;
  const { requested, opened, failed } = connections;
  return html`${renderNumberList([
    { label: "connections", value: `${count(opened)} of ${count(requested)}` },
    { label: "failed", value: count(failed), isBad: failed > 0 },
  ])}
<progress max="${requested}" value="${opened}" aria-label="Connections opened"></progress>`;
}

/** Its heading is the page's own. */
function renderReport(result: AttackResult | null): Markup {
  return result === null ? html`` : renderPart(buildAttackReport(result).slice(1));
}

function renderCharts({ course, plan }: AttackState): Markup {
  const line = (name: string, pick: (point: Point) => number | null) => ({ name, course, pick });
  const sent = line("sent", (point) => point.sent);
  const open = line("open", (point) => point.open);
  const connections = renderCourse("open connections", "count", [open]);
  if (plan.reply.kind === "none") {
    return html`${renderCourse("messages per second", "perSecond", [sent])}${connections}`;
  }
  const answered = line("answered", (point) => point.answered);
  const latencies = [line("p50", (point) => point.p50Us), line("p99", (point) => point.p99Us)];
  const unanswered = line("without an answer", (point) => point.unanswered);
  return html`${renderCourse("messages per second", "perSecond", [sent, answered])}${renderCourse(
    "latency",
    "latency",
    latencies,
  )}${renderCourse("messages without an answer so far", "count", [unanswered])}${connections}`;
}
