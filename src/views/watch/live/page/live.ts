import { Figure } from "../../../report/html/page/figure.ts";
import type { LiveChart, LiveUpdate } from "../update.ts";

const figures = new Map<string, Figure>();
let source: EventSource | null = null;
let isOver = false;

// A page that nobody sees takes no processor time from the run.
document.addEventListener("visibilitychange", follow);
follow();

function follow(): void {
  if (document.hidden || isOver) {
    source?.close();
    source = null;
  } else if (source === null) {
    source = new EventSource("/events");
    source.onmessage = ({ data }) => show(JSON.parse(data));
    source.onopen = () => say(null);
    source.onerror = () => say("The connection to the run is lost; trying again.");
  }
}

function show(update: LiveUpdate): void {
  for (const [id, markup] of Object.entries(update.regions)) {
    const region = document.getElementById(id);
    // Escaped where it was made: in the tool, not here.
    if (region !== null && region.innerHTML !== markup) region.innerHTML = markup;
  }
  for (const chart of update.charts) showChart(chart);
  document.documentElement.dataset.drawn = "true";
  if (!update.isOver) return;
  isOver = true;
  say(null);
  follow();
}

function showChart({ chart, title, description }: LiveChart): void {
  const element = document.getElementById(chart.id);
  if (element === null) return;
  const known = figures.get(chart.id);
  if (known === undefined) figures.set(chart.id, new Figure(element, chart));
  else known.update(chart);
  const name = element.querySelector("figcaption b");
  if (name !== null) name.textContent = title;
  element.querySelector("[data-chart]")?.setAttribute("aria-label", description);
}

function say(text: string | null): void {
  const line = document.getElementById("link");
  if (line === null) return;
  line.hidden = text === null;
  line.textContent = text;
}
