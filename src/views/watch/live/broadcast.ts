/** What goes to the open pages. */
export interface LiveUpdate {
  /** HTML, escaped already, of the parts that changed, by their element's id. */
  readonly regions: Readonly<Record<string, string>>;
  /** Nothing comes after this one. */
  readonly isOver: boolean;
}

/** Four updates a second are enough for eyes and cost the run nothing. */
const updateMs = 250;
/** A line now and then, so that nobody on the way takes the connection for dead. */
const aliveMs = 15_000;
/** Updates that may wait for a reader: half a minute of them. */
const mostBehind = 120;

/** The updates of one page to everyone who has it open, as server-sent events (HTML Living Standard, 9.2). */
export class Broadcast {
  readonly #view: () => LiveUpdate;
  readonly #readers = new Set<ReadableStreamDefaultController<Uint8Array>>();
  readonly #encoder = new TextEncoder();
  readonly #alive = setInterval(() => this.#send(": alive\n\n"), aliveMs);
  #sent: LiveUpdate["regions"] = {};
  #timer: Timer | null = null;

  constructor(view: () => LiveUpdate) {
    this.#view = view;
  }

  /** Sends what has changed, soon; nothing is even looked at while nobody reads. */
  noteChange(): void {
    if (this.#timer !== null || this.#readers.size === 0) return;
    this.#timer = setTimeout(() => this.#update(), updateMs);
  }

  /** The state so far, then every update. */
  open(): Response {
    let reader: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        reader = controller;
        this.#readers.add(reader);
        reader.enqueue(this.#encoder.encode(message(this.#view())));
      },
      cancel: () => {
        this.#readers.delete(reader);
      },
    });
    return new Response(stream, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    });
  }

  /** With a last update. Returns how many had the page open. */
  end(): number {
    const { size } = this.#readers;
    this.#update();
    clearInterval(this.#alive);
    for (const reader of this.#readers) reader.close();
    this.#readers.clear();
    return size;
  }

  #update(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const view = this.#view();
    const changed = Object.entries(view.regions).filter(([id, text]) => this.#sent[id] !== text);
    this.#sent = view.regions;
    this.#send(message({ ...view, regions: Object.fromEntries(changed) }));
  }

  #send(text: string): void {
    const bytes = this.#encoder.encode(text);
    for (const reader of this.#readers) {
      // Somebody who does not read would pile updates up in our memory.
      if ((reader.desiredSize ?? 0) < -mostBehind) {
        this.#readers.delete(reader);
        reader.close();
      } else {
        reader.enqueue(bytes);
      }
    }
  }
}

function message(view: LiveUpdate): string {
  return `data: ${JSON.stringify(view)}\n\n`;
}
