import type { Phase } from "../../../result/schema.ts";
import { type Interval, median, medianInterval } from "../../../stats/intervals.ts";
import * as format from "../../../text/format.ts";
import type { PhaseMeasure } from "../measure.ts";
import { type Ending, listEndings, type Participant } from "../section.ts";
import { type Colors, entrantName } from "./color.ts";
import { colorCount } from "./color-count.ts";
import { html, type Markup } from "./markup.ts";

/** What bars need of an entrant. */
export interface Lane {
  readonly name: string;
  /** One place per round; null where there is nothing (yet). */
  readonly phases: readonly (Phase | null)[];
  /** Of the rounds that did not end well. */
  readonly endings: readonly Ending[];
  /** What stands there as well: that a run has not come to it yet, or why there is no bar. */
  readonly pending: string | null;
  /** What is known to be reached where the value itself is not known: drawn open at its end, and never a median. */
  readonly atLeast: number | null;
}

export function laneOf(participant: Participant): Lane {
  return {
    name: participant.name,
    phases: participant.phases,
    endings: listEndings(participant),
    pending: null,
    atLeast: null,
  };
}

export interface Bar {
  readonly name: string;
  /** Median of the rounds that ended well; null where there is none, and then no bar either. */
  readonly value: number | null;
  /** Of the rounds that ended well, in their order. */
  readonly values: readonly number[];
  /** Null for fewer than three rounds, whose limits are too wide to read anything from. */
  readonly interval: Interval | null;
  readonly pending: string | null;
  readonly atLeast: number | null;
  /** What makes the figure another thing than the others', such as a share that was lost. */
  readonly caveats: readonly string[];
  /** What stands in the place of the bar, or beside it when only some rounds ended well. */
  readonly troubles: readonly { readonly status: Ending["status"]; readonly text: string }[];
}

/** Best first; those without a value last. @param connections that the plan asks for */
export function buildBars(lanes: readonly Lane[], measure: PhaseMeasure, connections: number): Bar[] {
  const direction = measure.better === "higher" ? -1 : 1;
  return lanes
    .map((lane) => buildBar(lane, measure, connections))
    .sort((a, b) =>
      drawnValue(a) === null || drawnValue(b) === null
        ? Number(drawnValue(a) === null) - Number(drawnValue(b) === null)
        : direction * ((drawnValue(a) ?? 0) - (drawnValue(b) ?? 0)),
    );
}

function buildBar(
  { name, phases, endings, pending, atLeast }: Lane,
  measure: PhaseMeasure,
  connections: number,
): Bar {
  const values = phases
    .map((phase) => (phase?.status === "ok" ? measure.pick(phase) : null))
    .filter((value) => value !== null);
  const alike = Map.groupBy(endings, ({ status }) => status);
  return {
    name,
    value: values.length === 0 ? null : median(values),
    values,
    interval: values.length < roundsForInterval ? null : medianInterval(values),
    pending,
    atLeast: values.length === 0 ? atLeast : null,
    caveats: findCaveats(phases, connections),
    troubles: [...alike.values()].flatMap(([ending, ...more]) =>
      ending === undefined
        ? []
        : [{ status: ending.status, text: (ending.reason ?? "") + ofRounds(1 + more.length, phases.length) }],
    ),
  };
}

function drawnValue({ value, atLeast }: Pick<Bar, "value" | "atLeast">): number | null {
  return value ?? atLeast;
}

/** A rate over fewer connections, or over what is left of the messages, is not the same work. */
function findCaveats(phases: Lane["phases"], connections: number): string[] {
  const accounted = phases.flatMap((phase) =>
    phase?.status === "ok" && phase.messages !== null
      ? [{ opened: phase.connections.opened, messages: phase.messages }]
      : [],
  );
  const fewest = Math.min(...accounted.map(({ opened }) => opened));
  const lost = accounted.reduce((sum, { messages }) => sum + messages.lost, 0);
  const expected = accounted.reduce((sum, { messages }) => sum + messages.expected, 0);
  return [
    ...(fewest < connections
      ? [`over ${format.formatCount(fewest)} of ${format.formatCount(connections)} connections`]
      : []),
    ...(lost > 0 ? [`lost ${format.formatShare(lost / expected)} of its deliveries`] : []),
  ];
}

