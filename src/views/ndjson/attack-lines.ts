import type { AttackEvent } from "../../attack/events.ts";
import type { ScenarioNews } from "../../attack/scenario-board.ts";
import type { AttackPlan } from "../../plan/attack/plan.ts";
import { loadSeconds } from "../../plan/attack/rate.ts";
import { mergeHistograms, summarize } from "../../stats/histogram.ts";
import { type AttackLine, lineVersion } from "./line.ts";

/** What is written of each event of an attack; the first line comes of none. */
export class AttackLines {
  #toldMs = Number.NEGATIVE_INFINITY;

  begin(id: string, { target, load }: AttackPlan, at: Date): AttackLine {
    const { url } = target;
    return { kind: "attack", at: at.toISOString(), schema: lineVersion, id, url, seconds: loadSeconds(load) };
  }

  describe(event: AttackEvent, now: Date): AttackLine | null {
    const at = now.toISOString();
    switch (event.kind) {
      case "connecting":
        if (now.getTime() - this.#toldMs < 1000) return null;
        this.#toldMs = now.getTime();
        return describeConnections(event, at);
      case "connected":
        return describeConnections(event, at);
      case "second": {
        const { latency, kind, scenario, ...figures } = event;
        return {
          kind,
          at,
          ...figures,
          latencyUs: pickQuantiles(summarize(mergeHistograms([latency]))),
          ...(scenario === undefined ? {} : { scenario: describeNews(scenario) }),
        };
      }
      case "warning":
        return { kind: "warning", at, warning: event.warning };
      case "ended": {
        const { id, status, reason, connections, connectionStages, messages, rate, latencyUs, scenario } =
          event.result;
        const { requested, opened, failed, died, released } = connections;
        return {
          kind: "attack-ended",
          at,
          id,
          status,
          reason,
          connections: { requested, opened, failed, died, released },
          connectionStages,
          messages,
          rate,
          latencyUs: pickQuantiles(latencyUs),
          ...(scenario === null ? {} : { scenario: describeScenario(scenario, scenario.measures) }),
        };
      }
      case "command":
      case "load":
        return null;
    }
  }
}

function describeConnections(
  { requested, opened, failed }: Extract<AttackEvent, { kind: "connecting" | "connected" }>,
  at: string,
): AttackLine {
  return { kind: "connections", at, requested, opened, failed };
}

function describeNews({ measures, ...rest }: ScenarioNews) {
  const summaries = measures.map(({ name, values }) => ({
    name,
    valueUs: summarize(mergeHistograms([values])),
  }));
  return describeScenario(rest, summaries);
}

/** Names become keys: each is there once. */
function describeScenario(
  { iterations, checks }: Pick<ScenarioNews, "iterations" | "checks">,
  measures: readonly { readonly name: string; readonly valueUs: ReturnType<typeof summarize> }[],
) {
  return {
    iterations,
    checks: Object.fromEntries(checks.map(({ name, passed, failed }) => [name, { passed, failed }])),
    measures: Object.fromEntries(
      measures.map(({ name, valueUs }) => [name, { count: valueUs.count, ...pickQuantiles(valueUs) }]),
    ),
  };
}

function pickQuantiles({ p50, p90, p99, p999, max }: ReturnType<typeof summarize>) {
  return { p50, p90, p99, p999, max };
}
