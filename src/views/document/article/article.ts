import type { Plan } from "../../../plan/plan.ts";
import { presets } from "../../../plan/presets.ts";

/** The article's figures, as data: never compared with ours, only shown beside them. */
export const article = {
  title: "The Ultimate WebSocket Battle: Elixir vs Go Performance Showdown",
  source: "onemoredev.io, 2025",
  machine: "MacBook Pro M2 Pro, 10 cores, macOS",
  /** Ports that macOS lends to the connecting side, 49152–65535, per source address. */
  clientPorts: 16_384,
  /** The contenders of its two languages; their variant `article` is written as its servers are. */
  sides: { elixir: "elixir-genserver", go: "go-gorilla" },
} as const;

export type Side = keyof typeof article.sides;

/** A side's server among those that took part: the one written as the article's, else the contender itself. */
export function findSide<T extends { readonly name: string }>(all: readonly T[], side: Side): T | undefined {
  const contender = article.sides[side];
  return (
    all.find(({ name }) => name === `${contender}:article`) ?? all.find(({ name }) => name === contender)
  );
}

/** Whether a run does what the article did: with fewer connections or messages it is another experiment. */
export function isArticlePlan({ preset, connections, messagesPerConnection }: Plan): boolean {
  const { article: parameters } = presets;
  return (
    preset === "article" && connections >= 10_000 && messagesPerConnection >= parameters.messagesPerConnection
  );
}
