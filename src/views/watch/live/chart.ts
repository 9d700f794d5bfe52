import { html, type Markup } from "../../render/markup.ts";

/** Lines over the seconds of a phase. The report's charts take tens of milliseconds each, which a run can't spare. */
export interface LiveChart {
  readonly title: string;
  /** `linear` from zero, `log` in powers of ten. */
  readonly scale: "linear" | "log";
  readonly format: (value: number) => string;
  /** One for each contender, in the order of their colours. */
  readonly series: readonly {
    readonly name: string;
    readonly points: readonly (readonly [second: number, value: number])[];
  }[];
}

const size = { width: 640, height: 220 };
const plot = { left: 72, right: 632, top: 10, bottom: 196 };
/** Of the page's style sheet; from the ninth on lines are dashed. */
const colors = 8;

export function renderLiveChart({ title, scale, format, series }: LiveChart): Markup {
  const points = series.flatMap((one) => one.points);
  const most = Math.max(1, ...points.map(([, value]) => value));
  const least =
    scale === "linear"
      ? 0
      : 10 ** Math.floor(Math.log10(Math.min(most, ...points.map(([, value]) => value))));
  const ticks = scale === "linear" ? linearTicks(most) : logTicks(least, most);
  const high = ticks.at(-1) ?? most;
  const seconds = Math.max(1, ...points.map(([second]) => second));
  const x = (second: number) => round(plot.left + (second / seconds) * (plot.right - plot.left));
  const share = (value: number) =>
    scale === "linear"
      ? value / high
      : Math.log(value / least) / Math.max(Number.EPSILON, Math.log(high / least));
  const y = (value: number) => round(plot.bottom - share(value) * (plot.bottom - plot.top));
  const drawn = series
    .map(({ name, points: own }, at) => ({ name, own, at }))
    .filter(({ own }) => own.length > 0);
  const told = drawn.map(({ name, own }) => `${name}: ${format(own.at(-1)?.[1] ?? 0)}`).join(", ");
  return html`<figure><figcaption>${title}</figcaption>
<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${title}, last: ${told === "" ? "nothing yet" : told}">
${ticks.map(
  (tick) =>
    html`<path d="M${plot.left} ${y(tick)}H${plot.right}" stroke="var(--grid)"/><text x="${plot.left - 6}" y="${y(tick)}" text-anchor="end" fill="var(--muted)">${format(tick)}</text>`,
)}
<text x="${plot.right}" y="${size.height - 6}" text-anchor="end" fill="var(--muted)">${Math.round(seconds)} s</text>
${drawn.map(
  ({ own, at }) =>
    html`<path class="line" d="M${own.map(([second, value]) => `${x(second)} ${y(value)}`).join("L")}" fill="none" stroke="${colorOf(at)}" stroke-width="2" stroke-dasharray="${dashOf(at)}"/>`,
)}
</svg>
<ul class="legend">${drawn.map(({ name, at }) => html`<li><i style="border-color:${colorOf(at)}"></i>${name}</li>`)}</ul></figure>`;
}

function colorOf(at: number): string {
  return `var(--c${at % colors})`;
}

function dashOf(at: number): string {
  return at < colors ? "none" : "6 3";
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** From zero in four or so round steps to at least `most`. */
function linearTicks(most: number): number[] {
  const power = 10 ** Math.floor(Math.log10(most / 4));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power * 4 >= most) ?? 10) * power;
  return Array.from({ length: Math.ceil(most / step) + 1 }, (_, at) => at * step);
}

function logTicks(least: number, most: number): number[] {
  const powers = Math.max(1, Math.ceil(Math.log10(most / least)));
  return Array.from({ length: powers + 1 }, (_, at) => least * 10 ** at);
}
