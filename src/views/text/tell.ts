import { printable } from "../../text/printable.ts";

/** A sentence, or a part of one, for each kind of a union of facts. */
export type Texts<T extends { readonly kind: string }> = {
  readonly [K in T["kind"]]: (fact: Extract<T, { readonly kind: K }>) => string;
};

export function tell<T extends { readonly kind: string }>(texts: Texts<T>, fact: T): string {
  const describe = texts[fact.kind as T["kind"]] as (fact: T) => string;
  return describe(fact);
}

/** What a server, a build or a manifest said: longer than this, it would hide what the tool says. */
export function quote(text: string, most = 240): string {
  return printable(text, { most });
}