function ofRounds(count: number, rounds: number): string {
  return rounds > 1 ? ` (${count} of ${rounds} rounds)` : "";
}

export interface BarScale {
  /** Where the track ends when there is a most that one can reach, such as what was asked for. */
  readonly full?: number | null;
}

/** Limits beyond this many times the largest value are cut off, so that one wild round does not flatten everybody. */
const widestReach = 1.5;

/** As in the tables. */
const roundsForInterval = 3;

/** Every track starts at zero. @returns where it ends, in the unit of the values; null without a value */
export function scaleOf(bars: readonly Bar[], { full = null }: BarScale = {}): number | null {
  const values = bars.map(drawnValue).filter((value) => value !== null);
  const largest = Math.max(0, ...values, full ?? 0);
  if (largest === 0) return null;
  if (full !== null) return largest;
  return Math.max(
    largest,
    ...bars.map(({ interval }) => Math.min(interval?.high ?? 0, largest * widestReach)),
  );
}

export interface BarTableOptions extends BarScale {
  readonly caption: string;
  readonly measure: PhaseMeasure;
  /** That the plan asks for. */
  readonly connections: number;
  readonly colors: Colors;
}

/** Bars that are a table too: names, numbers and limits are text, and the bar beside them is drawn by the style sheet alone. */
export function renderBars(lanes: readonly Lane[], options: BarTableOptions): Markup {
  const { caption, measure, colors } = options;
  const bars = buildBars(lanes, measure, options.connections);
  const end = scaleOf(bars, options);
  return html`<table class="bars" role="table">
<caption class="unseen">${caption}</caption>
<thead class="unseen" role="rowgroup"><tr role="row"><th role="columnheader" scope="col">contender</th><th role="columnheader" scope="col">${measure.header}</th><th role="columnheader" scope="col">95 % interval</th></tr></thead>
<tbody role="rowgroup">${bars.map(
    (bar) => html`<tr role="row">
<th role="rowheader" scope="row">${entrantName(bar.name, colors)}</th>
<td role="cell" class="value">${renderValue(bar, measure)}</td>
<td role="cell" class="track">${renderTrack(bar, end, colors)}${bar.pending === null ? null : html`<span class="pending">${bar.pending}</span>`}${renderSpread(bar, measure)}${bar.caveats.map((text) => html`<span class="caveat">${text}</span>`)}${bar.troubles.map(
      ({ status, text }) =>
        html`<span class="trouble ${status.replace(" ", "-")}"><b>${status}</b> ${text}</span>`,
    )}</td>
</tr>`,
  )}</tbody>
</table>`;
}

function renderValue({ value, atLeast }: Bar, measure: PhaseMeasure): Markup | string {
  if (value !== null) return measure.format(value);
  return atLeast === null ? html`<span class="unseen">no figure</span>` : `≥ ${measure.format(atLeast)}`;
}

function renderTrack({ name, interval, ...bar }: Bar, end: number | null, colors: Colors): Markup | null {
  const value = drawnValue(bar);
  if (value === null || end === null) return null;
  const open = bar.value === null ? " open" : "";
  const index = (colors.get(name) ?? 0) % colorCount;
  const percent = (part: number) => `${((100 * Math.min(part, end)) / end).toFixed(2)}%`;
  const whisker =
    interval === null || isPoint(interval)
      ? null
      : html`<span class="whisker${interval.high > end ? " cut" : ""}" style="left:${percent(interval.low)};right:calc(100% - ${percent(interval.high)})"></span>`;
  return html`<span class="line" aria-hidden="true"><span class="bar c${index}${open}" style="width:${percent(value)}"></span>${whisker}</span>`;
}

function renderSpread({ values, interval }: Bar, measure: PhaseMeasure): Markup | null {
  if (values.length < 2) return null;
  const write = (value: number) => measure.format(value).replace(/\/s$/, "");
  const text = values.every((value) => value === values[0])
    ? "the same in every round"
    : interval === null
      ? `rounds: ${values.map(write).join(", ")}`
      : `95 %: ${write(interval.low)} – ${measure.format(interval.high)}`;
  return html`<span class="interval">${text}</span>`;
}

/** All rounds had the same value, give or take what logarithms round. */
function isPoint({ low, high }: Interval): boolean {
  return high - low <= Math.abs(high) * 1e-9;
}
