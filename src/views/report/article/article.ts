import type { Section } from "../section.ts";
import { titleOf } from "../section.ts";

/** The article's figures, as data: never compared with ours, only shown beside them. */
export const article = {
  title: "The Ultimate WebSocket Battle: Elixir vs Go Performance Showdown",
  source: "onemoredev.io, 2025",
  machine: "MacBook Pro M2 Pro, 10 cores, macOS",
  /** Ports that macOS lends to the connecting side, 49152–65535, per source address. */
  clientPorts: 16_384,
} as const;

export interface ArticleFigures {
  /** Connections opened, or messages per second. */
  readonly elixir: number;
  readonly go: number;
  /** What the numbers counted, as far as that makes them another thing than ours. */
  readonly method: string;
}

const burst: ArticleFigures = {
  elixir: 51_000,
  go: 27_796,
  method:
    "sends counted instead of deliveries; its Go side broadcast each message, its Elixir side only counted it",
};

const byPhase: Readonly<Record<string, ArticleFigures>> = {
  Connect: {
    elixir: 16_292,
    go: 16_322,
    method: "of 25,000, both stopped by the client's 16,384 ephemeral ports and not by a server",
  },
  "Burst echo": burst,
  "Burst broadcast": burst,
  "Endurance echo": {
    elixir: 15_000,
    go: 854,
    method: "sends counted instead of deliveries, over only a few hundred of the connections",
  },
};

/** What the article reports for this phase; null for a phase it does not have. */
export function articleFigures(section: Pick<Section, "kind" | "workload">): ArticleFigures | null {
  return byPhase[titleOf(section)] ?? null;
}
