/** Follows the run: puts each region that changed into its place. Runs in the browser as it stands, without imports. */
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

function show(update: {
  readonly regions: Readonly<Record<string, string>>;
  readonly isOver: boolean;
}): void {
  for (const [id, markup] of Object.entries(update.regions)) {
    const region = document.getElementById(id);
    // Escaped where it was made: in the tool, not here.
    if (region !== null) region.innerHTML = markup;
  }
  document.documentElement.dataset.drawn = "true";
  if (!update.isOver) return;
  isOver = true;
  say(null);
  follow();
}

function say(text: string | null): void {
  const line = document.getElementById("link");
  if (line === null) return;
  line.hidden = text === null;
  line.textContent = text;
}
