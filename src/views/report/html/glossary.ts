import { faultMeanings } from "../fault-table.ts";
import { measures } from "../measure.ts";
import { listMeanings } from "../phase-table.ts";
import type { Section } from "../section.ts";
import { accountMeanings } from "./account.ts";
import { html, type Markup } from "./markup.ts";

/** What the headers of this page's tables stand for. */
export type Meanings = ReadonlyMap<string, string>;

export function collectMeanings(sections: readonly Section[]): Meanings {
  return new Map([
    ...Object.values(measures).map(({ header, meaning }): [string, string] => [header, meaning]),
    ...listMeanings(sections),
    ...accountMeanings,
    ...faultMeanings,
  ]);
}

/** Every header in words, for those who can't hover. */
export function renderGlossary(meanings: Meanings): Markup {
  return html`<dl class="glossary">${[...meanings].map(([header, meaning]) => html`<div><dt>${header}</dt><dd>${meaning}</dd></div>`)}</dl>`;
}
