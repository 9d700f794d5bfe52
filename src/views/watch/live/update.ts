import type { LineChart } from "../../report/html/chart-model.ts";

/** What goes to the open pages: the parts that changed, by their element's id, and the charts, by their figure's. */
export interface LiveUpdate {
  /** HTML, escaped already. */
  readonly regions: Readonly<Record<string, string>>;
  readonly charts: readonly LiveChart[];
  /** Nothing comes after this one. */
  readonly isOver: boolean;
}

export interface LiveChart {
  readonly chart: LineChart;
  readonly title: string;
  /** In words, for those who don't see it. */
  readonly description: string;
}
