import { colorCount } from "./color-count.ts";
import { html, type Markup } from "./markup.ts";

/** Who has which colour: the place in the result, so that it is the same all over the page. */
export type Colors = ReadonlyMap<string, number>;

export function assignColors(names: readonly string[]): Colors {
  return new Map(names.map((name, index) => [name, index]));
}

/** An entrant's name behind its colour. */
export function entrantName(name: string, colors: Colors): Markup {
  const index = colors.get(name) ?? 0;
  const dashed = index >= colorCount ? " dashed" : "";
  return html`<span class="key c${index % colorCount}${dashed}" aria-hidden="true"></span><span class="name">${name}</span>`;
}
