/** Follows what goes on: puts each region that changed into its place. Runs in the browser as it stands, without imports. */
interface LiveUpdate {
  readonly regions: Readonly<Record<string, string>>;
  readonly isOver: boolean;
}

/** Four times a second is enough for eyes and costs the load nothing. */
const askMs = 250;
const shown = new Map<string, string>();
follow();

async function follow(): Promise<void> {
  // A page that nobody sees takes no processor time from the load.
  const isOver = !document.hidden && (await ask());
  if (!isOver) setTimeout(follow, askMs);
}

async function ask(): Promise<boolean> {
  try {
    const update: LiveUpdate = await (await fetch("/state")).json();
    show(update);
    say(null);
    return update.isOver;
  } catch {
    say("The connection to showdown is lost; trying again.");
    return false;
  }
}

function show({ regions }: LiveUpdate): void {
  for (const [id, markup] of Object.entries(regions)) {
    const region = document.getElementById(id);
    // Escaped where it was made: in the tool, not here.
    if (region !== null && shown.get(id) !== markup) region.innerHTML = markup;
    shown.set(id, markup);
  }
  document.documentElement.dataset.drawn = "true";
}

function say(text: string | null): void {
  const line = document.getElementById("link");
  if (line === null) return;
  line.hidden = text === null;
  line.textContent = text;
}
