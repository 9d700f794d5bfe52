import { measures } from "../measure.ts";
import { accountMeanings } from "./account.ts";
import { html, type Markup } from "./markup.ts";

const others: readonly (readonly [header: string, meaning: string])[] = [
  ["to best", "The figure as a part of the best one in this phase."],
  [
    "95 % interval",
    "Where the true figure lies with 95 % confidence, from the spread of the rounds. Two intervals may overlap and still differ clearly, because contenders are compared round by round.",
  ],
  [
    "drop from burst",
    "By how much less was held than in the burst, or than was offered where that was less.",
  ],
  [
    "loop delay max",
    "The longest time for which the generator's own event loop was held up, over all rounds.",
  ],
];

/** What a column's header stands for; null where it says so itself. */
export function meaningOf(header: string): string | null {
  const measure = Object.values(measures).find((known) => known.header === header);
  return measure?.meaning ?? others.find(([known]) => known === header)?.[1] ?? null;
}

/** Everything that the tables' headers mean, for those who can't hover. */
export function renderGlossary(): Markup {
  const entries = [
    ...Object.values(measures).map(({ header, meaning }) => [header, meaning] as const),
    ...others,
    ...accountMeanings,
  ];
  return html`<dl class="glossary">${entries.map(([header, meaning]) => html`<div><dt>${header}</dt><dd>${meaning}</dd></div>`)}</dl>`;
}
